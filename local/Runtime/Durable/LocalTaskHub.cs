using System.Collections.Concurrent;
using Flex.Local.Runtime.Scheduling;
using Flex.Platform.Tables;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Local.Runtime.Durable;

/// <summary>
/// The durable task hub of one machine: orchestrations as logs on table storage, replayed turn by turn. One process owns the
/// tables. Unfinished instances are in memory, written through: whatever a caller was told is stored, and a process that
/// died anywhere goes on after <see cref="LoadAsync"/> where it stopped. Activities run at least once, turns take effect
/// once. Work is done only by the scheduler that asks this source.
/// </summary>
public sealed partial class LocalTaskHub : IWorkSource, ILoadable
{
    private readonly ConcurrentDictionary<string, HubInstance> _live = new(StringComparer.Ordinal);
    private readonly KeyedGate _gates = new();
    private readonly HubQueue _queue = new();
    private readonly HubStore _store;
    private readonly TimeProvider _time;
    private readonly IIdSource _ids;
    private readonly IWorkSignal _signal;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly IExecutionRecorder? _recorder;
    private ITaskInvoker? _invoker;

    /// <param name="ids">Names executions and instances started without an id.</param>
    /// <param name="recorder">Is shown the complete history of every generation that ends.</param>
    public LocalTaskHub(
        ITableStore tables,
        ITableScanner scanner,
        TimeProvider time,
        IIdSource ids,
        IWorkSignal signal,
        ILoggerFactory loggers,
        IExecutionRecorder? recorder = null)
    {
        _store = new HubStore(tables, scanner);
        _time = time;
        _ids = ids;
        _signal = signal;
        _loggers = loggers;
        _log = loggers.CreateLogger<LocalTaskHub>();
        _recorder = recorder;
        Client = new LocalDurableTaskClient(this);
    }

    /// <summary>The tables the hub uses; they must exist.</summary>
    public static IReadOnlyList<string> Tables { get; } = [HubStore.Live, HubStore.Finished];

    public string Name => "durable";

    public DurableTaskClient Client { get; }

    public Instant? NextDue => _queue.NextDue;

    /// <summary>Unfinished instances; those that ended are only in storage.</summary>
    public int UnfinishedInstances => _live.Count;

    private ITaskInvoker Invoker => _invoker ?? throw new InvalidOperationException("The task hub has not been told how to call functions.");

    /// <summary>Sets how functions are called: once, before loading. Apart from the constructor because functions take the client.</summary>
    public void Call(ITaskInvoker invoker) => _invoker = invoker;

    /// <summary>Reads the unfinished instances and queues what they wait for. Messages that were on their way are delivered first.</summary>
    public async Task LoadAsync(CancellationToken cancellation)
    {
        List<StoredInstance> broken = [];
        await foreach (StoredInstance stored in _store.ScanAsync(cancellation))
        {
            if (stored.HasLeftovers)
            {
                broken.Add(stored);
            }
            else
            {
                Adopt(stored);
            }
        }

        foreach (StoredInstance stored in broken)
        {
            if (await RepairAsync(stored, cancellation))
            {
                Adopt(stored);
            }
        }

        foreach (HubInstance instance in _live.Values.OrderBy(i => i.Id, StringComparer.Ordinal))
        {
            await DeliverAsync(instance, cancellation);
            Wake(instance);
        }
    }

    public WorkItem? Take(Instant now) => _queue.Take(now) switch
    {
        null => null,
        { Activity: { } activity } ticket => new WorkItem($"{activity.Name} for {ticket.Instance.Id}", cancellation => RunActivityAsync(ticket, cancellation)),
        { } ticket => new WorkItem($"turn of {ticket.Instance.Id}", cancellation => RunTurnAsync(ticket.Instance, cancellation)),
    };

    /// <summary>Removes what an interrupted write or delete has left. False when nothing of the instance remains to go on with.</summary>
    private async Task<bool> RepairAsync(StoredInstance stored, CancellationToken cancellation)
    {
        if (stored.Log.Count == 0 || stored.Log[0].Start is null)
        {
            // Either its first record was never written, or it has ended and been archived: the log goes after the summary.
            await _store.RemoveAsync(stored.Id, cancellation);
            return false;
        }

        await _store.CleanAsync(stored.Id, stored.Generation, stored.Log[^1].State, cancellation);
        return true;
    }

    private void Adopt(StoredInstance stored)
    {
        var instance = new HubInstance(stored.Id);
        _live[stored.Id] = instance;
        Restore(instance, stored);
    }

    private void Restore(HubInstance instance, StoredInstance stored)
    {
        foreach (Ticket activity in instance.Restore(stored))
        {
            _queue.Add(activity, _time.Now() + Pause(instance.Faults));
        }
    }

    /// <summary>Queues the instance's next turn. Called inside its gate, or while nothing else runs.</summary>
    private void Wake(HubInstance instance)
    {
        Instant now = _time.Now();
        Instant? due = instance.Due(now);
        if (_queue.ScheduleTurn(instance, due is { } at && instance.Faults > 0 ? Max(at, now + Pause(instance.Faults)) : due))
        {
            _signal.Changed();
        }
    }

    /// <summary>Storage that fails is tried again at once, then ever more rarely, so that it is neither given up nor hammered.</summary>
    private static Duration Pause(int faults) => faults <= 3 ? Duration.Zero : Duration.FromSeconds(Math.Min(300, 1 << Math.Min(faults - 3, 9)));

    private static Instant Max(Instant one, Instant other) => one > other ? one : other;

    /// <summary>The unfinished instance of this id, read again if a write to it was in doubt. Called inside its gate.</summary>
    private async Task<HubInstance?> CurrentAsync(string id, CancellationToken cancellation)
    {
        if (!_live.TryGetValue(id, out HubInstance? instance))
        {
            return null;
        }

        if (!instance.Dirty)
        {
            return instance;
        }

        StoredInstance stored = await _store.LoadAsync(id, cancellation);
        if ((stored.HasLeftovers || stored.Log.Count == 0) && !await RepairAsync(stored, cancellation))
        {
            Forget(instance);
            return null;
        }

        Restore(instance, stored);
        return instance;
    }

    private void Forget(HubInstance instance)
    {
        instance.Closed = true;
        _live.TryRemove(instance.Id, out _);
        _queue.ScheduleTurn(instance, null);
    }
}
