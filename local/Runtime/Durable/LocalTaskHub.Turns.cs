using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Local.Runtime.Durable;

/// <content>The two kinds of work: turns and activities.</content>
public sealed partial class LocalTaskHub
{
    /// <summary>Rows that mean nothing any more are deleted when there are this many; fewer are not worth reading the partition.</summary>
    private const int MaxStaleRows = 64;

    private async Task RunTurnAsync(HubInstance instance, CancellationToken cancellation)
    {
        try
        {
            using (await _gates.EnterAsync(instance.Id, cancellation))
            {
                if (instance.Closed || await CurrentAsync(instance.Id, cancellation) is null)
                {
                    return;
                }

                if (instance.Undelivered.Count == 0 && !instance.State.IsFinished)
                {
                    await AdvanceAsync(instance, cancellation);
                }
            }

            await SettleAsync(instance, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            instance.Dirty = true;
        }
#pragma warning disable CA1031 // A turn that cannot be stored is tried again; nothing of it has happened.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            instance.Dirty = true;
            instance.Faults++;
            Faulted(instance.Id, instance.Faults, fault);
        }
        finally
        {
            _queue.EndTurn(instance);
            using (await _gates.EnterAsync(instance.Id, CancellationToken.None))
            {
                Wake(instance);
            }
        }
    }

    /// <summary>One turn: what has arrived, the code's answer to it, one write. Called inside the gate.</summary>
    private async Task AdvanceAsync(HubInstance instance, CancellationToken cancellation)
    {
        Instant now = _time.Now();
        TurnPlan plan = TurnPlan.For(instance, now);
        if (plan.IsEmpty)
        {
            return;
        }

        HistoryTurn? turn = null;
        LogRecord record = plan switch
        {
            { Terminate: { } terminate } => Terminated(instance, plan, terminate, now),
            { RunsCode: true } => RunCode(instance, plan, now, out turn),
            _ => new LogRecord(null, null, null, instance.Next(plan, StatusOf(instance, plan), now, instance.State.CustomStatus, null, null)),
        };
        int generation = record.Start is null ? instance.Generation : instance.Generation + 1;
        await _store.AppendAsync(instance.Id, generation, record.Start is null ? instance.NextRecord : 0, record, cancellation);
        instance.Faults = 0;
        if (turn is not null && (record.State.IsFinished || record.Start is not null))
        {
            _recorder?.Ended(new RecordedExecution(instance.Id, instance.Generation, instance.Start, [.. instance.Turns, turn]));
        }

        foreach (Ticket activity in instance.Apply(record, generation, delivered: false))
        {
            _queue.Add(activity, now);
        }

        if (plan.Starts)
        {
            Notify(instance.Id);
        }
    }

    private LogRecord RunCode(HubInstance instance, TurnPlan plan, Instant now, out HistoryTurn turn)
    {
        turn = new HistoryTurn(now, plan.Starts, plan.Events, []);
        var episode = new OrchestrationEpisode(Invoker, _loggers, instance.Id, instance.Start, instance.Generation);
        EpisodeOutcome outcome;
        try
        {
            foreach (HistoryTurn past in instance.Turns)
            {
                episode.Replay(past);
            }

            turn = turn with { Actions = episode.Play(turn, replaying: false) };
            outcome = episode.Close();
        }
        catch (Exception invalid) when (invalid is NonDeterministicOrchestrationException or InvalidOperationException)
        {
            turn = turn with { Actions = [] };
            outcome = new EpisodeOutcome(EpisodeStatus.Failed, Failure: HubFailure.From(invalid));
        }

        RawJson? customStatus = episode.CustomStatus(instance.State.CustomStatus);
        List<HubMessage> outbox = [.. turn.Actions.Select(a => MessageFor(instance, a, now)).OfType<HubMessage>()];
        switch (outcome.Status)
        {
            case EpisodeStatus.ContinuedAsNew:
                GenerationStart start = instance.Start with
                {
                    Input = outcome.Continuation!.Input,
                    CreatedAt = now,
                    StartAt = null,
                    Carried = outcome.Continuation.PreserveEvents ? [.. episode.UnconsumedEvents] : [],
                };
                return new LogRecord(start, null, outbox, instance.Next(plan, StatusOf(instance, plan), now, customStatus, null, null));
            case EpisodeStatus.Running:
                return new LogRecord(null, turn, outbox, instance.Next(plan, StatusOf(instance, plan), now, customStatus, null, null));
            default:
                OrchestrationRuntimeStatus status = outcome.Status == EpisodeStatus.Completed ? OrchestrationRuntimeStatus.Completed : OrchestrationRuntimeStatus.Failed;
                if (outcome.Failure is { } failure)
                {
                    _log.LogError("Orchestration {Name} '{InstanceId}' failed: {Failure}", instance.Start.Name, instance.Id, failure.ToString());
                }

                AnswerParent(instance, outbox, now, outcome.Output, outcome.Failure);
                return new LogRecord(null, turn, outbox, instance.Next(plan, status, now, customStatus, outcome.Output, outcome.Failure));
        }
    }

