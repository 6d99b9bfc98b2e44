using Flex.Local.Runtime.Scheduling;
using Flex.Platform;
using Flex.Platform.Health;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Local.Runtime.Queueing;

/// <summary>
/// The broker of one machine: a row per message on the tables port, the schedule in memory. A message is stored before it is
/// accepted and deleted after it was consumed; its delivery is counted in storage before it begins, so that a message that
/// kills the process is given up too. Delivery is at least once and in no promised order.
/// </summary>
public sealed class LocalQueues : IWorkSource, ILoadable, IMessagePublisher, IDeadLetters, IReadinessCheck
{
    private readonly QueueStore _store;
    private readonly QueueSchedule _schedule;
    private readonly IMessageReceiver _receiver;
    private readonly IMessageBodies _bodies;
    private readonly TimeProvider _time;
    private readonly IWorkSignal _signal;
    private readonly QueueOptions _options;
    private readonly ILogger _log;
    private readonly RecentIds _recent;
    private readonly Hostility? _hostility;

    public LocalQueues(
        ITableStore tables,
        ITableScanner scanner,
        IMessageReceiver receiver,
        IMessageBodies bodies,
        TimeProvider time,
        IWorkSignal signal,
        QueueOptions options,
        ILogger<LocalQueues> log)
    {
        _store = new QueueStore(tables, scanner);
        _hostility = options.Hostile is { } hostile ? new Hostility(hostile) : null;
        _schedule = new QueueSchedule(receiver.Listens);
        (_receiver, _bodies, _time, _signal, _options, _log) = (receiver, bodies, time, signal, options, log);
        _recent = new RecentIds(options.DuplicateWindow);
    }

    public string Name => "queues";

    public string Dependency => Dependencies.Queue;

    public Instant? NextDue => _schedule.NextDue;

    public async Task LoadAsync(CancellationToken cancellation)
    {
        await foreach (QueuedMessage message in _store.ScanAsync(cancellation))
        {
            _schedule.Restore(message);
        }

        _signal.Changed();
    }

