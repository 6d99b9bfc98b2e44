using Flex.Local.Runtime.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Durable;

public sealed class OrchestrationTests
{
    [Fact]
    public async Task An_orchestration_calls_activities_one_after_the_other_and_returns_its_result()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Activity<int, int>("Double", x => x * 2)
            .Orchestrator("Twice", async ctx => await ctx.CallActivityAsync<int>("Double", await ctx.CallActivityAsync<int>("Double", ctx.GetInput<int>()))));

        OrchestrationMetadata state = await world.RunToIdleAsync("Twice", 5);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, state.RuntimeStatus);
        Assert.Equal("20", state.SerializedOutput);
        Assert.Equal("5", state.SerializedInput);
        Assert.Equal(0, world.Hub.UnfinishedInstances);
    }

    [Fact]
    public async Task A_hundred_activities_of_one_turn_all_run_and_join()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Activity<int, int>("Same", x => x)
            .Orchestrator("Fan", async ctx => (await Task.WhenAll(Enumerable.Range(1, 150).Select(i => ctx.CallActivityAsync<int>("Same", i)))).Sum()));

        OrchestrationMetadata state = await world.RunToIdleAsync("Fan");

        Assert.Equal("11325", state.SerializedOutput);
    }

    [Fact]
    public async Task A_timer_fires_at_its_time_and_an_event_that_comes_first_wins()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Race", Race));
        await world.StartAsync("Race", id: "late");
        await world.StartAsync("Race", id: "early");
        await world.AdvanceAsync(Duration.FromDays(3));

        await world.Client.RaiseEventAsync("early", "DECISION", "yes", HubWorld.Token);
        await world.RunAsync();
        OrchestrationMetadata early = await world.StateAsync("early");
        OrchestrationMetadata waiting = await world.StateAsync("late");
        await world.AdvanceAsync(Duration.FromDays(5));
        OrchestrationMetadata late = await world.StateAsync("late");

        Assert.Equal("\"yes\"", early.SerializedOutput);
        Assert.Equal(OrchestrationRuntimeStatus.Running, waiting.RuntimeStatus);
        Assert.Equal("\"timeout at 2025-01-08T00:00:00\"", late.SerializedOutput);
    }

    private static async Task<string> Race(TaskOrchestrationContext ctx)
    {
        using var stopTimer = new CancellationTokenSource();
        using var stopWait = new CancellationTokenSource();
        Task timer = ctx.CreateTimer(TimeSpan.FromDays(7), stopTimer.Token);
        Task<string?> decision = ctx.WaitForExternalEvent<string>("Decision", stopWait.Token);
        if (await Task.WhenAny(timer, decision) == decision)
        {
            stopTimer.Cancel();
            return (await decision)!;
        }

        stopWait.Cancel();
        return $"timeout at {ctx.CurrentUtcDateTime:s}";
    }
}
