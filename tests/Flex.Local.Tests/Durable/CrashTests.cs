using Flex.Kernel;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Tables;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Durable;

/// <summary>
/// A workflow with everything in it is killed at each commit in turn, before and after the commit takes effect, and gone on
/// with by a new hub on the same tables. Every time it must end as if nothing had happened.
/// </summary>
public sealed class CrashTests
{
    private const string Expected =
        """main Completed "1:paid:child 1 and note 1;2:paid:child 2 and note 2;3:timeout" | listener Completed ["from main 1","from main 2"]""";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_process_that_dies_at_any_commit_goes_on_where_it_stopped(bool afterCommit)
    {
        (string undisturbed, int commits, _) = await PlayAsync(null, afterCommit);
        Assert.Equal(Expected, undisturbed);
        Assert.InRange(commits, 30, 200);

        for (int crashAt = 1; crashAt <= commits; crashAt++)
        {
            (string state, _, int restarts) = await PlayAsync(n => n == crashAt, afterCommit);

            Assert.True(state == Expected, $"Crash at commit {crashAt}: {state}");
            Assert.Equal(1, restarts);
        }
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(3, true)]
    [InlineData(7, false)]
    [InlineData(7, true)]
    public async Task A_process_that_dies_again_and_again_still_ends_the_same(int everyCommits, bool afterCommit)
    {
        (string state, _, int restarts) = await PlayAsync(n => n % everyCommits == 0, afterCommit);

        Assert.Equal(Expected, state);
        Assert.InRange(restarts, 3, 200);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Storage_that_fails_is_tried_again_without_a_restart(bool answerLost)
    {
        (_, int commits, _) = await PlayAsync(null, answerLost);
        for (int failAt = 1; failAt <= commits; failAt++)
        {
            int count = 0;
            var tables = new MemoryTableStore();
            Func<TableBatch, Task> fail = _ => ++count == failAt ? throw new TransientFaultException("Storage is out of reach.") : Task.CompletedTask;
            tables.BeforeCommit = answerLost ? null : fail;
            tables.AfterCommit = answerLost ? fail : null;
            var script = new Script();
            HubWorld world = await HubWorld.OpenAsync(Functions(), tables);
            while (!script.Done)
            {
                await TryAsync(() => script.StepAsync(world));
            }

            string state = await FinalAsync(world);
            Assert.True(state == Expected, $"Fault at commit {failAt}: {state}");
        }
    }

    [Fact]
    public async Task What_is_left_of_a_write_in_pieces_is_removed()
    {
        DelegateTaskInvoker functions = new DelegateTaskInvoker().Orchestrator("Large", async ctx =>
        {
            await ctx.WaitForExternalEvent<string>("go");
            return ctx.GetInput<string>()!.Length;
        });
        string large = new('x', 900_000);
        for (int crashAt = 1; crashAt <= 12; crashAt++)
        {
            int count = 0;
            var tables = new MemoryTableStore();
            tables.BeforeCommit = _ => ++count == crashAt ? throw new CrashException() : Task.CompletedTask;
            HubWorld world = await HubWorld.OpenAsync(functions, tables);
            bool started = await TryAsync(() => world.StartAsync("Large", large, "one"));

            world = await world.ReopenAsync();
            if (!started)
            {
                await world.StartAsync("Large", large, "one");
            }

            await TryAsync(() => world.Client.RaiseEventAsync("one", "go", large, HubWorld.Token));
            await world.RunAsync();
            world = await world.ReopenAsync();
            await world.RunAsync();

            OrchestrationMetadata state = await world.StateAsync("one");
            if (state.RuntimeStatus == OrchestrationRuntimeStatus.Running)
            {
                await world.Client.RaiseEventAsync("one", "go", null, HubWorld.Token);
                await world.RunAsync();
                state = await world.StateAsync("one");
            }

            Assert.Equal("900000", state.SerializedOutput);
            Assert.Empty(tables.Snapshot("hubinstances", "one"));
        }
    }

    [Fact]
    public async Task Finished_instances_are_not_loaded_at_the_start()
    {
        DelegateTaskInvoker functions = Functions();
        HubWorld world = await HubWorld.OpenAsync(functions);
        for (int i = 0; i < 50; i++)
        {
            await world.RunToIdleAsync("Child", i, "ended-" + i);
        }

        await world.AdvanceAsync(Duration.FromMinutes(5));

        await world.StartAsync("Listener", Array.Empty<string>(), "listener");
        await world.RunAsync();

        HubWorld next = await world.ReopenAsync();

        Assert.Equal(1, next.Hub.UnfinishedInstances);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await next.StateAsync("ended-49")).RuntimeStatus);
    }

    private static async Task<(string State, int Commits, int Restarts)> PlayAsync(Func<int, bool>? crash, bool afterCommit)
    {
        var tables = new MemoryTableStore();
        bool dead = false;
        int commits = 0;
        tables.BeforeCommit = _ => dead || (++commits > 0 && !afterCommit && (dead = crash?.Invoke(commits) == true)) ? throw new CrashException() : Task.CompletedTask;
        tables.AfterCommit = _ => afterCommit && (dead = crash?.Invoke(commits) == true) ? throw new CrashException() : Task.CompletedTask;
        var script = new Script();
        HubWorld world = await HubWorld.OpenAsync(Functions(), tables);
        int restarts = 0;
        while (!script.Done || world.Hub.UnfinishedInstances > 0)
        {
            await TryAsync(() => script.StepAsync(world));
            if (!dead)
            {
                continue;
            }

            while (dead)
            {
                Assert.InRange(++restarts, 1, 500);
                dead = false;
                await TryAsync(async () => world = await world.ReopenAsync());
            }

            await TryAsync(world.RunAsync);
        }

        return (await FinalAsync(world), commits, restarts);
    }

    /// <summary>False when storage or the process failed a client's call. What fails work is the hub's own business.</summary>
    private static async Task<bool> TryAsync(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (CrashException)
        {
            return false;
        }
        catch (TransientFaultException)
        {
            return false;
        }
    }

    private static async Task<string> FinalAsync(HubWorld world)
    {
        OrchestrationMetadata main = await world.StateAsync("main");
        OrchestrationMetadata listener = await world.StateAsync("listener");
        Assert.Equal(0, world.Hub.UnfinishedInstances);
        return $"main {main.RuntimeStatus} {main.SerializedOutput} | listener {listener.RuntimeStatus} {listener.SerializedOutput}";
    }

    private static DelegateTaskInvoker Functions()
    {
        int attempts = 0;
        return new DelegateTaskInvoker()
            .Activity<int, string>("Pay", _ => ++attempts % 2 == 1 ? throw new TimeoutException("no answer") : "paid")
            .Activity<int, string>("Note", round => $"note {round}")
            .Orchestrator("Child", async ctx =>
            {
                await ctx.CreateTimer(TimeSpan.FromMinutes(5), CancellationToken.None);
                return $"child {ctx.GetInput<int>()}";
            })
            .Orchestrator("Listener", async ctx =>
            {
                List<string> heard = ctx.GetInput<List<string>>()!;
                heard.Add((await ctx.WaitForExternalEvent<string>("said"))!);
                if (heard.Count < 2)
                {
                    ctx.ContinueAsNew(heard);
                    return [];
                }

                return heard;
            })
            .Orchestrator("Main", RoundAsync);
    }

    private static async Task<string> RoundAsync(TaskOrchestrationContext ctx)
    {
        (int round, string done) = ctx.GetInput<Progress>()!;
        using var stop = new CancellationTokenSource();
        Task timer = ctx.CreateTimer(TimeSpan.FromHours(2), stop.Token);
        Task<string?> go = ctx.WaitForExternalEvent<string>("go");
        if (await Task.WhenAny(timer, go) == timer)
        {
            return $"{done}{round}:timeout";
        }

        stop.Cancel();
        string paid = await ctx.CallActivityAsync<string>("Pay", round, new TaskOptions(new RetryPolicy(9, TimeSpan.FromMinutes(1))));
        Task<string> child = ctx.CallSubOrchestratorAsync<string>("Child", round, new SubOrchestrationOptions(instanceId: "child"));
        Task<string> note = ctx.CallActivityAsync<string>("Note", round);
        string[] both = await Task.WhenAll(child, note);
        ctx.SendEvent("listener", "said", $"from main {round}");
        ctx.ContinueAsNew(new Progress(round + 1, $"{done}{round}:{paid}:{both[0]} and {both[1]};"));
        return string.Empty;
    }

    private sealed record Progress(int Round, string Done);

    private sealed class CrashException : Exception;

    /// <summary>What clients do. A step that died is taken again, like a client that got no answer; starts are once ever, events have no such guard.</summary>
    private sealed class Script
    {
        private int _step;
        private bool _raised;

        public bool Done => _step >= 6;

        public async Task StepAsync(HubWorld world)
        {
            switch (_step)
            {
                case 0:
                    await StartOnceAsync(world, "Listener", Array.Empty<string>(), "listener");
                    break;
                case 1:
                    await StartOnceAsync(world, "Main", new Progress(1, string.Empty), "main");
                    break;
                case 2 or 4:
                    if (!_raised)
                    {
                        // Counted as raised in any case: whether a call that died has raised it shows in the tables.
                        await RaiseOnceAsync(world, _step / 2);
                        _raised = true;
                    }

                    await world.RunAsync();
                    break;
                default:
                    _raised = false;
                    // To fixed instants: a step that died and is taken again must not make more time pass.
                    Instant target = HubWorld.Epoch + (_step == 3 ? Duration.FromMinutes(30) : Duration.FromHours(_step));
                    await world.Scheduler.AdvanceToAsync(Instant.Max(target, world.Clock.Now), HubWorld.Token);
                    break;
            }

            _step++;
        }

        private static async Task StartOnceAsync(HubWorld world, string name, object input, string id)
        {
            if (await world.Client.GetInstanceAsync(id, cancellation: HubWorld.Token) is null)
            {
                await world.StartAsync(name, input, id);
            }
        }

        private static async Task RaiseOnceAsync(HubWorld world, int round)
        {
            bool there = world.Tables.Snapshot("hubinstances", "main").Any(r => r.Data.Contains($"event {round}", StringComparison.Ordinal));
            if (!there)
            {
                await world.Client.RaiseEventAsync("main", "go", $"event {round}", HubWorld.Token);
            }
        }
    }
}
