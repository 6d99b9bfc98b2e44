using Azure.Messaging.ServiceBus;
using Flex.Kernel;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Storage;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Queueing;

public sealed class LocalQueuesTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 1, 0, 0);

    private readonly MemoryTableStore _tables = new();
    private readonly SimulatedClock _clock = new(Start);
    private readonly FakeReceiver _receiver = new();

    [Fact]
    public async Task A_message_is_delivered_at_its_time_and_then_gone()
    {
        (LocalQueues queues, Scheduler scheduler) = await StartAsync();
        await PublishAsync(queues, "late", Duration.FromHours(1));
        await PublishAsync(queues, "now");

        await scheduler.AdvanceToAsync(Start + Duration.FromHours(2), Cancel);

        Assert.Equal(["now@00:00#1", "late@01:00#1"], _receiver.Log());
        Assert.Equal(new QueueStatus(Queues.Billing, 0, 0, 0, 0), StatusOf(queues));
        Assert.Empty(await RowsAsync());
    }

    [Fact]
    public async Task What_was_accepted_survives_the_process_and_keeps_its_time_and_count()
    {
        (LocalQueues first, Scheduler before) = await StartAsync();
        _receiver.Fail = _ => true;
        await PublishAsync(first, "failing");
        await PublishAsync(first, "late", Duration.FromHours(1));
        await before.RunUntilIdleAsync(Cancel);

        (LocalQueues _, Scheduler after) = await StartAsync();
        _receiver.Fail = _ => false;
        await after.AdvanceToAsync(Start + Duration.FromHours(1), Cancel);

        Assert.Equal(["failing@00:00#1", "failing@00:00#2", "late@01:00#1"], _receiver.Log());
    }

    [Fact]
    public async Task A_failed_delivery_is_repeated_after_growing_pauses_and_given_up_by_the_broker()
    {
        (LocalQueues queues, Scheduler scheduler) = await StartAsync();
        _receiver.Fail = _ => true;
        await PublishAsync(queues, "poison");

        await scheduler.AdvanceToAsync(Start + Duration.FromHours(5), Cancel);

        Assert.Equal(Queues.MaxDeliveryCount, _receiver.Received.Count);
        Assert.Equal(
            [10, 20, 40, 80, 160, 320, .. Enumerable.Repeat(600, Queues.MaxDeliveryCount - 7)],
            _receiver.Received.Zip(_receiver.Received.Skip(1), (a, b) => (int)(b.At - a.At).TotalSeconds));
        DeadLetter dead = Assert.Single(await queues.ListAsync(Queues.Billing, Cancel));
        Assert.Equal("poison", dead.Id);
        Assert.Equal(LocalQueues.OverDelivered, dead.Reason);
        Assert.Equal(Queues.MaxDeliveryCount, dead.DeliveryCount);
        Assert.Equal(1, StatusOf(queues).DeadLettered);
    }

    [Fact]
    public async Task A_dead_letter_survives_the_process_and_can_be_replayed_once()
    {
        (LocalQueues first, Scheduler before) = await StartAsync();
        _receiver.Fail = _ => true;
        await PublishAsync(first, "poison");
        await before.AdvanceToAsync(Start + Duration.FromHours(5), Cancel);
        _receiver.Fail = _ => false;
        _receiver.Received.Clear();

        (LocalQueues second, Scheduler after) = await StartAsync();
        bool replayed = await second.ReplayAsync(Queues.Billing, "poison", Cancel);
        bool again = await second.ReplayAsync(Queues.Billing, "poison", Cancel);
        await after.RunUntilIdleAsync(Cancel);

        Assert.True(replayed);
        Assert.False(again);
        Assert.Equal(["poison@05:00#1"], _receiver.Log());
        Assert.Empty(await second.ListAsync(null, Cancel));
        Assert.Empty(await RowsAsync());
    }

    [Fact]
    public async Task A_message_that_kills_the_process_each_time_is_given_up_too()
    {
        (LocalQueues publisher, Scheduler _) = await StartAsync();
        await PublishAsync(publisher, "killer");
        foreach (int _ in Enumerable.Range(0, Queues.MaxDeliveryCount))
        {
            (LocalQueues _, Scheduler scheduler) = await StartAsync();
            _receiver.Crash = true;
            await Assert.ThrowsAsync<Runtime.Testing.SimulatedCrashException>(() => scheduler.RunUntilIdleAsync(Cancel));
        }

        _receiver.Crash = false;
        (LocalQueues last, Scheduler lastScheduler) = await StartAsync();
        await lastScheduler.RunUntilIdleAsync(Cancel);

        Assert.Equal(LocalQueues.OverDelivered, Assert.Single(await last.ListAsync(null, Cancel)).Reason);
        Assert.Equal(Queues.MaxDeliveryCount, _receiver.Received.Count);
    }

    [Fact]
    public async Task The_same_id_within_the_window_is_dropped_and_after_it_delivered()
    {
        (LocalQueues queues, Scheduler scheduler) = await StartAsync();
        await PublishAsync(queues, "twice");
        await PublishAsync(queues, "twice");
        await scheduler.AdvanceToAsync(Start + Duration.FromMinutes(9), Cancel);
        await PublishAsync(queues, "twice");
        await scheduler.AdvanceToAsync(Start + Duration.FromMinutes(10), Cancel);
        await PublishAsync(queues, "twice");
        await scheduler.RunUntilIdleAsync(Cancel);

        Assert.Equal(["twice@00:00#1", "twice@00:10#1"], _receiver.Log());
    }

    [Fact]
    public async Task A_publish_that_storage_refused_may_be_repeated_under_its_id()
    {
        (LocalQueues queues, Scheduler scheduler) = await StartAsync();
        _tables.BeforeCommit = _ => throw new TransientFaultException("down");
        await Assert.ThrowsAsync<TransientFaultException>(() => PublishAsync(queues, "again"));
        _tables.BeforeCommit = null;

        await PublishAsync(queues, "again");
        await scheduler.RunUntilIdleAsync(Cancel);

        Assert.Equal(["again@00:00#1"], _receiver.Log());
    }

    [Fact]
    public async Task A_delivery_that_cannot_be_recorded_is_repeated_later()
    {
        (LocalQueues queues, Scheduler scheduler) = await StartAsync();
        await PublishAsync(queues, "m");
        int commits = 0;
        _tables.BeforeCommit = _ => ++commits == 2 ? throw new TransientFaultException("down") : Task.CompletedTask;

        await scheduler.AdvanceToAsync(Start + Duration.FromMinutes(5), Cancel);

        Assert.Equal(["m@00:00#1", "m@00:00#2"], _receiver.Log());
        Assert.Empty(await RowsAsync());
    }

    [Fact]
    public async Task A_delivery_that_takes_too_long_loses_its_message_to_the_next_one()
    {
        (LocalQueues queues, Scheduler _) = await StartAsync();
        await PublishAsync(queues, "slow");
        var release = new TaskCompletionSource();
        _receiver.Wait = release.Task;
        Task slow = queues.Take(_clock.Now)!.Run(Cancel);
        _clock.MoveTo(Start + Duration.FromMinutes(5));

        _receiver.Wait = Task.CompletedTask;
        WorkItem? second = queues.Take(_clock.Now);
        _receiver.Fail = _ => true;
        await second!.Run(Cancel);
        _receiver.Fail = _ => false;
        var lost = new List<Exception?>();
        _receiver.Settle = async (message, actions) => lost.Add(await Record.ExceptionAsync(() => actions.CompleteMessageAsync(message, Cancel)));
        release.SetResult();
        await slow;

        Assert.IsType<LockLostException>(Assert.Single(lost));
        Assert.Equal(1, StatusOf(queues).Scheduled);
        Assert.Equal([1, 2], _receiver.Received.Select(r => r.Count));
    }

    [Fact]
    public async Task What_is_neither_settled_nor_thrown_stays_locked_and_comes_again()
    {
        (LocalQueues queues, Scheduler scheduler) = await StartAsync();
        _receiver.Settle = (_, _) => Task.CompletedTask;
        await PublishAsync(queues, "forgotten");
        await scheduler.AdvanceToAsync(Start + Duration.FromMinutes(4), Cancel);
        QueueStatus locked = StatusOf(queues);
        await scheduler.AdvanceToAsync(Start + Duration.FromHours(3), Cancel);

        Assert.Equal(new QueueStatus(Queues.Billing, 0, 0, 1, 0), locked);
        Assert.Equal(["forgotten@00:00#1", "forgotten@00:05#2", "forgotten@00:10#3"], _receiver.Log().Take(3));
        Assert.Equal(Queues.MaxDeliveryCount, _receiver.Received.Count);
        Assert.Equal(LocalQueues.OverDelivered, Assert.Single(await queues.ListAsync(null, Cancel)).Reason);
    }

    [Fact]
    public async Task The_consumer_may_dead_letter_at_once_with_a_reason_of_its_own()
    {
        (LocalQueues queues, Scheduler scheduler) = await StartAsync();
        _receiver.Settle = (message, actions) => actions.DeadLetterMessageAsync(message, null, "no_envelope", "The message is not an envelope.");
        await PublishAsync(queues, "odd");
        await scheduler.AdvanceToAsync(Start + Duration.FromHours(1), Cancel);

        DeadLetter dead = Assert.Single(await queues.ListAsync(Queues.Billing, Cancel));
        Assert.Equal(("odd", "no_envelope: The message is not an envelope.", 1), (dead.Id, dead.Reason, dead.DeliveryCount));
        Assert.Single(_receiver.Received);
    }

    [Fact]
    public async Task A_message_can_be_settled_once_and_only_by_its_own_delivery()
    {
        (LocalQueues queues, Scheduler scheduler) = await StartAsync();
        ServiceBusReceivedMessage? first = null;
        var refused = new List<Exception?>();
        _receiver.Settle = async (message, actions) =>
        {
            if (first is not null)
            {
                refused.Add(await Record.ExceptionAsync(() => actions.CompleteMessageAsync(first, Cancel)));
            }

            first = message;
            await actions.CompleteMessageAsync(message, Cancel);
            refused.Add(await Record.ExceptionAsync(() => actions.DeadLetterMessageAsync(message, cancellationToken: Cancel)));
        };
        await PublishAsync(queues, "one");
        await PublishAsync(queues, "two");
        await scheduler.RunUntilIdleAsync(Cancel);

        Assert.Equal(3, refused.Count);
        Assert.All(refused, e => Assert.IsType<LockLostException>(e));
        Assert.Empty(await RowsAsync());
    }

    [Fact]
    public async Task Nobody_else_can_take_a_message_under_way_and_queues_without_consumer_keep_theirs()
    {
        (LocalQueues queues, Scheduler _) = await StartAsync();
        await PublishAsync(queues, "one");
        await queues.PublishAsync(Queues.Mail, new Envelope("mail", "s.v1", "{}", null), null, Cancel);

        Assert.NotNull(queues.Take(_clock.Now));
        Assert.Null(queues.Take(_clock.Now));
        Assert.Equal(1, StatusOf(queues).Delivering);
        Assert.Equal(1, queues.Status().Single(q => q.Queue == Queues.Mail).Active);
        await Assert.ThrowsAsync<DefectException>(() => queues.PublishAsync("nowhere", new Envelope("x", "s.v1", "{}", null), null, Cancel));
    }

    [Fact]
    public async Task Hostile_delivery_duplicates_delays_and_reorders_the_same_way_for_the_same_seed()
    {
        async Task<string> RunAsync(int seed)
        {
            var tables = new MemoryTableStore();
            _receiver.Received.Clear();
            var clock = new SimulatedClock(Start);
            (LocalQueues queues, Scheduler scheduler) = await StartAsync(
                new QueueOptions { Hostile = new HostileDelivery(seed, 0.3, 0.5, Duration.FromMinutes(3)) }, tables, clock);
            foreach (int n in Enumerable.Range(0, 50))
            {
                await PublishAsync(queues, $"m{n:D2}");
            }

            await scheduler.AdvanceToAsync(Start + Duration.FromMinutes(10), Cancel);
            return string.Join(' ', _receiver.Received.Select(r => r.Id));
        }

        string first = await RunAsync(1);
        string again = await RunAsync(1);
        string other = await RunAsync(2);

        string[] ids = first.Split(' ');
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Equal(50, ids.Distinct().Count());
        Assert.InRange(ids.Length, 55, 75);
        Assert.NotEqual(ids.Order(), ids);
    }

    [Fact]
    public void Redelivery_at_once_as_service_bus_does_is_an_option()
    {
        Assert.Equal(Duration.Zero, QueueOptions.AtOnce(3));
        Assert.Equal(Duration.FromMinutes(10), QueueOptions.BackOff(60));
    }

    private static Task PublishAsync(LocalQueues queues, string id, Duration? delay = null) =>
        queues.PublishAsync(Queues.Billing, new Envelope(id, "sample.v1", "{}", null), delay, Cancel);

    private static QueueStatus StatusOf(LocalQueues queues) => queues.Status().Single(q => q.Queue == Queues.Billing);

    private async Task<List<string>> RowsAsync()
    {
        var keys = new List<string>();
        await foreach (Platform.Tables.TableRow row in _tables.ScanAsync("LocalQueues", Cancel))
        {
            keys.Add(row.Key);
        }

        return keys;
    }

    private async Task<(LocalQueues Queues, Scheduler Scheduler)> StartAsync(
        QueueOptions? options = null, MemoryTableStore? tables = null, SimulatedClock? clock = null)
    {
        tables ??= _tables;
        clock ??= _clock;
        _receiver.Clock = clock;
        var scheduler = new Scheduler(clock, new SchedulerOptions(), NullLogger<Scheduler>.Instance);
        var queues = new LocalQueues(
            tables,
            tables,
            _receiver,
            new MessageBodies(new MemoryBlobStore(), MessageLimits.ServiceBus),
            clock,
            scheduler,
            options ?? new QueueOptions(),
            NullLogger<LocalQueues>.Instance);
        await queues.LoadAsync(Cancel);
        scheduler.Add(queues);
        return (queues, scheduler);
    }

    private sealed class FakeReceiver : IMessageReceiver
    {
        public SimulatedClock Clock { get; set; } = null!;

        public List<(string Id, Instant At, int Count)> Received { get; } = [];

        public Func<string, bool> Fail { get; set; } = _ => false;

        public bool Crash { get; set; }

        public Func<ServiceBusReceivedMessage, ServiceBusMessageActions, Task> Settle { get; set; } = (message, actions) => actions.CompleteMessageAsync(message);

        public Task Wait { get; set; } = Task.CompletedTask;

        public bool Listens(string queue) => queue != Queues.Mail && Queues.All.Contains(queue);

        public async Task ReceiveAsync(
            string queue, ServiceBusReceivedMessage message, ServiceBusMessageActions actions, CancellationToken cancellation)
        {
            string id = StorageJson.Read<Envelope>(message.Body.ToString()).Id;
            Received.Add((id, Clock.Now, message.DeliveryCount));
            await Wait;
            if (Crash)
            {
                throw new Runtime.Testing.SimulatedCrashException();
            }

            if (Fail(id))
            {
                throw new InvalidOperationException("cannot digest");
            }

            await Settle(message, actions);
        }

        public IEnumerable<string> Log() => Received.Select(r => $"{r.Id}@{r.At:HH:mm}#{r.Count}");
    }
}