    private static LogRecord Terminated(HubInstance instance, TurnPlan plan, HubMessage terminate, Instant now)
    {
        List<HubMessage> outbox = [];
        if (terminate.Recursive)
        {
            outbox.AddRange(instance.Children.Values.Select(c =>
                new HubMessage(HubMessageKind.Terminate, now, Target: c.Target, Data: terminate.Data, Parent: LinkOf(instance, c), Recursive: true)));
        }

        AnswerParent(instance, outbox, now, null, new HubFailure("OrchestrationTerminated", terminate.Data?.Text ?? "The orchestration was terminated.", null));
        return new LogRecord(null, null, outbox, instance.Next(plan, OrchestrationRuntimeStatus.Terminated, now, instance.State.CustomStatus, terminate.Data, null));
    }

    private static void AnswerParent(HubInstance instance, List<HubMessage> outbox, Instant now, RawJson? output, HubFailure? failure)
    {
        if (instance.Start.Parent is { } parent)
        {
            HubMessageKind kind = failure is null ? HubMessageKind.SubCompleted : HubMessageKind.SubFailed;
            outbox.Add(new HubMessage(kind, now, null, parent.InstanceId, parent.Execution, parent.Generation, parent.TaskId, null, output, failure));
        }
    }

    private static HubMessage? MessageFor(HubInstance instance, HubAction action, Instant now) => action.Kind switch
    {
        HubActionKind.SendEvent => new HubMessage(
            HubMessageKind.Event,
            now,
            Id: $"{instance.Start.Execution}.{instance.Generation}.{action.Id}",
            Target: action.Target,
            Name: action.Name,
            Data: action.Input),
        HubActionKind.SubOrchestration => new HubMessage(
            HubMessageKind.StartSub,
            now,
            Target: action.Target,
            Name: action.Name,
            Data: action.Input,
            Parent: LinkOf(instance, action)),
        _ => null,
    };

    private static ParentLink LinkOf(HubInstance parent, HubAction child) =>
        new(parent.Start.Name, parent.Id, parent.Start.Execution, parent.Generation, child.Id);

    private static OrchestrationRuntimeStatus StatusOf(HubInstance instance, TurnPlan plan) =>
        plan.Suspended ? OrchestrationRuntimeStatus.Suspended
        : instance.Started || plan.Starts ? OrchestrationRuntimeStatus.Running
        : OrchestrationRuntimeStatus.Pending;

    /// <summary>After a turn: its messages leave, and an instance that has ended moves to the archive. Safe to repeat.</summary>
    private async Task SettleAsync(HubInstance instance, CancellationToken cancellation)
    {
        await DeliverAsync(instance, cancellation);
        if (instance.State.IsFinished)
        {
            using (await _gates.EnterAsync(instance.Id, cancellation))
            {
                if (instance.Closed)
                {
                    return;
                }

                InstanceState state = instance.State;
                var summary = new FinishedInstance(
                    instance.Start.Name,
                    instance.Start.Execution,
                    state.Status,
                    instance.Start.CreatedAt,
                    state.UpdatedAt,
                    instance.Start.Parent,
                    new InstanceBody(instance.Start.Input, state.Output, state.Failure, state.CustomStatus));
                await _store.ArchiveAsync(instance.Id, summary, instance.MayBeArchived, cancellation);
                await _store.RemoveAsync(instance.Id, cancellation);
                Forget(instance);
            }

            Notify(instance.Id);
        }
        else if (instance.StaleRows >= MaxStaleRows)
        {
            using (await _gates.EnterAsync(instance.Id, cancellation))
            {
                if (!instance.Closed)
                {
                    await _store.CleanAsync(instance.Id, instance.Generation, instance.State, cancellation);
                    instance.StaleRows = 0;
                }
            }
        }
    }

