using NodaTime;

namespace Flex.Local.Runtime.Scheduling;

/// <summary>
/// A clock that stands still until the <see cref="Scheduler"/> moves it, and never moves backwards. Timers made on it
/// (<c>Task.Delay(span, clock)</c>, cancellation after a span) fire while it is moved past them, in order of their due time;
/// a unit of work that awaits such a timer would therefore wait for itself: network back-off must use a real clock.
/// </summary>
public sealed class SimulatedClock(Instant start) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<ClockTimer, (Instant Due, long Order)> _timers = new();
    private Instant _now = start;
    private long _order;

    public override long TimestampFrequency => NodaConstants.TicksPerSecond;

    public Instant Now
    {
        get
        {
            lock (_lock)
            {
                return _now;
            }
        }
    }

    public override DateTimeOffset GetUtcNow() => Now.ToDateTimeOffset();

    public override long GetTimestamp() => Now.ToUnixTimeTicks();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ClockTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The scheduler calls this and nobody else, so that nothing that falls due is skipped. Timers due on the way fire at their own instant.</summary>
    public void MoveTo(Instant instant)
    {
        if (instant < Now)
        {
            throw new InvalidOperationException($"Simulated time is {Now} and does not go back to {instant}.");
        }

        while (TakeDue(instant) is { } due)
        {
            due.Fire();
        }

        lock (_lock)
        {
            _now = instant;
        }
    }

    private ClockTimer? TakeDue(Instant limit)
    {
        lock (_lock)
        {
            while (_timers.TryPeek(out ClockTimer? timer, out (Instant Due, long Order) at) && at.Due <= limit)
            {
                _timers.Dequeue();
                if (timer.Ticket == at.Order)
                {
                    _now = Instant.Max(_now, at.Due);
                    timer.Ticket = timer.Period is { } period ? Enqueue(timer, at.Due + period) : 0;
                    return timer;
                }
            }

            return null;
        }
    }

    private long Enqueue(ClockTimer timer, Instant due)
    {
        _timers.Enqueue(timer, (due, ++_order));
        return _order;
    }

    private sealed class ClockTimer(SimulatedClock clock, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>The queue entry that counts; entries of earlier settings are skipped. Zero is none.</summary>
        public long Ticket { get; set; }

        public Duration? Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                Period = period > TimeSpan.Zero ? Duration.FromTimeSpan(period) : null;
                Ticket = dueTime >= TimeSpan.Zero ? clock.Enqueue(this, clock._now + Duration.FromTimeSpan(dueTime)) : 0;
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._lock)
            {
                Ticket = 0;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
