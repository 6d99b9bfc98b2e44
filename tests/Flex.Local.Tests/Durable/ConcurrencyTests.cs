using Flex.Kernel;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Storage;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Durable;

public sealed class ConcurrencyTests
{
    private const int Instances = 20;
    private const int Events = 25;

    [Fact]
    public async Task On_real_time_many_instances_progress_at_once_but_never_two_turns_of_one()
    {
        int[] inside = new int[Instances];
        int overlaps = 0;
        DelegateTaskInvoker functions = new DelegateTaskInvoker()
            .Activity<int, int>("Same", async (x, _) =>
            {
                await Task.Yield();
                return x;
            })
            .Orchestrator("Collects", ctx => CollectAsync(ctx, inside, () => Interlocked.Increment(ref overlaps)));
        var tables = new MemoryTableStore();
        await using var scheduler = new Scheduler(TimeProvider.System, new SchedulerOptions(), NullLogger<Scheduler>.Instance);
        var hub = new LocalTaskHub(tables, tables, TimeProvider.System, TimeOrderedIds.Random(TimeProvider.System), scheduler, NullLoggerFactory.Instance);
        hub.Call(functions);
        await hub.LoadAsync(HubWorld.Token);
        scheduler.Add(hub);
        scheduler.Start();

        await Parallel.ForEachAsync(Enumerable.Range(0, Instances), HubWorld.Token, async (i, cancellation) =>
        {
            await hub.Client.ScheduleNewOrchestrationInstanceAsync(new TaskName("Collects"), i, new StartOrchestrationOptions($"i-{i}"), cancellation);
            for (int n = 0; n < Events; n++)
            {
                await hub.Client.RaiseEventAsync($"i-{i}", "item", n, cancellation);
            }
        });
        OrchestrationMetadata[] ended = await Task.WhenAll(Enumerable.Range(0, Instances)
            .Select(i => hub.Client.WaitForInstanceCompletionAsync($"i-{i}", getInputsAndOutputs: true, HubWorld.Token)));

        Assert.Equal(0, overlaps);
        Assert.All(ended, e => Assert.Equal(string.Join(',', Enumerable.Range(0, Events)), e.ReadOutputAs<string>()));
        Assert.Equal(0, hub.UnfinishedInstances);
    }

    [Fact]
    public async Task Of_clients_that_race_to_start_one_id_one_wins()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Waits", ctx => ctx.WaitForExternalEvent<string>("go")));

        bool[] won = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(async () =>
        {
            try
            {
                await world.StartAsync("Waits", null, "one");
                return true;
            }
            catch (DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException)
            {
                return false;
            }
        })));

        Assert.Single(won, w => w);
    }

    [Fact]
    public async Task On_simulated_time_the_same_inputs_give_the_same_history()
    {
        Assert.Equal(await PlayAsync(), await PlayAsync());

        static async Task<IReadOnlyList<string>> PlayAsync()
        {
            HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
                .Activity<int, int>("Same", x => x)
                .Orchestrator("Mixed", async ctx =>
                {
                    int i = ctx.GetInput<int>();
                    await Task.WhenAll(
                        ctx.CallActivityAsync<int>("Same", i),
                        ctx.CreateTimer(TimeSpan.FromMinutes(i % 3), CancellationToken.None),
                        ctx.CallActivityAsync<int>("Same", ctx.NewGuid().GetHashCode()));
                    ctx.SendEvent($"i-{(i + 1) % 20}", "hello", i);
                    await ctx.WaitForExternalEvent<int>("hello");
                }));
            for (int i = 0; i < 20; i++)
            {
                await world.StartAsync("Mixed", i, $"i-{i}");
            }

            await world.AdvanceAsync(Duration.FromHours(1));
            return [.. world.Recorder.Executions.SelectMany(e => e.Transcript().Prepend(e.InstanceId + " " + e.Start.Execution))];
        }
    }

    private static async Task<string> CollectAsync(TaskOrchestrationContext ctx, int[] inside, Action overlap)
    {
        int i = ctx.GetInput<int>();
        List<int> items = [];
        while (items.Count < Events)
        {
            // Between its waits the code runs on one thread only, so only another turn can have raised the counter.
            if (Interlocked.Increment(ref inside[i]) != 1)
            {
                overlap();
            }

            Thread.SpinWait(2_000);
            Interlocked.Decrement(ref inside[i]);
            int item = await ctx.WaitForExternalEvent<int>("item");
            items.Add(await ctx.CallActivityAsync<int>("Same", item));
        }

        return string.Join(',', items);
    }
}
