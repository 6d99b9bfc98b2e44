using Flex.Local.Runtime.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Durable;

public sealed class DeterminismTests
{
    private static readonly DelegateTaskInvoker Activities = new DelegateTaskInvoker().Activity<int, int>("Same", x => x).Activity<int, int>("Other", x => x);

    [Fact]
    public async Task A_replay_that_asks_for_another_activity_fails_and_names_both()
    {
        string name = "Same";
        HubWorld world = await HubWorld.OpenAsync(Activities.Orchestrator("Changes", async ctx =>
        {
            await ctx.CallActivityAsync<int>(name, 1);
            await ctx.WaitForExternalEvent<string>("go");
        }));
        await world.RunToIdleAsync("Changes");

        name = "Other";
        await world.Client.RaiseEventAsync("one", "go", null, HubWorld.Token);
        await world.RunAsync();

        OrchestrationMetadata state = await world.StateAsync("one");
        Assert.Equal(OrchestrationRuntimeStatus.Failed, state.RuntimeStatus);
        Assert.Contains("expected activity #0 'Same', but it asked for activity #0 'Other'", state.SerializedOutput, StringComparison.Ordinal);
        Assert.StartsWith(typeof(NonDeterministicOrchestrationException).FullName!, state.SerializedOutput, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, "expected activity #0 'Same', but it asked for nothing")]
    [InlineData(false, true, "expected nothing, but it asked for activity #0 'Same'")]
    public async Task A_replay_that_asks_for_less_or_more_fails(bool before, bool after, string expected)
    {
        bool asks = before;
        HubWorld world = await HubWorld.OpenAsync(Activities.Orchestrator("Changes", async ctx =>
        {
            if (asks)
            {
                _ = ctx.CallActivityAsync<int>("Same", 1);
            }

            await ctx.WaitForExternalEvent<string>("go");
            await ctx.WaitForExternalEvent<string>("go");
        }));
        await world.RunToIdleAsync("Changes");
        asks = after;
        await world.Client.RaiseEventAsync("one", "go", null, HubWorld.Token);
        await world.RunAsync();

        Assert.Contains(expected, (await world.StateAsync("one")).SerializedOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Awaiting_a_task_that_is_not_durable_fails_the_instance()
    {
        var never = new TaskCompletionSource();
        HubWorld world = await HubWorld.OpenAsync(Activities.Orchestrator("Waits", _ => never.Task));

        OrchestrationMetadata state = await world.RunToIdleAsync("Waits");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, state.RuntimeStatus);
        Assert.Contains("An invalid asynchronous invocation was detected", state.SerializedOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Going_on_outside_the_turn_by_ConfigureAwait_false_fails_the_instance()
    {
        HubWorld world = await HubWorld.OpenAsync(Activities.Orchestrator("Escapes", async ctx =>
        {
            await ctx.CallActivityAsync<int>("Same", 1).ConfigureAwait(false);
            try
            {
                await ctx.CallActivityAsync<int>("Same", 2).ConfigureAwait(false);
            }
            catch (InvalidOperationException)
            {
                // Hiding it does not help.
            }
        }));

        OrchestrationMetadata state = await world.RunToIdleAsync("Escapes");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, state.RuntimeStatus);
        Assert.Contains("ConfigureAwait(false)", state.SerializedOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_from_another_thread_is_refused()
    {
        HubWorld world = await HubWorld.OpenAsync(Activities.Orchestrator("Threads", ctx =>
        {
            var thread = new Thread(() => Assert.Throws<InvalidOperationException>(() => { _ = ctx.CallActivityAsync<int>("Same", 1); }));
            thread.Start();
            thread.Join();
            return ctx.CallActivityAsync<int>("Same", 1);
        }));

        OrchestrationMetadata state = await world.RunToIdleAsync("Threads");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, state.RuntimeStatus);
    }

    [Fact]
    public async Task Code_goes_on_in_the_order_of_the_events()
    {
        List<int> order = [];
        HubWorld world = await HubWorld.OpenAsync(Activities.Orchestrator("Orders", ctx => Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            await ctx.CallActivityAsync<int>("Same", i);
            await Task.Yield();
            if (!ctx.IsReplaying)
            {
                order.Add(i);
            }
        }))));

        await world.RunToIdleAsync("Orders");

        Assert.Equal(Enumerable.Range(0, 20), order);
    }

    [Fact]
    public async Task A_recorded_history_replays_to_the_same_transcript_again_and_again()
    {
        DelegateTaskInvoker functions = Activities.Orchestrator("Rounds", async ctx =>
        {
            int round = ctx.GetInput<int>();
            using var stop = new CancellationTokenSource();
            Task timer = ctx.CreateTimer(TimeSpan.FromHours(1), stop.Token);
            Task<string?> go = ctx.WaitForExternalEvent<string>("go");
            if (await Task.WhenAny(timer, go) == go)
            {
                stop.Cancel();
            }

            await ctx.CallActivityAsync<int>("Same", ctx.NewGuid().GetHashCode());
            if (round < 2)
            {
                ctx.ContinueAsNew(round + 1);
            }
        });
        HubWorld world = await HubWorld.OpenAsync(functions);
        await world.StartAsync("Rounds", 0, "one");
        await world.AdvanceAsync(Duration.FromMinutes(90));
        await world.Client.RaiseEventAsync("one", "go", "x", HubWorld.Token);
        await world.AdvanceAsync(Duration.FromHours(3));

        IReadOnlyList<RecordedExecution> executions = world.Recorder.Executions;

        Assert.Equal([0, 1, 2], executions.Select(e => e.Generation));
        Assert.All(executions, e => Assert.Equal(e.Transcript(), HistoryReplayer.Replay(functions, e)));
        Assert.All(executions, e => Assert.Equal(HistoryReplayer.Replay(functions, e), HistoryReplayer.Replay(functions, e)));
        Assert.Contains(executions[1].Transcript(), line => line.Contains("EventRaised", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_replayer_shows_code_that_is_not_deterministic()
    {
        int calls = 0;
        DelegateTaskInvoker functions = Activities.Orchestrator("Counts", ctx => ctx.CallActivityAsync<int>("Same", calls++));
        HubWorld world = await HubWorld.OpenAsync(functions);
        await world.RunToIdleAsync("Counts");

        RecordedExecution recorded = Assert.Single(world.Recorder.Executions);

        Assert.NotEqual(recorded.Transcript(), HistoryReplayer.Replay(functions, recorded));
    }
}
