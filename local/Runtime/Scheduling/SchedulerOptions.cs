using NodaTime;

namespace Flex.Local.Runtime.Scheduling;

/// <summary>How the scheduler runs.</summary>
public sealed record SchedulerOptions
{
    /// <summary>Units that run at once on real time. Simulated time always runs one.</summary>
    public int RealTimeConcurrency { get; init; } = 8;

    /// <summary>With a seed, a simulated scheduler picks at random among all sources with due work, instead of the earliest one.</summary>
    public int? TieShuffleSeed { get; init; }

    /// <summary>Units at one simulated instant before it is called a livelock: work that always makes more work without time passing.</summary>
    public long MaxUnitsPerInstant { get; init; } = 50_000_000;

    /// <summary>
    /// Told each simulated instant before any work runs at it, so that what is stored never lies in the future of a clock
    /// that was restored after a crash.
    /// </summary>
    public Action<Instant>? ClockMoves { get; init; }

    /// <summary>How long a stop waits for running units before it cancels them.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(10);
}
