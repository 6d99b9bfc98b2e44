using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;

namespace Flex.Local.Runtime.Durable;

/// <content>What clients and other instances do to an instance: start it, send it something, ask about it, forget it.</content>
public sealed partial class LocalTaskHub
{
    private readonly Dictionary<string, List<TaskCompletionSource>> _watchers = new(StringComparer.Ordinal);

    internal async Task<string> StartInstanceAsync(string name, RawJson? input, StartOrchestrationOptions? options, CancellationToken cancellation)
    {
        _ = Invoker;
        string id = options?.InstanceId ?? _ids.Next();
        InstanceIds.Require(id);
        Instant? startAt = options?.StartAt is { } later ? Instant.FromDateTimeOffset(later) : null;
        await CreateAsync(id, name, input, startAt, null, old => Exists(id, old, options?.DedupeStatuses), cancellation);
        return id;
    }

    /// <summary>
    /// Stores the first record of a new instance, over a finished one of the same id unless <paramref name="refuse"/> throws.
    /// False when there is one already and it was not refused.
    /// </summary>
    /// <param name="refuse">Judges the existing instance: true keeps it, false replaces it (finished ones only).</param>
    private async Task<bool> CreateAsync(
        string id,
        string name,
        RawJson? input,
        Instant? startAt,
        ParentLink? parent,
        Func<(OrchestrationRuntimeStatus Status, ParentLink? Parent), bool> refuse,
        CancellationToken cancellation)
    {
        while (true)
        {
            HubInstance? ending;
            using (await _gates.EnterAsync(id, cancellation))
            {
                ending = await CurrentAsync(id, cancellation);
                if (ending is null)
                {
                    FinishedInstance? old = await _store.FindFinishedAsync(id, withBody: false, cancellation);
                    if (old is not null && refuse((old.Status, old.Parent)))
                    {
                        return false;
                    }

                    await InsertAsync(id, new GenerationStart(name, input, _time.Now(), startAt, _ids.Next(), parent, [], Replaces: old is not null), cancellation);
                    return true;
                }

                if (refuse((ending.State.Status, ending.Start.Parent)))
                {
                    return false;
                }
            }

            // Ended, but not yet in the archive: that is finished here rather than waited for.
            await SettleAsync(ending, cancellation);
        }
    }

    private async Task InsertAsync(string id, GenerationStart start, CancellationToken cancellation)
    {
        var record = new LogRecord(start, null, null, new InstanceState(OrchestrationRuntimeStatus.Pending, false, start.CreatedAt, null, null, null, 0, null, null));
        var instance = new HubInstance(id);
        instance.Apply(record, 0, delivered: true);
        try
        {
            await _store.AppendAsync(id, 0, 0, record, cancellation);
        }
        catch
        {
            // It may be there or not: the instance's first turn looks.
            instance.Dirty = true;
            throw;
        }
        finally
        {
            _live[id] = instance;
            Wake(instance);
        }
    }

    /// <summary>The real host's rules: unfinished instances are always in the way, finished ones only where their status is listed.</summary>
    private static bool Exists(string id, (OrchestrationRuntimeStatus Status, ParentLink? Parent) existing, IReadOnlyList<string>? dedupe) =>
        IsFinished(existing.Status) && dedupe?.Contains(existing.Status.ToString(), StringComparer.OrdinalIgnoreCase) != true
            ? false
            : throw new OrchestrationAlreadyExistsException($"An Orchestration instance with the ID {id} already exists.");

    /// <summary>Puts a message into the inbox. Called inside the gate, with an instance that is current.</summary>
    private async Task AcceptAsync(HubInstance instance, HubMessage message, CancellationToken cancellation)
    {
        long number = instance.NextMessage;
        try
        {
            await _store.AppendAsync(instance.Id, number, message, cancellation);
            instance.Accept(number, message);
            instance.Faults = 0;
        }
        catch
        {
            instance.Dirty = true;
            throw;
        }
        finally
        {
            Wake(instance);
        }
    }

