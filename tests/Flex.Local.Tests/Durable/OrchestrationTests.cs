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

    [Fact]
    public async Task A_timer_of_a_year_fires_to_the_second()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Sleep", async ctx =>
        {
            await ctx.CreateTimer(TimeSpan.FromDays(365), CancellationToken.None);
            return ctx.CurrentUtcDateTime;
        }));
        await world.StartAsync("Sleep", id: "one");

        await world.AdvanceAsync(Duration.FromDays(365) - Duration.FromSeconds(1));
        OrchestrationMetadata before = await world.StateAsync("one");
        await world.AdvanceAsync(Duration.FromSeconds(1));
        OrchestrationMetadata after = await world.StateAsync("one");

        Assert.Equal(OrchestrationRuntimeStatus.Running, before.RuntimeStatus);
        Assert.Equal("\"2026-01-01T00:00:00Z\"", after.SerializedOutput);
    }

    [Fact]
    public async Task An_instance_that_returns_stays_running_until_its_timer_fires()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Leaves", ctx =>
        {
            _ = ctx.CreateTimer(TimeSpan.FromHours(2), CancellationToken.None);
            return Task.FromResult("done");
        }));

        OrchestrationMetadata returned = await world.RunToIdleAsync("Leaves");
        await world.AdvanceAsync(Duration.FromHours(2));
        OrchestrationMetadata fired = await world.StateAsync("one");

        Assert.Equal(OrchestrationRuntimeStatus.Running, returned.RuntimeStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, fired.RuntimeStatus);
        Assert.Equal("\"done\"", fired.SerializedOutput);
    }

    [Fact]
    public async Task A_cancelled_timer_throws_where_it_is_awaited_and_does_not_hold_the_instance()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Cancels", async ctx =>
        {
            using var stop = new CancellationTokenSource();
            Task timer = ctx.CreateTimer(TimeSpan.FromHours(2), stop.Token);
            stop.Cancel();
            await Assert.ThrowsAsync<TaskCanceledException>(() => timer);
            return "cancelled";
        }));

        OrchestrationMetadata state = await world.RunToIdleAsync("Cancels");

        Assert.Equal("\"cancelled\"", state.SerializedOutput);
        Assert.Null(world.Hub.NextDue);
    }

    [Fact]
    public async Task A_failing_activity_is_retried_after_durable_waits_that_grow()
    {
        List<string> attempts = [];
        HubWorld world = null!;
        world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Activity<string, string>("Charge", key =>
            {
                attempts.Add($"{key} {world.Clock.Now}");
                return attempts.Count < 3 ? throw new TimeoutException("no answer") : "paid";
            })
            .Orchestrator("Retries", ctx => ctx.CallActivityAsync<string>("Charge", "k1", new TaskOptions(new RetryPolicy(4, TimeSpan.FromMinutes(1), 2)))));

        await world.StartAsync("Retries", id: "one");
        await world.AdvanceAsync(Duration.FromHours(1));

        Assert.Equal("\"paid\"", (await world.StateAsync("one")).SerializedOutput);
        Assert.Equal(["k1 2025-01-01T00:00:00Z", "k1 2025-01-01T00:01:00Z", "k1 2025-01-01T00:03:00Z"], attempts);
    }

    [Theory]
    [InlineData(3, null, null, "0 60 180")]
    [InlineData(5, 90, null, "0 60 150 240 330")]
    [InlineData(9, null, 170, "0 60 180")]
    public async Task Retries_end_with_the_attempts_or_the_time_of_the_policy(int attempts, int? maxInterval, int? timeout, string expected)
    {
        List<double> seconds = [];
        HubWorld world = null!;
        world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Activity<object?, string>("Fails", _ =>
            {
                seconds.Add((world.Clock.Now - HubWorld.Epoch).TotalSeconds);
                throw new TimeoutException("no answer");
            })
            .Orchestrator("Retries", ctx => ctx.CallActivityAsync<string>("Fails", null, new TaskOptions(new RetryPolicy(
                attempts,
                TimeSpan.FromMinutes(1),
                2,
                maxInterval is { } most ? TimeSpan.FromSeconds(most) : null,
                timeout is { } all ? TimeSpan.FromSeconds(all) : null)))));

        await world.StartAsync("Retries", id: "one");
        await world.AdvanceAsync(Duration.FromHours(1));

        Assert.Equal(expected, string.Join(' ', seconds));
        Assert.Equal(OrchestrationRuntimeStatus.Failed, (await world.StateAsync("one")).RuntimeStatus);
    }

    [Fact]
    public async Task The_orchestrator_sees_why_an_activity_failed()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Activity<object?, string>("Fails", _ => throw new InvalidDataException("bad", new TimeoutException("slow")))
            .Orchestrator("Catches", async ctx =>
            {
                TaskFailedException failed = await Assert.ThrowsAsync<TaskFailedException>(() => ctx.CallActivityAsync<string>("Fails"));
                TaskFailureDetails details = failed.FailureDetails;
                return $"{failed.TaskName}#{failed.TaskId} {details.ErrorType} {details.ErrorMessage} < {details.InnerFailure!.ErrorType}";
            }));

        OrchestrationMetadata state = await world.RunToIdleAsync("Catches");

        Assert.Equal("Fails#0 System.IO.InvalidDataException bad < System.TimeoutException", state.ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_failed_instance_gives_type_and_message_as_plain_output()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Orchestrator("Throws", _ => throw new InvalidDataException("bad"))
            .Orchestrator("Calls", ctx => ctx.CallActivityAsync("Nowhere")));

        OrchestrationMetadata thrown = await world.RunToIdleAsync("Throws", id: "a");
        OrchestrationMetadata nowhere = await world.RunToIdleAsync("Calls", id: "b");
        OrchestrationMetadata unknown = await world.RunToIdleAsync("Nobody", id: "c");

        Assert.All([thrown, nowhere, unknown], s => Assert.Equal(OrchestrationRuntimeStatus.Failed, s.RuntimeStatus));
        Assert.All([thrown, nowhere, unknown], s => Assert.Null(s.FailureDetails));
        Assert.Equal("System.IO.InvalidDataException: bad", thrown.SerializedOutput);
        Assert.Contains("There is no activity function 'Nowhere'.", nowhere.SerializedOutput, StringComparison.Ordinal);
        Assert.Equal("System.InvalidOperationException: There is no orchestrator function 'Nobody'.", unknown.SerializedOutput);
    }

    [Fact]
    public async Task Guids_differ_from_each_other_and_are_the_same_in_every_replay()
    {
        List<Guid> seen = [];
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Activity<object?, int>("Nothing", _ => 0)
            .Orchestrator("Guids", async ctx =>
            {
                seen.Add(ctx.NewGuid());
                seen.Add(ctx.NewGuid());
                await ctx.CallActivityAsync<int>("Nothing");
            }));

        await world.RunToIdleAsync("Guids");

        Assert.Equal(4, seen.Count);
        Assert.Equal(seen[..2], seen[2..]);
        Assert.NotEqual(seen[0], seen[1]);
        Assert.Equal('5', seen[0].ToString()[14]);
    }

    [Fact]
    public async Task The_custom_status_is_visible_while_the_instance_waits_and_after_it_ended()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Tells", async ctx =>
        {
            ctx.SetCustomStatus(new { Phase = "waiting" });
            await ctx.WaitForExternalEvent<string>("go");
        }));

        OrchestrationMetadata waiting = await world.RunToIdleAsync("Tells");
        await world.Client.RaiseEventAsync("one", "go", null, HubWorld.Token);
        await world.RunAsync();

        Assert.Equal("""{"phase":"waiting"}""", waiting.SerializedCustomStatus);
        Assert.Equal("""{"phase":"waiting"}""", (await world.StateAsync("one")).SerializedCustomStatus);
    }

    [Fact]
    public async Task A_replay_safe_logger_says_everything_once()
    {
        var log = new ListLogger();
        HubWorld world = await HubWorld.OpenAsync(
            new DelegateTaskInvoker()
                .Activity<int, int>("Same", x => x)
                .Orchestrator("Logs", async ctx =>
                {
                    Microsoft.Extensions.Logging.ILogger safe = ctx.CreateReplaySafeLogger("orchestrator");
                    for (int i = 0; i < 3; i++)
                    {
                        Microsoft.Extensions.Logging.LoggerExtensions.LogInformation(safe, "round {Round}", i);
                        await ctx.CallActivityAsync<int>("Same", i);
                    }
                }),
            loggers: log);

        await world.RunToIdleAsync("Logs");

        Assert.Equal(["round 0", "round 1", "round 2"], log.Lines);
    }

    [Fact]
    public async Task A_payload_larger_than_a_table_row_survives_a_restart()
    {
        string large = new('"', 700_000);
        DelegateTaskInvoker functions = new DelegateTaskInvoker()
            .Activity<string, string>("Echo", x => x)
            .Orchestrator("Large", async ctx =>
            {
                string echo = await ctx.CallActivityAsync<string>("Echo", ctx.GetInput<string>());
                await ctx.WaitForExternalEvent<string>("go");
                return echo;
            });
        HubWorld world = await HubWorld.OpenAsync(functions);
        await world.RunToIdleAsync("Large", large);

        HubWorld next = await world.ReopenAsync();
        await next.Client.RaiseEventAsync("one", "go", null, HubWorld.Token);
        await next.RunAsync();

        Assert.Equal(large, (await next.StateAsync("one")).ReadOutputAs<string>());
        Assert.Equal(1, (await next.Client.PurgeInstanceAsync("one", cancellation: HubWorld.Token)).PurgedInstanceCount);
        Assert.All(Flex.Local.Runtime.Durable.LocalTaskHub.Tables, t => Assert.Empty(next.Tables.Snapshot(t, "one")));
    }

    [Fact]
    public async Task Storage_holds_nothing_of_an_ended_instance_but_its_summary()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Activity<int, int>("Same", x => x)
            .Orchestrator("Fan", ctx => Task.WhenAll(Enumerable.Range(1, 120).Select(i => ctx.CallActivityAsync<int>("Same", i)))));

        await world.RunToIdleAsync("Fan");

        Assert.Empty(world.Tables.Snapshot("hubinstances", "one"));
        Assert.Single(world.Tables.Snapshot("hubfinished", "one"));
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