    public async Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation)
    {
        if (!Flex.Platform.Messaging.Queues.All.Contains(queue) && !_receiver.Listens(queue))
        {
            throw new DefectException($"There is no queue '{queue}'.");
        }

        Instant now = _time.Now();
        if (!_recent.TryAdd((queue, message.Id), now))
        {
            return;
        }

        try
        {
            Envelope shrunk = await _bodies.ShrinkAsync(message, cancellation);
            await AddAsync(queue, shrunk, now, now + (delay ?? Duration.Zero), cancellation);
        }
        catch
        {
            _recent.Remove((queue, message.Id));
            throw;
        }
    }

    public WorkItem? Take(Instant now) => _schedule.Lease(now, now + _options.VisibilityTimeout) is { } lease
        ? new WorkItem($"{lease.Message.Envelope.Subject} on {lease.Message.Queue}", cancellation => DeliverAsync(lease, cancellation))
        : null;

    public Task<IReadOnlyList<DeadLetter>> ListAsync(string? queue, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<DeadLetter>>([.. _schedule.DeadLetters(queue).Take(IDeadLetters.MaxListed).Select(m => new DeadLetter(
            m.Queue, m.Envelope.Id, m.Envelope.Subject, m.Reason!, m.DeadLetteredAt!.Value, m.DeliveryCount))]);

    public async Task<bool> ReplayAsync(string queue, string id, CancellationToken cancellation)
    {
        QueuedMessage[] dead = [.. _schedule.DeadLetters(queue).Where(m => m.Envelope.Id == id)];
        foreach (QueuedMessage message in dead)
        {
            Instant now = _time.Now();
            var again = new QueuedMessage(queue, _schedule.NextSequence(), message.Envelope, now, now, 0);
            await _store.ReplayAsync(message, again, cancellation);
            _schedule.Forget(message);
            _schedule.Add(again, order: 0);
        }

        _signal.Changed();
        return dead.Length > 0;
    }

    public Task CheckAsync(CancellationToken cancellation) => _store.PingAsync(cancellation);

    public IReadOnlyList<QueueStatus> Status() =>
        [.. Flex.Platform.Messaging.Queues.All.Select(queue => _schedule.StatusOf(queue, _time.Now()))];

    private async Task AddAsync(string queue, Envelope message, Instant now, Instant visible, CancellationToken cancellation)
    {
        foreach (Duration extra in _hostility?.Deliveries() ?? [Duration.Zero])
        {
            var row = new QueuedMessage(queue, _schedule.NextSequence(), message, now, visible + extra, 0);
            await _store.InsertAsync(row, cancellation);
            _schedule.Add(row, _hostility?.Order() ?? 0);
        }

        _signal.Changed();
    }

    /// <summary>Storage that fails here costs a later or another delivery, never the message.</summary>
    private async Task DeliverAsync(QueueLease lease, CancellationToken cancellation)
    {
        try
        {
            QueuedMessage? message = await _store.CountDeliveryAsync(lease.Message, cancellation);
            if (message is null)
            {
                _schedule.Complete(lease);
                return;
            }

            string? failure = message.DeliveryCount > _options.MaxDeliveryCount
                ? "The process ended during the last delivery."
                : await ReceiveAsync(message, cancellation);
            await SettleAsync(lease, message, failure, cancellation);
        }
        catch (Exception fault) when (fault is not Testing.SimulatedCrashException
            && (fault is TransientFaultException or OperationCanceledException || cancellation.IsCancellationRequested))
        {
            _log.LogWarning(fault, "Delivery of {Message} could not be recorded; it is delivered again.", lease.Message.Envelope.Id);
            Redeliver(lease, lease.Message, Math.Max(1, lease.Message.DeliveryCount));
        }
        finally
        {
            _signal.Changed();
        }
    }

    /// <summary>Null when the message was consumed, else why not.</summary>
    private async Task<string?> ReceiveAsync(QueuedMessage message, CancellationToken cancellation)
    {
        try
        {
            await _receiver.ReceiveAsync(message.Queue, StorageJson.Write(message.Envelope), message.DeliveryCount, cancellation);
            return null;
        }
        catch (Exception failure) when (failure is not Testing.SimulatedCrashException && !cancellation.IsCancellationRequested)
        {
            (Envelope envelope, int count) = (message.Envelope, message.DeliveryCount);
            _log.LogWarning(failure, "{Subject} {Message} on {Queue} failed at delivery {Count}.", envelope.Subject, envelope.Id, message.Queue, count);
            return $"{failure.GetType().FullName}: {failure.Message}";
        }
    }

    private async Task SettleAsync(QueueLease lease, QueuedMessage message, string? failure, CancellationToken cancellation)
    {
        if (!_schedule.IsHeld(lease))
        {
            return;
        }

        if (failure is null)
        {
            await _store.DeleteAsync(message, CancellationToken.None);
            _schedule.Complete(lease);
        }
        else if (message.DeliveryCount >= _options.MaxDeliveryCount)
        {
            QueuedMessage dead = message with { Reason = failure, DeadLetteredAt = _time.Now() };
            await _store.DeadLetterAsync(message, dead, cancellation);
            (string subject, string id) = (message.Envelope.Subject, message.Envelope.Id);
            _log.LogWarning("{Subject} {Message} on {Queue} was dead-lettered: {Reason}", subject, id, message.Queue, failure);
            _schedule.Complete(lease);
            _schedule.Restore(dead);
        }
        else
        {
            Redeliver(lease, message, message.DeliveryCount);
        }
    }

    private void Redeliver(QueueLease lease, QueuedMessage message, int failures) =>
        _schedule.Return(lease, message, _time.Now() + _options.Redelivery(failures));
}