    /// <summary>Delivers a message of another instance; one that was delivered before changes nothing.</summary>
    private async Task DeliverAsync(HubMessage message, CancellationToken cancellation)
    {
        if (message.Kind == HubMessageKind.StartSub)
        {
            await StartChildAsync(message, cancellation);
            return;
        }

        using (await _gates.EnterAsync(message.Target!, cancellation))
        {
            if (await CurrentAsync(message.Target!, cancellation) is { } target && !target.State.IsFinished && IsWanted(target, message))
            {
                await AcceptAsync(target, message with { At = _time.Now() }, cancellation);
            }
        }
    }

    private bool IsWanted(HubInstance target, HubMessage message) => message.Kind switch
    {
        HubMessageKind.Event => !target.HasSeen(message.Id!) && !IsBeforeStart(target),
        HubMessageKind.Terminate => target.Start.Parent == message.Parent,
        _ => target.Expects(message) && !target.Inbox.Exists(m => m.Message.TaskId == message.TaskId
            && m.Message.Kind is HubMessageKind.SubCompleted or HubMessageKind.SubFailed),
    };

    /// <summary>Like the real host: events for an instance that waits for a later start are lost.</summary>
    private bool IsBeforeStart(HubInstance instance) => !instance.Started && instance.Start.StartAt > _time.Now();

    private async Task StartChildAsync(HubMessage message, CancellationToken cancellation)
    {
        bool unrelated = false;
        await CreateAsync(
            message.Target!,
            message.Name!,
            message.Data,
            null,
            message.Parent,
            existing =>
            {
                unrelated = existing.Parent != message.Parent && !IsFinished(existing.Status);
                return unrelated || existing.Parent == message.Parent;
            },
            cancellation);
        if (unrelated)
        {
            ParentLink parent = message.Parent!;
            var failure = new HubFailure(
                typeof(OrchestrationAlreadyExistsException).FullName!,
                $"An Orchestration instance with the ID {message.Target} already exists.",
                null);
            await DeliverAsync(
                new HubMessage(HubMessageKind.SubFailed, _time.Now(), null, parent.InstanceId, parent.Execution, parent.Generation, parent.TaskId, Failure: failure),
                cancellation);
        }
    }

    /// <summary>A client's message. Unknown and finished instances are errors, as in the real host.</summary>
    internal async Task SendAsync(string id, HubMessageKind kind, string? name, RawJson? data, bool recursive, CancellationToken cancellation)
    {
        using (await _gates.EnterAsync(id, cancellation))
        {
            if (await CurrentAsync(id, cancellation) is { } instance && !instance.State.IsFinished)
            {
                if (kind != HubMessageKind.Event || !IsBeforeStart(instance))
                {
                    await AcceptAsync(instance, new HubMessage(kind, _time.Now(), Name: name, Data: data, Recursive: recursive), cancellation);
                }

                return;
            }

            bool known = _live.ContainsKey(id) || await _store.FindFinishedAsync(id, withBody: false, cancellation) is not null;
            throw known
                ? new InstanceFaultException(InstanceFaultCode.FailedPrecondition, $"The orchestration instance '{id}' has ended.")
                : new InstanceFaultException(
                    kind is HubMessageKind.Suspend or HubMessageKind.Resume ? InstanceFaultCode.Unknown : InstanceFaultCode.NotFound,
                    $"There is no orchestration instance '{id}'.");
        }
    }

    internal async Task<OrchestrationMetadata?> FindAsync(string id, bool withBody, CancellationToken cancellation)
    {
        using (await _gates.EnterAsync(id, cancellation))
        {
            if (await CurrentAsync(id, cancellation) is { } live)
            {
                return MetadataOf(live, withBody);
            }

            return await _store.FindFinishedAsync(id, withBody, cancellation) is { } finished ? MetadataOf(id, finished, withBody) : null;
        }
    }

    /// <summary>All instances in the order of their ids, finished and unfinished.</summary>
    internal async IAsyncEnumerable<OrchestrationMetadata> ListAsync(
        string after,
        bool withBody,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        HubInstance[] live = [.. _live.Values.Where(i => !i.Dirty && string.CompareOrdinal(i.Id, after) > 0).OrderBy(i => i.Id, StringComparer.Ordinal)];
        HashSet<string> known = [.. live.Select(i => i.Id)];
        int next = 0;
        await foreach ((string id, FinishedInstance finished) in _store.ScanFinishedAsync(withBody, cancellation))
        {
            for (; next < live.Length && string.CompareOrdinal(live[next].Id, id) < 0; next++)
            {
                yield return MetadataOf(live[next], withBody);
            }

            if (!known.Contains(id) && string.CompareOrdinal(id, after) > 0)
            {
                yield return MetadataOf(id, finished, withBody);
            }
        }

        for (; next < live.Length; next++)
        {
            yield return MetadataOf(live[next], withBody);
        }
    }

