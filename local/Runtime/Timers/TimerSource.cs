using Flex.Local.Runtime.Functions;
using Flex.Local.Runtime.Scheduling;
using Flex.Platform.Tables;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using NCrontab;
using NodaTime;

namespace Flex.Local.Runtime.Timers;

/// <summary>Runs one timer function; the host's way is through the function pipeline.</summary>
public delegate Task TimerRunner(FunctionDescriptor function, TimerInfo timer, CancellationToken cancellation);

/// <summary>
/// Timer functions on six-field NCRONTAB schedules in UTC. A function never overlaps itself; what fell due while it ran or
/// while the process was down is made up for by one run, marked past due after a downtime. A run that fails is not repeated:
/// the next one is the schedule's.
/// </summary>
public sealed class TimerSource : IWorkSource, ILoadable
{
    /// <summary>When each monitored timer last ran. Rows are made and read by this class only.</summary>
    public const string Table = "LocalTimers";

    private const string Partition = "timers";
    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];
    private readonly ITableStore _tables;
    private readonly TimeProvider _time;
    private readonly TimerRunner _run;
    private readonly IWorkSignal _signal;
    private readonly ILogger _log;

    public TimerSource(
        FunctionCatalogue catalogue,
        TimerRunner run,
        ITableStore tables,
        TimeProvider time,
        IWorkSignal signal,
        IConfiguration configuration,
        ILogger<TimerSource> log)
    {
        (_tables, _time, _run, _signal, _log) = (tables, time, run, signal, log);
        foreach ((FunctionDescriptor function, TimerFunctionTrigger trigger) in catalogue.Having<TimerFunctionTrigger>())
        {
            bool isDisabled = bool.TryParse(configuration[DisabledSetting(function.Name)], out bool disabled) && disabled;
            if (!isDisabled && Schedule(function, trigger.Schedule, configuration) is { } schedule)
            {
                _entries.Add(new Entry(function, trigger, schedule));
            }
        }
    }

    public string Name => "timers";

    public Instant? NextDue
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count == 0 ? null : _entries.Min(e => e.Due);
            }
        }
    }

    /// <summary>When each function runs next; null while it runs.</summary>
    public IReadOnlyDictionary<string, Instant?> Schedules
    {
        get
        {
            lock (_lock)
            {
                return _entries.ToDictionary(e => e.Function.Name, e => e.Due);
            }
        }
    }

    /// <summary>
    /// The setting that switches a function off on the real host too, as <c>AzureWebJobs__NAME__Disabled</c>.
    /// Source: learn.microsoft.com/azure/azure-functions/disable-function
    /// </summary>
    public static string DisabledSetting(string function) => $"AzureWebJobs:{function}:Disabled";

    public async Task LoadAsync(CancellationToken cancellation)
    {
        foreach (Entry entry in _entries)
        {
            await LoadAsync(entry, cancellation);
        }

        _signal.Changed();
    }

    public WorkItem? Take(Instant now)
    {
        lock (_lock)
        {
            Entry? entry = _entries.Where(e => e.Due <= now).MinBy(e => e.Due);
            if (entry is null)
            {
                return null;
            }

            entry.Due = null;
            return new WorkItem($"timer {entry.Function.Name}", cancellation => RunAsync(entry, cancellation));
        }
    }

    private async Task LoadAsync(Entry entry, CancellationToken cancellation)
    {
        Instant now = _time.Now();
        if (!entry.IsMonitored)
        {
            entry.Due = entry.Trigger.RunOnStartup ? now : entry.Next(now);
            return;
        }

        TableRow? row = await _tables.FindAsync(Table, Partition, entry.Function.Name, cancellation);
        if (row is null)
        {
            entry.State = new TimerState(null, entry.Next(now), now);
            (await _tables.CommitAsync(new TableBatch(Table, Partition).Insert(entry.Function.Name, entry.State), cancellation)).Require();
            entry.Due = entry.Trigger.RunOnStartup ? now : entry.State.Next;
            return;
        }

        entry.State = row.As<TimerState>();

        // From what was last done, not from the stored next run: the schedule may have changed since.
        Instant expected = entry.Next(entry.State.Last ?? entry.State.LastUpdated);
        entry.IsPastDue = expected < now;
        entry.Due = entry.IsPastDue || entry.Trigger.RunOnStartup ? now : expected;
    }

    private async Task RunAsync(Entry entry, CancellationToken cancellation)
    {
        Instant started = _time.Now();
        var info = new TimerInfo { IsPastDue = entry.IsPastDue, ScheduleStatus = entry.State?.ToStatus() };
        entry.IsPastDue = false;
        try
        {
            await _run(entry.Function, info, cancellation);
        }
        catch (Exception failure) when (failure is not Testing.SimulatedCrashException)
        {
            _log.LogError(failure, "Timer function {Function} failed; it runs again at its next time.", entry.Function.Name);
        }

        Instant next = entry.Next(_time.Now());
        if (entry.IsMonitored)
        {
            entry.State = new TimerState(started, next, _time.Now());
            await SaveAsync(entry, entry.State);
        }

        lock (_lock)
        {
            entry.Due = next;
        }

        _signal.Changed();
    }

    /// <summary>A state that could not be saved costs one past-due run too many after the next start.</summary>
    private async Task SaveAsync(Entry entry, TimerState state)
    {
        try
        {
            TableRow? row = await _tables.FindAsync(Table, Partition, entry.Function.Name, CancellationToken.None);
            (await _tables.CommitAsync(new TableBatch(Table, Partition).Put(entry.Function.Name, state, row?.ETag), CancellationToken.None)).Require();
        }
        catch (TransientFaultException fault)
        {
            _log.LogWarning(fault, "The last run of timer function {Function} could not be saved.", entry.Function.Name);
        }
    }

    private CrontabSchedule? Schedule(FunctionDescriptor function, string expression, IConfiguration configuration)
    {
        string? resolved = expression is ['%', .., '%'] ? configuration[expression[1..^1].Replace("__", ":", StringComparison.Ordinal)] : expression;
        CrontabSchedule? schedule = resolved is null
            ? null
            : CrontabSchedule.TryParse(resolved, new CrontabSchedule.ParseOptions { IncludingSeconds = true });
        if (schedule is null)
        {
            // As on the real host, the one function is disabled and the others run.
            _log.LogError("Timer function {Function} is disabled: '{Schedule}' is not a six-field schedule.", function.Name, resolved ?? expression);
        }

        return schedule;
    }

    private sealed class Entry(FunctionDescriptor function, TimerFunctionTrigger trigger, CrontabSchedule schedule)
    {
        public FunctionDescriptor Function => function;

        public TimerFunctionTrigger Trigger => trigger;

        /// <summary>The real host keeps no status of schedules under a minute either.</summary>
        public bool IsMonitored { get; } = trigger.UseMonitor && !IsUnderAMinute(schedule);

        public Instant? Due { get; set; }

        public TimerState? State { get; set; }

        public bool IsPastDue { get; set; }

        public Instant Next(Instant after) =>
            Instant.FromDateTimeUtc(DateTime.SpecifyKind(schedule.GetNextOccurrence(after.ToDateTimeUtc()), DateTimeKind.Utc));

        private static bool IsUnderAMinute(CrontabSchedule schedule)
        {
            DateTime first = schedule.GetNextOccurrence(DateTime.UnixEpoch);
            return schedule.GetNextOccurrence(first) - first < TimeSpan.FromMinutes(1);
        }
    }
}

/// <summary>What is kept of a timer.</summary>
/// <param name="Last">Start of the last run; null before the first.</param>
public sealed record TimerState(Instant? Last, Instant Next, Instant LastUpdated)
{
    internal ScheduleStatus ToStatus() => new()
    {
        Last = Last?.ToDateTimeUtc() ?? default,
        Next = Next.ToDateTimeUtc(),
        LastUpdated = LastUpdated.ToDateTimeUtc(),
    };
}