    /// <summary>Delivers the outboxes in order and notes each as sent, so that it is not sent again at the next start.</summary>
    private async Task DeliverAsync(HubInstance instance, CancellationToken cancellation)
    {
        while (true)
        {
            int record;
            IReadOnlyList<HubMessage> messages;
            using (await _gates.EnterAsync(instance.Id, cancellation))
            {
                if (instance.Closed || instance.Undelivered.Count == 0)
                {
                    return;
                }

                (record, messages) = instance.Undelivered[0];
            }

            foreach (HubMessage message in messages)
            {
                await DeliverAsync(message, cancellation);
            }

            using (await _gates.EnterAsync(instance.Id, cancellation))
            {
                if (!instance.Closed && instance.Undelivered.Count > 0 && instance.Undelivered[0].Messages == messages)
                {
                    if (!instance.State.IsFinished)
                    {
                        await _store.MarkSentAsync(instance.Id, instance.Generation, record, cancellation);
                    }

                    instance.Undelivered.RemoveAt(0);
                }
            }
        }
    }

    private async Task RunActivityAsync(Ticket ticket, CancellationToken cancellation)
    {
        HubInstance instance = ticket.Instance;
        HubAction activity = ticket.Activity!;
        try
        {
            if (ticket.Answer is null && !ticket.Void)
            {
                ticket.Answer = await InvokeAsync(instance, activity, cancellation);
            }

            using (await _gates.EnterAsync(instance.Id, cancellation))
            {
                // The ticket is void when the instance has ended meanwhile; the answer is there when its write had only seemed to fail.
                if (!ticket.Void && await CurrentAsync(instance.Id, cancellation) is not null && !ticket.Void && !instance.HasAnswer(activity.Id))
                {
                    await AcceptAsync(instance, ticket.Answer!, cancellation);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Requeue();
        }
#pragma warning disable CA1031 // What the activity itself throws is its answer; this is storage, which is tried again.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            instance.Faults++;
            Faulted(instance.Id, instance.Faults, fault);
            Requeue();
        }

        void Requeue()
        {
            _queue.Add(ticket, _time.Now() + Pause(instance.Faults));
            _signal.Changed();
        }
    }

    private async Task<HubMessage> InvokeAsync(HubInstance instance, HubAction activity, CancellationToken cancellation)
    {
        (string execution, int generation) = (instance.Start.Execution, instance.Generation);
        string? result = null;
        HubFailure? failure = null;
        try
        {
            result = Invoker.HasActivity(activity.Name!)
                ? await Invoker.InvokeActivityAsync(activity.Name!, instance.Id, activity.Input?.Text, cancellation)
                : throw new InvalidOperationException($"There is no activity function '{activity.Name}'.");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever an activity throws is its answer.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            _log.LogWarning(thrown, "Activity {Name} of '{InstanceId}' failed.", activity.Name, instance.Id);
            failure = HubFailure.From(thrown);
        }

        HubMessageKind kind = failure is null ? HubMessageKind.TaskCompleted : HubMessageKind.TaskFailed;
        return new HubMessage(kind, _time.Now(), null, null, execution, generation, activity.Id, null, RawJson.From(result), failure);
    }

    private void Faulted(string id, int faults, Exception fault) =>
        _log.Log(faults > 3 ? LogLevel.Error : LogLevel.Warning, fault, "Storing progress of orchestration '{InstanceId}' failed; it will be tried again.", id);
}
