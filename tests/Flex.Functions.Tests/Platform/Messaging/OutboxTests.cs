using Flex.Functions.Tests.Platform.Telemetry;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Platform.Messaging;

/// <summary>A message leaves when, and only when, its cause has been committed.</summary>
public sealed class OutboxTests
{
    private const string Table = "things";
    private const string Home = "home01";

    private readonly MemoryTableStore _tables = new();
    private readonly RecordingPublisher _broker = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Committer _committer;
    private readonly OutboxSweepHandler _sweeper;

    public OutboxTests()
    {
        _committer = new Committer(_tables, _broker, new CountingIds(), _time, NullLogger<Committer>.Instance);
        _sweeper = new OutboxSweepHandler(_tables, _broker, _time, NullLogger<OutboxSweepHandler>.Instance);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_commit_without_messages_publishes_nothing()
    {
        (await _committer.CommitAsync(Batch(), Cancellation)).Require();

        Assert.Empty(_broker.All);
    }

    [Fact]
    public async Task A_committed_batch_queues_its_sweep_then_publishes_its_messages_in_order()
    {
        CommitResult result = await _committer.CommitAsync(
            Batch().Send(Message("msg_1")).Send(Message("msg_2") with { Delay = Duration.FromHours(1), CorrelationId = "req_7" }),
            Cancellation);

        Assert.True(result.IsCommitted);
        Assert.Equal([Queues.Outbox, Queues.Mail, Queues.Mail], _broker.All.Select(p => p.Queue));
        Assert.Equal(Committer.SweepDelay, _broker.All[0].Delay);
        Assert.Equal(new OutboxSweep(Table, Home, _time.Now()), _broker.All[0].Message.Read<OutboxSweep>());
        Assert.Equal(new Published(Queues.Mail, new Envelope("msg_1", "mail.send.v1", "\"msg_1\"", null), null), _broker.All[1]);
        Assert.Equal(new Published(Queues.Mail, new Envelope("msg_2", "mail.send.v1", "\"msg_2\"", "req_7"), Duration.FromHours(1)), _broker.All[2]);
    }

    [Fact]
    public async Task A_refused_commit_publishes_nothing_but_an_empty_sweep()
    {
        (await _tables.CommitAsync(Batch(), Cancellation)).Require();

        CommitResult result = await _committer.CommitAsync(Batch().Send(Message("msg_1")), Cancellation);
        await SweepAllAsync();

        Assert.Equal(CommitKind.Duplicate, result.Kind);
        Assert.Empty(_broker.Messages);
        Assert.Single(_broker.Sweeps);
    }

    [Fact]
    public async Task Without_a_broker_nothing_is_committed()
    {
        _broker.Fault = (_, _) => new TransientFaultException("down");

        await Assert.ThrowsAsync<TransientFaultException>(() => _committer.CommitAsync(Batch().Send(Message("msg_1")), Cancellation));

        Assert.Empty(_tables.Snapshot(Table, Home));
    }

    [Fact]
    public async Task A_crash_between_commit_and_publish_loses_nothing()
    {
        _tables.AfterCommit = _ => throw new InvalidOperationException("The process dies here.");
        await Assert.ThrowsAsync<InvalidOperationException>(() => _committer.CommitAsync(Batch().Send(Message("msg_1")), Cancellation));
        _tables.AfterCommit = null;
        Assert.Empty(_broker.Messages);

        await SweepAllAsync();

        Assert.Equal("msg_1", Assert.Single(_broker.Messages).Message.Id);
        Assert.Equal(["D|1"], Keys());
    }

    [Fact]
    public async Task A_commit_that_never_arrived_leaves_only_an_empty_sweep()
    {
        _tables.BeforeCommit = _ => throw new TransientFaultException("down");
        await Assert.ThrowsAsync<TransientFaultException>(() => _committer.CommitAsync(Batch().Send(Message("msg_1")), Cancellation));
        _tables.BeforeCommit = null;

        await SweepAllAsync();

        Assert.Empty(_broker.Messages);
    }

    [Fact]
    public async Task A_broker_that_fails_after_the_commit_does_not_fail_it_and_the_sweep_publishes()
    {
        _broker.Fault = (queue, _) => queue == Queues.Mail ? new TransientFaultException("down") : null;
        Assert.True((await _committer.CommitAsync(Batch().Send(Message("msg_1")), Cancellation)).IsCommitted);
        _broker.Fault = (_, _) => null;

        await SweepAllAsync();

        Assert.Equal("msg_1", Assert.Single(_broker.Messages).Message.Id);
    }

    [Fact]
    public async Task A_caller_that_has_gone_after_the_commit_does_not_keep_its_messages_back()
    {
        using var caller = new CancellationTokenSource();
        _tables.AfterCommit = _ => caller.CancelAsync();

        Assert.True((await _committer.CommitAsync(Batch().Send(Message("msg_1")), caller.Token)).IsCommitted);

        Assert.Single(_broker.Messages);
    }

    [Fact]
    public async Task A_message_the_broker_never_takes_keeps_nothing_else_back()
    {
        _broker.Fault = (_, message) => message.Id == "msg_1" ? new DefectException("too large") : null;
        Assert.True((await _committer.CommitAsync(Batch().Send(Message("msg_1")).Send(Message("msg_2")), Cancellation)).IsCommitted);
        Assert.Equal("msg_2", Assert.Single(_broker.Messages).Message.Id);

        DefectException defect = await Assert.ThrowsAsync<DefectException>(SweepAllAsync);

        Assert.Contains("O|msg_1", defect.Message, StringComparison.Ordinal);
        Assert.Equal(["D|1", "O|msg_1"], Keys());
    }

    [Fact]
    public async Task A_sweep_repeats_what_was_published_and_deletes_it_and_the_next_sweep_finds_nothing()
    {
        await _committer.CommitAsync(Batch().Send(Message("msg_1")), Cancellation);

        await SweepAllAsync();
        await SweepAllAsync();

        Assert.Equal(["msg_1", "msg_1"], _broker.Messages.Select(p => p.Message.Id));
        Assert.Equal(["D|1"], Keys());
    }

    [Fact]
    public async Task What_a_sweep_finds_is_measured_by_its_age_again_and_again_until_it_can_be_published()
    {
        using var metrics = new MetricRecorder();
        await _committer.CommitAsync(Batch().Send(Message("msg_1")), Cancellation);
        _time.Advance(TimeSpan.FromSeconds(60));
        _broker.Fault = (_, _) => new TransientFaultException("down");
        await Assert.ThrowsAsync<TransientFaultException>(SweepAllAsync);
        _time.Advance(TimeSpan.FromSeconds(300));
        _broker.Fault = (_, _) => null;

        await SweepAllAsync();
        await SweepAllAsync();

        Assert.Equal([$"60 table={Table}", $"360 table={Table}"], metrics.Of("flex.outbox.age"));
    }

    [Theory]
    [InlineData(99, 1, 2)]
    [InlineData(100, 1, 3)]
    [InlineData(250, 3, 6)]
    public async Task A_sweep_of_many_messages_publishes_each_once_and_deletes_all(int messages, int batches, int calls)
    {
        // The rows of several commits that all crashed before publishing.
        int next = 0;
        foreach (int[] part in Enumerable.Range(0, messages).Chunk((messages + batches - 1) / batches))
        {
            var batch = new TableBatch(Table, Home);
            foreach (int _ in part)
            {
                batch.Send(Message($"msg_{next++:D4}"));
            }

            (await _tables.CommitAsync(batch, Cancellation)).Require();
        }

        using StorageCallScope scope = StorageCalls.Measure();
        await SweepAsync(new OutboxSweep(Table, Home));

        Assert.Equal(calls, scope.Count);
        Assert.Equal(Enumerable.Range(0, messages).Select(i => $"msg_{i:D4}"), _broker.Messages.Select(p => p.Message.Id));
        Assert.Empty(_tables.Snapshot(Table, Home));
    }

    [Fact]
    public async Task Rows_that_a_competing_sweep_has_deleted_do_not_stop_this_one()
    {
        (await _tables.CommitAsync(Batch().Send(Message("msg_1")).Send(Message("msg_2")), Cancellation)).Require();
        bool competed = false;
        _tables.BeforeCommit = async _ =>
        {
            if (!competed)
            {
                competed = true;
                TableRow first = _tables.Snapshot(Table, Home).First(r => r.Key == "O|msg_1");
                (await _tables.CommitAsync(new TableBatch(Table, Home).Delete(first.Key, first.ETag), Cancellation)).Require();
            }
        };

        await SweepAsync(new OutboxSweep(Table, Home));

        Assert.Equal(["msg_1", "msg_2"], _broker.Messages.Select(p => p.Message.Id));
        Assert.Equal(["D|1"], Keys());
    }

    [Fact]
    public async Task A_sweep_without_a_broker_deletes_nothing_and_is_delivered_again()
    {
        (await _tables.CommitAsync(Batch().Send(Message("msg_1")), Cancellation)).Require();
        IReadOnlyList<TableRow> before = _tables.Snapshot(Table, Home);
        _broker.Fault = (_, _) => new TransientFaultException("down");

        await Assert.ThrowsAsync<TransientFaultException>(() => SweepAsync(new OutboxSweep(Table, Home)));

        Assert.Equal(before, _tables.Snapshot(Table, Home));
    }

    [Fact]
    public async Task A_message_is_received_once_per_partition()
    {
        var envelope = new Envelope("evt_1", "invoice.settled.v1", "{}", null);
        Instant now = Instant.FromUtc(2025, 1, 1, 0, 0);

        CommitResult first = await _tables.CommitAsync(Batch().Receive(envelope, now), Cancellation);
        CommitResult second = await _tables.CommitAsync(new TableBatch(Table, Home).Receive(envelope, now).Insert("D|2", "again"), Cancellation);

        Assert.True(first.IsCommitted);
        Assert.True(second.WasReceived());
        Assert.False(first.WasReceived());
        Assert.Equal(["D|1", "M|evt_1"], Keys());
        Assert.Equal(new InboxRow("invoice.settled.v1", now), _tables.Snapshot(Table, Home)[1].As<InboxRow>());
    }

    private static TableBatch Batch() => new TableBatch(Table, Home).Insert("D|1", "data");

    private static OutboxMessage Message(string id) => OutboxMessage.Create(id, Queues.Mail, "mail.send.v1", id);

    private IEnumerable<string> Keys() => _tables.Snapshot(Table, Home).Select(r => r.Key);

    private async Task SweepAllAsync()
    {
        foreach (Published sweep in _broker.Sweeps.ToArray())
        {
            await _sweeper.HandleAsync(sweep.Message, Cancellation);
        }
    }

    private Task SweepAsync(OutboxSweep sweep) =>
        _sweeper.HandleAsync(new Envelope("swp_1", OutboxSweep.Subject, StorageJson.Write(sweep), null), Cancellation);
}
