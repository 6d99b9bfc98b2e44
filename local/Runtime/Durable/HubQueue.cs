using NodaTime;

namespace Flex.Local.Runtime.Durable;

/// <summary>
/// What the hub has to do and when, in a fixed order: by due time, then by when it was queued. An instance has at most one
/// turn in here and none while one is being worked on.
/// </summary>
internal sealed class HubQueue
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Ticket, (Instant Due, long Number)> _tickets = new();
    private long _number;

    public Instant? NextDue
    {
        get
        {
            lock (_lock)
            {
                return Peek()?.Due;
            }
        }
    }

    public void Add(Ticket ticket, Instant due)
    {
        lock (_lock)
        {
            Enqueue(ticket, due);
        }
    }

    /// <summary>Sets when the instance's next turn is due; null is never. True when the queue has changed.</summary>
    public bool ScheduleTurn(HubInstance instance, Instant? due)
    {
        lock (_lock)
        {
            if (instance.TurnActive || instance.Turn?.Due == due)
            {
                return false;
            }

            if (instance.Turn is { } old)
            {
                old.Void = true;
                instance.Turn = null;
            }

            if (due is { } at)
            {
                instance.Turn = new Ticket(instance, null);
                Enqueue(instance.Turn, at);
            }

            return true;
        }
    }

    public Ticket? Take(Instant now)
    {
        lock (_lock)
        {
            if (Peek() is not { } next || next.Due > now)
            {
                return null;
            }

            _tickets.Dequeue();
            if (next.Activity is null)
            {
                next.Instance.Turn = null;
                next.Instance.TurnActive = true;
            }

            return next;
        }
    }

    public void EndTurn(HubInstance instance)
    {
        lock (_lock)
        {
            instance.TurnActive = false;
        }
    }

    private void Enqueue(Ticket ticket, Instant due)
    {
        ticket.Due = due;
        _tickets.Enqueue(ticket, (due, _number++));
    }

    private Ticket? Peek()
    {
        while (_tickets.TryPeek(out Ticket? next, out _))
        {
            if (!next.Void)
            {
                return next;
            }

            _tickets.Dequeue();
        }

        return null;
    }
}

/// <summary>One caller at a time per key. Keys share a fixed number of gates, so nobody may enter a second one from inside.</summary>
internal sealed class KeyedGate
{
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, 256).Select(_ => new SemaphoreSlim(1, 1))];

    public async ValueTask<Pass> EnterAsync(string key, CancellationToken cancellation)
    {
        SemaphoreSlim gate = _gates[string.GetHashCode(key, StringComparison.Ordinal) & (_gates.Length - 1)];
        await gate.WaitAsync(cancellation);
        return new Pass(gate);
    }

    public readonly struct Pass(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
