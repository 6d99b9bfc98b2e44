using NodaTime;

namespace Flex.Local.Runtime.Queueing;

/// <summary>The dice of <see cref="HostileDelivery"/>.</summary>
internal sealed class Hostility(HostileDelivery options)
{
    private readonly Random _random = new(options.Seed);

    /// <summary>One entry per delivery: how much later than asked.</summary>
    public IReadOnlyList<Duration> Deliveries()
    {
        lock (_random)
        {
            int count = _random.NextDouble() < options.Duplicates ? 2 : 1;
            return [.. Enumerable.Range(0, count).Select(_ => _random.NextDouble() < options.Delays
                ? Duration.FromMilliseconds(_random.NextInt64((long)options.LongestDelay.TotalMilliseconds + 1))
                : Duration.Zero)];
        }
    }

    /// <summary>Where the message stands among those due at the same instant.</summary>
    public int Order()
    {
        lock (_random)
        {
            return options.Reorder ? _random.Next() : 0;
        }
    }
}

/// <summary>Ids seen within a window of time.</summary>
internal sealed class RecentIds(Duration window)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Queue, string Id), Instant> _seen = [];
    private readonly Queue<((string Queue, string Id) Id, Instant At)> _order = new();

    /// <summary>False when the id was added within the window before <paramref name="now"/>.</summary>
    public bool TryAdd((string Queue, string Id) id, Instant now)
    {
        lock (_lock)
        {
            while (_order.TryPeek(out ((string Queue, string Id) Id, Instant At) oldest) && oldest.At + window <= now)
            {
                _order.Dequeue();
                if (_seen.TryGetValue(oldest.Id, out Instant at) && at == oldest.At)
                {
                    _seen.Remove(oldest.Id);
                }
            }

            if (!_seen.TryAdd(id, now))
            {
                return false;
            }

            _order.Enqueue((id, now));
            return true;
        }
    }

    public void Remove((string Queue, string Id) id)
    {
        lock (_lock)
        {
            _seen.Remove(id);
        }
    }
}
