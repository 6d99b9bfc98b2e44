using NodaTime;

namespace Flex.Local.Runtime.Queueing;

/// <summary>One delivery's hold on a message.</summary>
internal sealed record QueueLease(QueuedMessage Message, int Attempt);

/// <summary>Which message is due when. In memory, thread-safe, rebuilt from storage at the start.</summary>
internal sealed class QueueSchedule(Func<string, bool> listens)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, Slot> _slots = [];
    private readonly SortedSet<(Instant Due, int Order, long Sequence)> _due = [];
    private readonly SortedDictionary<long, QueuedMessage> _dead = [];
    private long _sequence;

    public Instant? NextDue
    {
        get
        {
            lock (_lock)
            {
                return _due.Count == 0 ? null : _due.Min.Due;
            }
        }
    }

    public long NextSequence() => Interlocked.Increment(ref _sequence);

    /// <summary>Takes in what storage holds. Numbers are never given twice while their row may still exist.</summary>
    public void Restore(QueuedMessage message)
    {
        lock (_lock)
        {
            _sequence = Math.Max(_sequence, message.Sequence);
            if (message.DeadLetteredAt is not null)
            {
                _dead[message.Sequence] = message;
                return;
            }
        }

        Add(message, order: 0);
    }

    public void Add(QueuedMessage message, int order)
    {
        lock (_lock)
        {
            var slot = new Slot(message, order);
            _slots.Add(message.Sequence, slot);
            Schedule(slot, message.VisibleAt);
        }
    }

    public QueueLease? Lease(Instant now, Instant until)
    {
        lock (_lock)
        {
            if (_due.Count == 0 || _due.Min.Due > now)
            {
                return null;
            }

            Slot slot = _slots[_due.Min.Sequence];
            slot.Attempt++;
            slot.Delivering = true;
            Schedule(slot, until);
            return new QueueLease(slot.Message, slot.Attempt);
        }
    }

    /// <summary>False when the delivery took too long and another one has begun.</summary>
    public bool IsHeld(QueueLease lease)
    {
        lock (_lock)
        {
            return Held(lease) is not null;
        }
    }

    public void Complete(QueueLease lease)
    {
        lock (_lock)
        {
            if (Held(lease) is { } slot)
            {
                _due.Remove((slot.Due, slot.Order, slot.Message.Sequence));
                _slots.Remove(slot.Message.Sequence);
            }
        }
    }

    public void Return(QueueLease lease, QueuedMessage message, Instant due)
    {
        lock (_lock)
        {
            if (Held(lease) is { } slot)
            {
                slot.Message = message;
                slot.Delivering = false;
                Schedule(slot, due);
            }
        }
    }

    public void Forget(QueuedMessage dead)
    {
        lock (_lock)
        {
            _dead.Remove(dead.Sequence);
        }
    }

    public IReadOnlyList<QueuedMessage> DeadLetters(string? queue)
    {
        lock (_lock)
        {
            return [.. _dead.Values.Where(m => queue is null || m.Queue == queue).OrderBy(m => m.DeadLetteredAt)];
        }
    }

    public QueueStatus StatusOf(string queue, Instant now)
    {
        lock (_lock)
        {
            Slot[] slots = [.. _slots.Values.Where(s => s.Message.Queue == queue)];
            return new QueueStatus(
                queue,
                slots.Count(s => !s.Delivering && s.Due <= now),
                slots.Count(s => !s.Delivering && s.Due > now),
                slots.Count(s => s.Delivering),
                _dead.Values.Count(m => m.Queue == queue));
        }
    }

    private Slot? Held(QueueLease lease) =>
        _slots.TryGetValue(lease.Message.Sequence, out Slot? slot) && slot.Attempt == lease.Attempt ? slot : null;

    private void Schedule(Slot slot, Instant due)
    {
        _due.Remove((slot.Due, slot.Order, slot.Message.Sequence));
        slot.Due = due;
        if (listens(slot.Message.Queue))
        {
            _due.Add((due, slot.Order, slot.Message.Sequence));
        }
    }

    private sealed class Slot(QueuedMessage message, int order)
    {
        public QueuedMessage Message { get; set; } = message;

        public int Order { get; } = order;

        public Instant Due { get; set; } = Instant.MinValue;

        public int Attempt { get; set; }

        public bool Delivering { get; set; }
    }
}
