using Flex.Local.Runtime.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Durable;

public sealed class EventTests
{
    [Fact]
    public async Task Events_are_kept_in_order_until_they_are_awaited_whatever_the_case_of_their_name()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Collects", async ctx =>
        {
            await ctx.WaitForExternalEvent<string>("open");
            return string.Join(',', await ctx.WaitForExternalEvent<int>("number"), await ctx.WaitForExternalEvent<int>("Number"), await ctx.WaitForExternalEvent<int>("NUMBER"));
        }));
        await world.StartAsync("Collects", id: "one");
        await RaiseAsync(world, "Number", 1);
        await RaiseAsync(world, "number", 2);
        await world.RunAsync();
        await RaiseAsync(world, "nUMBER", 3);
        await RaiseAsync(world, "OPEN", "x");
        await world.RunAsync();

        Assert.Equal("1,2,3", (await world.StateAsync("one")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task The_newest_wait_gets_the_event()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Waits", async ctx =>
        {
            Task<string?> abandoned = ctx.WaitForExternalEvent<string>("go");
            string? got = await ctx.WaitForExternalEvent<string>("go");
            return $"{got} {abandoned.IsCompleted}";
        }));
        await world.StartAsync("Waits", id: "one");
        await world.RunAsync();
        await RaiseAsync(world, "go", "a");
        await world.RunAsync();

        Assert.Equal("a False", (await world.StateAsync("one")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_cancelled_wait_throws_and_takes_no_event()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Waits", async ctx =>
        {
            using var stop = new CancellationTokenSource();
            Task<string?> cancelled = ctx.WaitForExternalEvent<string>("go", stop.Token);
            stop.Cancel();
            await Assert.ThrowsAsync<TaskCanceledException>(() => cancelled);
            return await ctx.WaitForExternalEvent<string>("go");
        }));
        await world.StartAsync("Waits", id: "one");
        await world.RunAsync();
        await RaiseAsync(world, "go", "a");
        await world.RunAsync();

        Assert.Equal("a", (await world.StateAsync("one")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Events_no_generation_has_consumed_go_on_to_the_next_in_order()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Rounds", async ctx =>
        {
            List<string> got = ctx.GetInput<List<string>>()!;
            got.Add((await ctx.WaitForExternalEvent<string>("item"))!);
            if (got.Count < 3)
            {
                ctx.ContinueAsNew(got, preserveUnprocessedEvents: true);
                return [];
            }

            return got;
        }));
        await world.StartAsync("Rounds", Array.Empty<string>(), "one");
        await RaiseAsync(world, "item", "a");
        await RaiseAsync(world, "item", "b");
        await RaiseAsync(world, "item", "c");
        await world.RunAsync();

        OrchestrationMetadata state = await world.StateAsync("one");
        Assert.Equal("""["a","b","c"]""", state.SerializedOutput);
        Assert.Equal("""["a","b"]""", state.SerializedInput);
    }

    [Fact]
    public async Task Creation_time_and_input_are_those_of_the_last_generation()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Rounds", async ctx =>
        {
            await ctx.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
            ctx.SetCustomStatus("kept");
            if (ctx.GetInput<int>() == 0)
            {
                ctx.ContinueAsNew(1);
            }
        }));
        await world.StartAsync("Rounds", 0, "one");
        await world.AdvanceAsync(Duration.FromHours(1));

        OrchestrationMetadata state = await world.StateAsync("one");

        Assert.Equal(new DateTimeOffset(2025, 1, 1, 1, 0, 0, TimeSpan.Zero), state.CreatedAt);
        Assert.Equal("1", state.SerializedInput);
        Assert.Equal("\"kept\"", state.SerializedCustomStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Running, state.RuntimeStatus);
    }

    [Fact]
    public async Task A_thousand_generations_leave_no_rows_behind()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Rounds", async ctx =>
        {
            await ctx.CreateTimer(TimeSpan.FromMinutes(1), CancellationToken.None);
            ctx.ContinueAsNew(ctx.GetInput<int>() + 1);
        }));
        await world.StartAsync("Rounds", 0, "one");

        await world.AdvanceAsync(Duration.FromMinutes(1000));

        Assert.Equal("1000", (await world.StateAsync("one")).SerializedInput);
        Assert.InRange(world.Tables.Snapshot("hubinstances", "one").Count, 1, 150);
    }

    [Fact]
    public async Task An_event_before_the_first_turn_is_kept_but_one_before_a_later_start_is_lost()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Waits", ctx => ctx.WaitForExternalEvent<string>("go")));
        await world.StartAsync("Waits", id: "now");
        await world.StartAsync("Waits", id: "later", startAt: new DateTimeOffset(2025, 1, 2, 0, 0, 0, TimeSpan.Zero));
        await world.Client.RaiseEventAsync("now", "go", "a", HubWorld.Token);
        await world.Client.RaiseEventAsync("later", "go", "a", HubWorld.Token);

        await world.AdvanceAsync(Duration.FromHours(23));
        OrchestrationMetadata pending = await world.StateAsync("later");
        await world.AdvanceAsync(Duration.FromHours(2));

        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await world.StateAsync("now")).RuntimeStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Pending, pending.RuntimeStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Running, (await world.StateAsync("later")).RuntimeStatus);
    }

    [Fact]
    public async Task Instances_send_each_other_events_and_unknown_receivers_do_not_matter()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Orchestrator("Sends", ctx =>
            {
                ctx.SendEvent("receiver", "Hello", new { From = ctx.InstanceId });
                ctx.SendEvent("nobody", "Hello", 1);
                return Task.CompletedTask;
            })
            .Orchestrator("Receives", async ctx => (await ctx.WaitForExternalEvent<Dictionary<string, string>>("hello"))!["from"]));
        await world.StartAsync("Receives", id: "receiver");
        await world.StartAsync("Sends", id: "sender");
        await world.RunAsync();

        Assert.Equal("sender", (await world.StateAsync("receiver")).ReadOutputAs<string>());
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await world.StateAsync("sender")).RuntimeStatus);
    }

    private static Task RaiseAsync(HubWorld world, string name, object payload) => world.Client.RaiseEventAsync("one", name, payload, HubWorld.Token);
}