    internal async Task<int> PurgeAsync(string id, bool recursive, CancellationToken cancellation)
    {
        HubInstance? ending;
        using (await _gates.EnterAsync(id, cancellation))
        {
            ending = await CurrentAsync(id, cancellation);
            if (ending is { State.IsFinished: false })
            {
                throw new InvalidOperationException("Only orchestrations in a terminal state can be purged");
            }
        }

        if (ending is not null)
        {
            await SettleAsync(ending, cancellation);
        }

        int purged = 0;
        if (recursive)
        {
            List<string> children = [];
            await foreach ((string child, FinishedInstance finished) in _store.ScanFinishedAsync(withBody: false, cancellation))
            {
                if (finished.Parent?.InstanceId == id && !_live.ContainsKey(child))
                {
                    children.Add(child);
                }
            }

            foreach (string child in children)
            {
                purged += await PurgeAsync(child, recursive, cancellation);
            }
        }

        using (await _gates.EnterAsync(id, cancellation))
        {
            return purged + (!_live.ContainsKey(id) && await _store.PurgeAsync(id, cancellation) ? 1 : 0);
        }
    }

    /// <summary>Completes when the instance is as wanted; the instance's own progress wakes the wait. Unknown ids are waited for.</summary>
    internal async Task<OrchestrationMetadata> WatchAsync(string id, Func<OrchestrationMetadata, bool> wanted, bool withBody, CancellationToken cancellation)
    {
        while (true)
        {
            var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_watchers)
            {
                if (!_watchers.TryGetValue(id, out List<TaskCompletionSource>? list))
                {
                    _watchers[id] = list = [];
                }

                list.Add(changed);
            }

            try
            {
                if (await FindAsync(id, withBody, cancellation) is { } metadata && wanted(metadata))
                {
                    return metadata;
                }

                await changed.Task.WaitAsync(cancellation);
            }
            finally
            {
                Unwatch(id, changed);
            }
        }
    }

    private void Unwatch(string id, TaskCompletionSource watcher)
    {
        lock (_watchers)
        {
            if (_watchers.TryGetValue(id, out List<TaskCompletionSource>? list) && list.Remove(watcher) && list.Count == 0)
            {
                _watchers.Remove(id);
            }
        }
    }

    private void Notify(string id)
    {
        List<TaskCompletionSource>? list;
        lock (_watchers)
        {
            _watchers.Remove(id, out list);
        }

        list?.ForEach(w => w.TrySetResult());
    }

    internal static bool IsFinished(OrchestrationRuntimeStatus status) =>
        status is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    private static OrchestrationMetadata MetadataOf(HubInstance instance, bool withBody) => MetadataOf(
        instance.Id,
        new FinishedInstance(
            instance.Start.Name,
            instance.Start.Execution,
            instance.State.Status,
            instance.Start.CreatedAt,
            instance.State.UpdatedAt,
            instance.Start.Parent,
            new InstanceBody(instance.Start.Input, instance.State.Output, instance.State.Failure, instance.State.CustomStatus)),
        withBody);

    /// <summary>FailureDetails stay null and the output of a failed instance is plain text, as the real host gives them.</summary>
    private static OrchestrationMetadata MetadataOf(string id, FinishedInstance instance, bool withBody) => new(instance.Name, id)
    {
        DataConverter = StorageDataConverter.Instance,
        RuntimeStatus = instance.Status,
        CreatedAt = instance.CreatedAt.ToDateTimeOffset(),
        LastUpdatedAt = instance.UpdatedAt.ToDateTimeOffset(),
        SerializedInput = withBody ? instance.Body?.Input?.Text : null,
        SerializedOutput = withBody ? instance.Body?.Failure?.ToString() ?? instance.Body?.Output?.Text : null,
        SerializedCustomStatus = withBody ? instance.Body?.CustomStatus?.Text : null,
    };
}
