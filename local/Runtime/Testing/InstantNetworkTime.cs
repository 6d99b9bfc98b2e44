using Flex.Local.Runtime.Scheduling;
using NodaTime;

namespace Flex.Local.Runtime.Testing;

/// <summary>
/// The clock of the wire in a world without a wire. Pauses between attempts are over at once, and counted as passed;
/// timeouts never strike, because every answer is there before anyone could wait. So retries cost no real time and leave the
/// caller's thread.
/// </summary>
public sealed class InstantNetworkTime(SimulatedClock clock) : TimeProvider
{
    /// <summary>What is longer is a timeout, not a pause: a pause is at most the Retry-After of a throttled provider.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private long _passedTicks;

    public override long TimestampFrequency => NodaConstants.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow().AddTicks(Interlocked.Read(ref _passedTicks));

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new NetworkTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class NetworkTimer(InstantNetworkTime time, TimerCallback callback, object? state) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime >= TimeSpan.Zero && dueTime <= LongestPause)
            {
                Interlocked.Add(ref time._passedTicks, dueTime.Ticks);
                callback(state);
            }

            return true;
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
