using System.Security.Cryptography;
using System.Text;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Local.Runtime.Durable;

/// <summary>
/// What an orchestrator sees in one episode. Every call becomes an action with the next id; the events of the turns complete
/// the tasks. Lives for one episode only.
/// </summary>
internal sealed class LocalOrchestrationContext(
    string instanceId,
    GenerationStart start,
    int generation,
    DataConverter converter,
    ILoggerFactory loggers,
    TurnPump pump) : TaskOrchestrationContext
{
    internal const string InvalidWait =
        "An invalid asynchronous invocation was detected. This can be caused by awaiting non-durable tasks in an orchestrator "
        + "function's implementation, by ConfigureAwait(false), or by middleware that invokes asynchronous code.";

    private readonly Dictionary<int, OpenTask> _open = [];
    private readonly Dictionary<string, List<TaskCompletionSource<RawJson?>>> _waiters = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Queue<HubEvent>> _buffered = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<HubEvent> _unconsumed = [];
    private readonly HashSet<int> _cancelled = [];
    private List<HubAction> _actions = [];
    private Instant _now;
    private bool _replaying;
    private int _nextId;
    private int _guids;

    public override TaskName Name => new(start.Name);

    public override string InstanceId => instanceId;

    public override ParentOrchestrationInstance? Parent =>
        start.Parent is { } parent ? new ParentOrchestrationInstance(new TaskName(parent.Name), parent.InstanceId) : null;

    public override DateTime CurrentUtcDateTime => _now.ToDateTimeUtc();

    public override bool IsReplaying => _replaying;

    protected override ILoggerFactory LoggerFactory => loggers;

    internal RawJson? CustomStatus { get; private set; }

    internal bool HasCustomStatus { get; private set; }

    internal ContinuationRequest? Continuation { get; private set; }

    /// <summary>Activities, timers and sub-orchestrations without an answer. Waits for events do not count: they need no end.</summary>
    internal int OpenTasks => _open.Count;

    internal bool WaitsForEvents => _waiters.Values.Any(w => w.Any(t => !t.Task.IsCompleted));

    /// <summary>Raised events nobody has asked for yet, in order.</summary>
    internal IReadOnlyList<HubEvent> Unconsumed => _unconsumed;

    internal void BeginTurn(Instant now, bool replaying)
    {
        _now = now;
        _replaying = replaying;
        _actions = [];
    }

    internal List<HubAction> EndTurn() => _actions;

    /// <summary>Lets an event reach the orchestrator; false when it answers nothing that was asked.</summary>
    internal bool Apply(HubEvent happened)
    {
        if (happened.Kind == HubEventKind.EventRaised)
        {
            Raise(happened);
            return true;
        }

        if (!_open.Remove(happened.Id, out OpenTask? task))
        {
            // A timer may be cancelled by an event of the very turn in which it fires.
            return happened.Kind == HubEventKind.TimerFired && _cancelled.Contains(happened.Id);
        }

        TurnPump.Complete(() =>
        {
            if (happened.Failure is { } failure)
            {
                task.Source.TrySetException(new TaskFailedException(task.Name, happened.Id, failure.ToDetails()));
            }
            else
            {
                task.Source.TrySetResult(happened.Data);
            }
        });
        return true;
    }

    public override T? GetInput<T>()
        where T : default => converter.Deserialize<T>(start.Input?.Text);

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        RawJson? payload = RawJson.From(converter.Serialize(input));
        return WithRetry(options, () => Ask<TResult>(HubActionKind.Activity, name.Name, payload, null));
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        RawJson? payload = RawJson.From(converter.Serialize(input));
        string child = (options as SubOrchestrationOptions)?.InstanceId ?? NewGuid().ToString("N");
        return WithRetry(options, () => Ask<TResult>(HubActionKind.SubOrchestration, orchestratorName.Name, payload, child));
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        Guard();
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        DateTime utc = fireAt.Kind == DateTimeKind.Local ? fireAt.ToUniversalTime() : DateTime.SpecifyKind(fireAt, DateTimeKind.Utc);
        OpenTask timer = Emit(HubActionKind.Timer, null, null, Instant.FromDateTimeUtc(utc), null, out int id);
        cancellationToken.UnsafeRegister(_ => CancelTimer(id, timer, cancellationToken), null);
        return timer.Source.Task;
    }

    public override Task<T?> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
        where T : default
    {
        Guard();
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<T?>(cancellationToken);
        }

        if (_buffered.TryGetValue(eventName, out Queue<HubEvent>? queue) && queue.TryDequeue(out HubEvent? early))
        {
            _unconsumed.Remove(early);
            return Task.FromResult(converter.Deserialize<T>(early.Data?.Text));
        }

        var source = new TaskCompletionSource<RawJson?>();
        if (!_waiters.TryGetValue(eventName, out List<TaskCompletionSource<RawJson?>>? waiters))
        {
            _waiters[eventName] = waiters = [];
        }

        waiters.Add(source);
        cancellationToken.UnsafeRegister(_ => TurnPump.Complete(() => source.TrySetCanceled(cancellationToken)), null);
        return Typed<T?>(source.Task);
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        Guard();
        InstanceIds.Require(instanceId);
        RawJson? data = RawJson.From(converter.Serialize(payload));
        _actions.Add(new HubAction(HubActionKind.SendEvent, _nextId++, eventName, data, null, instanceId));
    }

    public override void SetCustomStatus(object? customStatus)
    {
        Guard();
        CustomStatus = RawJson.From(converter.Serialize(customStatus));
        HasCustomStatus = true;
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true)
    {
        Guard();
        Continuation = new ContinuationRequest(RawJson.From(converter.Serialize(newInput)), preserveUnprocessedEvents);
    }

    public override ILogger CreateReplaySafeLogger(string categoryName) => new ReplaySafeLogger(this, loggers.CreateLogger(categoryName));

    /// <summary>Derived from the execution, the turn's time and a counter, so a replay gets the same; marked as a version 5 GUID.</summary>
    public override Guid NewGuid()
    {
        Guard();
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{instanceId}|{start.Execution}|{generation}|{_now.ToUnixTimeTicks()}|{_guids++}"));
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }

    private void Raise(HubEvent happened)
    {
        string name = happened.Name!;
        if (_waiters.TryGetValue(name, out List<TaskCompletionSource<RawJson?>>? waiters))
        {
            waiters.RemoveAll(w => w.Task.IsCompleted);
            if (waiters.Count > 0)
            {
                // The newest wait gets it, as in the real engine: an abandoned one before it must not swallow the event.
                TaskCompletionSource<RawJson?> newest = waiters[^1];
                waiters.RemoveAt(waiters.Count - 1);
                TurnPump.Complete(() => newest.TrySetResult(happened.Data));
                return;
            }
        }

        if (!_buffered.TryGetValue(name, out Queue<HubEvent>? queue))
        {
            _buffered[name] = queue = new Queue<HubEvent>();
        }

        queue.Enqueue(happened);
        _unconsumed.Add(happened);
    }

    private void CancelTimer(int id, OpenTask timer, CancellationToken cancellation)
    {
        if (_open.Remove(id))
        {
            Guard();
            _cancelled.Add(id);
            _actions.Add(new HubAction(HubActionKind.TimerCancelled, id, null, null, null, null));
            TurnPump.Complete(() => timer.Source.TrySetCanceled(cancellation));
        }
    }

    private Task<T> Ask<T>(HubActionKind kind, string name, RawJson? input, string? target)
    {
        Guard();
        if (target is not null)
        {
            InstanceIds.Require(target);
        }

        return Typed<T>(Emit(kind, name, input, null, target, out _).Source.Task);
    }

    private OpenTask Emit(HubActionKind kind, string? name, RawJson? input, Instant? fireAt, string? target, out int id)
    {
        id = _nextId++;
        _actions.Add(new HubAction(kind, id, name, input, fireAt, target));
        var task = new OpenTask(name ?? "timer");
        _open.Add(id, task);
        return task;
    }

    private async Task<T> Typed<T>(Task<RawJson?> answer)
    {
        RawJson? data = await answer;
        return converter.Deserialize<T>(data?.Text)!;
    }

    private Task<T> WithRetry<T>(TaskOptions? options, Func<Task<T>> attempt) =>
        options?.Retry?.Policy is { } policy ? RetryAsync(policy, attempt) : attempt();

    /// <summary>Attempts with durable timers between them, each attempt and timer an action of its own.</summary>
    private async Task<T> RetryAsync<T>(RetryPolicy policy, Func<Task<T>> attempt)
    {
        DateTime first = CurrentUtcDateTime;
        for (int failures = 1; ; failures++)
        {
            try
            {
                return await attempt();
            }
            catch (TaskFailedException) when (failures < policy.MaxNumberOfAttempts && InTime(policy, CurrentUtcDateTime - first))
            {
                // Tried again below, after the wait.
            }

            await CreateTimer(CurrentUtcDateTime + Delay(policy, failures), CancellationToken.None);
        }
    }

    private static bool InTime(RetryPolicy policy, TimeSpan elapsed) =>
        policy.RetryTimeout == Timeout.InfiniteTimeSpan || elapsed < policy.RetryTimeout;

    private static TimeSpan Delay(RetryPolicy policy, int failures)
    {
        double ticks = policy.FirstRetryInterval.Ticks * Math.Pow(policy.BackoffCoefficient, failures - 1);
        return ticks < policy.MaxRetryInterval.Ticks ? TimeSpan.FromTicks((long)ticks) : policy.MaxRetryInterval;
    }

    private void Guard()
    {
        if (!pump.IsCurrent)
        {
            pump.Violate();
            throw new InvalidOperationException(InvalidWait);
        }
    }

    private sealed class OpenTask(string name)
    {
        public string Name { get; } = name;

        public TaskCompletionSource<RawJson?> Source { get; } = new();
    }
}

/// <summary>The orchestrator asked to go on as a new generation.</summary>
internal sealed record ContinuationRequest(RawJson? Input, bool PreserveEvents);

internal static class InstanceIds
{
    /// <summary>What the real service takes: 1 to 100 characters, no leading '@', none of / \ # ? and control characters.</summary>
    public static void Require(string instanceId)
    {
        if (instanceId.Length is 0 or > 100 || instanceId[0] == '@' || instanceId.AsSpan().ContainsAny("/\\#?") || instanceId.Any(char.IsControl))
        {
            throw new ArgumentException($"'{instanceId}' is not a valid instance id.", nameof(instanceId));
        }
    }
}
