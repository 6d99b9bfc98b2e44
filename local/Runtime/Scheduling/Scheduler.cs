using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Local.Runtime.Scheduling;

/// <summary>
/// Runs the work of all sources, earliest due first, ties in the order the sources were added. On simulated time one unit
/// runs at a time and the scheduler moves the clock, so the world is a function of its inputs. On real time it waits for the
/// next due instant or a signal and runs several units at once.
/// </summary>
/// <remarks>
/// With <see cref="Start"/> a background loop keeps up with whatever becomes due; without it (test worlds) nothing runs but
/// inside <see cref="RunUntilIdleAsync"/> and <see cref="AdvanceToAsync"/>.
/// </remarks>
public sealed class Scheduler(TimeProvider clock, SchedulerOptions options, ILogger<Scheduler> log) : IWorkSignal, IAsyncDisposable
{
    /// <summary>The longest real wait, so that a changed system clock or a laptop's sleep is noticed.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly List<IWorkSource> _sources = [];
    private readonly SimulatedClock? _simulated = clock as SimulatedClock;
    private readonly Random? _shuffle = options.TieShuffleSeed is { } seed ? new Random(seed) : null;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _cancelUnits = new();
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _loop;
    private int _running;
    private int _disposed;

    public bool IsSimulated => _simulated is not null;

    public Instant Now => clock.Now();

    /// <summary>Sources are added before work starts; their order breaks ties.</summary>
    public void Add(IWorkSource source) => _sources.Add(source);

    public void Changed() => _changed.TrySetResult();

    /// <summary>Starts the background loop.</summary>
    public void Start() => _loop ??= Task.Run(IsSimulated ? FollowSimulatedAsync : RunRealTimeAsync);

    /// <summary>Simulated time: runs everything due at the current instant, and what that makes due, one unit at a time.</summary>
    public async Task RunUntilIdleAsync(CancellationToken cancellation)
    {
        RequireSimulated();
        await _turn.WaitAsync(cancellation);
        try
        {
            await RunDueAsync(cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Simulated time: moves the clock from one due instant to the next up to <paramref name="target"/>, running everything
    /// on the way, and returns when nothing is left to do at the target.
    /// </summary>
    /// <exception cref="InvalidOperationException">The clock is real, or the target lies in the past.</exception>
    public async Task AdvanceToAsync(Instant target, CancellationToken cancellation)
    {
        SimulatedClock simulated = RequireSimulated();
        await _turn.WaitAsync(cancellation);
        try
        {
            if (target < simulated.Now)
            {
                throw new InvalidOperationException($"Simulated time is {simulated.Now} and does not go back to {target}.");
            }

            await RunDueAsync(cancellation);
            while (simulated.Now < target)
            {
                Instant next = NextDueAfter(simulated.Now) is { } due && due < target ? due : target;
                options.ClockMoves?.Invoke(next);
                simulated.MoveTo(next);
                await RunDueAsync(cancellation);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes no more work, waits for what runs, cancels it after the grace period.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        Changed();
        if (_loop is { } loop)
        {
            _cancelUnits.CancelAfter(options.StopGrace);
            await loop;
        }
    }

    /// <summary>May be called more than once: a container disposes what it knows under two types twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        await StopAsync();
        _stopping.Dispose();
        _cancelUnits.Dispose();
        _turn.Dispose();
    }

    private async Task FollowSimulatedAsync()
    {
        for (Task changed = Rearm(); !_stopping.IsCancellationRequested; changed = Rearm())
        {
            try
            {
                await RunUntilIdleAsync(_cancelUnits.Token);
            }
            catch (Exception defect)
            {
                log.LogError(defect, "A unit of work failed without being handled.");
                Changed();
            }

            await changed;
        }
    }

    private async Task RunRealTimeAsync()
    {
        for (Task changed = Rearm(); !_stopping.IsCancellationRequested; changed = Rearm())
        {
            while (Volatile.Read(ref _running) < options.RealTimeConcurrency && TakeNext(Now) is { } item)
            {
                Interlocked.Increment(ref _running);
                _ = Task.Run(() => RunOneAsync(item));
            }

            await WaitAsync(changed);
        }

        while (Volatile.Read(ref _running) > 0)
        {
            Task changed = Rearm();
            if (Volatile.Read(ref _running) > 0)
            {
                await changed;
            }
        }
    }

    private async Task RunOneAsync(WorkItem item)
    {
        try
        {
            await item.Run(_cancelUnits.Token);
        }
        catch (Exception defect)
        {
            log.LogError(defect, "{Work} failed without being handled.", item.What);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
            Changed();
        }
    }

    /// <summary>Until something changes or the next work is due; with all places taken only a change helps.</summary>
    private async Task WaitAsync(Task changed)
    {
        Instant now = Now;
        bool full = Volatile.Read(ref _running) >= options.RealTimeConcurrency;
        TimeSpan wait = !full && NextDueAfter(now) is { } due && due - now < Duration.FromTimeSpan(LongestWait)
            ? (due - now).ToTimeSpan() + TimeSpan.FromMilliseconds(1)
            : LongestWait;
        using var cancelDelay = new CancellationTokenSource();
        await Task.WhenAny(changed, Task.Delay(wait, clock, cancelDelay.Token));
        await cancelDelay.CancelAsync();
    }

    /// <summary>The task that the next <see cref="Changed"/> completes. Taken before looking for work, so no change is missed.</summary>
    private Task Rearm()
    {
        if (_changed.Task.IsCompleted)
        {
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return _changed.Task;
    }

    private async Task RunDueAsync(CancellationToken cancellation)
    {
        for (long units = 0; TakeNext(Now) is { } item; units++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (units == options.MaxUnitsPerInstant)
            {
                throw new DefectException($"{units} units of work at {Now} and no end; the last is {item.What}.");
            }

            await item.Run(cancellation);
        }
    }

    private WorkItem? TakeNext(Instant now)
    {
        return _shuffle is null ? TakeEarliest(now) : TakeAny(now, _shuffle);
    }

    private WorkItem? TakeEarliest(Instant now)
    {
        HashSet<IWorkSource>? empty = null;
        while (true)
        {
            IWorkSource? best = null;
            Instant bestDue = now;
            foreach (IWorkSource source in _sources)
            {
                if (source.NextDue is { } due && due <= now && (best is null || due < bestDue) && empty?.Contains(source) != true)
                {
                    (best, bestDue) = (source, due);
                }
            }

            if (best is null)
            {
                return null;
            }

            if (best.Take(now) is { } item)
            {
                return item;
            }

            (empty ??= []).Add(best);
        }
    }

    private WorkItem? TakeAny(Instant now, Random shuffle)
    {
        List<IWorkSource> due = _sources.FindAll(s => s.NextDue <= now);
        while (due.Count > 0)
        {
            int pick = shuffle.Next(due.Count);
            if (due[pick].Take(now) is { } item)
            {
                return item;
            }

            due.RemoveAt(pick);
        }

        return null;
    }

    private Instant? NextDueAfter(Instant now)
    {
        Instant? next = null;
        foreach (IWorkSource source in _sources)
        {
            if (source.NextDue is { } due && due > now && (next is null || due < next))
            {
                next = due;
            }
        }

        return next;
    }

    private SimulatedClock RequireSimulated() =>
        _simulated ?? throw new InvalidOperationException("The clock is real: time passes by itself and cannot be moved.");
}
