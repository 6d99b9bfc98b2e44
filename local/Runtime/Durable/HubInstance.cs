using Microsoft.DurableTask.Client;
using NodaTime;

namespace Flex.Local.Runtime.Durable;

/// <summary>
/// An unfinished instance in memory: what storage holds, and what follows from it. Changed only inside the hub's gate for its
/// id and only after the change is stored.
/// </summary>
internal sealed class HubInstance(string id)
{
    private readonly List<string> _seen = [];

    /// <summary>How many ids of events from other instances are remembered; a repetition follows its original closely.</summary>
    private const int MaxSeen = 32;

    public string Id { get; } = id;

    public GenerationStart Start { get; private set; } = null!;

    public int Generation { get; private set; }

    /// <summary>The number of the next log record.</summary>
    public int NextRecord { get; private set; }

    public long NextMessage { get; private set; }

    public InstanceState State { get; private set; } = null!;

    public List<HistoryTurn> Turns { get; } = [];

    public List<(long Number, HubMessage Message)> Inbox { get; } = [];

    /// <summary>Activities that run or are to run; the ticket is void when nobody waits for them any more.</summary>
    public Dictionary<int, Ticket> Activities { get; } = [];

    public Dictionary<int, HubAction> Children { get; } = [];

    public Dictionary<int, Instant> Timers { get; } = [];

    /// <summary>Outboxes of log records that are not known to be delivered, oldest first.</summary>
    public List<(int Record, IReadOnlyList<HubMessage> Messages)> Undelivered { get; } = [];

    public bool Started { get; private set; }

    /// <summary>Rows in storage that mean nothing any more.</summary>
    public int StaleRows { get; set; }

    /// <summary>A write failed and may or may not be there: read again before the next.</summary>
    public bool Dirty { get; set; }

    /// <summary>Gone from the hub: ended and archived.</summary>
    public bool Closed { get; set; }

    /// <summary>A turn is being worked on, so no other may be queued.</summary>
    public bool TurnActive { get; set; }

    public Ticket? Turn { get; set; }

    /// <summary>Failed attempts to store something since the last that succeeded, for the pause before the next.</summary>
    public int Faults { get; set; }

    /// <summary>An archived instance of this id may exist, an earlier one or this one itself.</summary>
    public bool MayBeArchived { get; private set; }

    public bool HasSeen(string messageId) => _seen.Contains(messageId) || Inbox.Exists(m => m.Message.Id == messageId);

    public bool Expects(HubMessage answer) => answer.Execution == Start.Execution && answer.Generation == Generation && answer.Kind switch
    {
        HubMessageKind.TaskCompleted or HubMessageKind.TaskFailed => Activities.ContainsKey(answer.TaskId),
        _ => Children.ContainsKey(answer.TaskId),
    };

    /// <summary>The state after a turn that leaves <paramref name="plan"/>'s consumed messages behind.</summary>
    public InstanceState Next(TurnPlan plan, OrchestrationRuntimeStatus status, Instant now, RawJson? customStatus, RawJson? output, HubFailure? failure)
    {
        HashSet<long> consumed = [.. plan.Consumed];
        long low = NextMessage;
        foreach ((long number, _) in Inbox)
        {
            if (!consumed.Contains(number))
            {
                low = number;
                break;
            }
        }

        long[] above = [.. (State.Consumed ?? []).Concat(consumed).Where(n => n > low).Order()];
        string[] seen = [.. _seen.Concat(Inbox.Where(m => m.Message.Id is not null && consumed.Contains(m.Number)).Select(m => m.Message.Id!)).TakeLast(MaxSeen)];
        return new InstanceState(status, plan.Suspended, now, customStatus, output, failure, low, above.Length == 0 ? null : above, seen.Length == 0 ? null : seen);
    }

    /// <summary>Takes in a stored log record. Returns tickets for the activities it asked for.</summary>
    public IReadOnlyList<Ticket> Apply(LogRecord record, int generation, bool delivered)
    {
        if (record.Start is { } start)
        {
            VoidActivities();
            StaleRows += Turns.Count;
            Turns.Clear();
            Children.Clear();
            Timers.Clear();
            Start = start;
            MayBeArchived |= start.Replaces;
            Generation = generation;
            NextRecord = 0;
            Started = false;
        }

        List<Ticket> activities = [];
        if (record.Turn is { } turn)
        {
            Started |= turn.Starts;
            Turns.Add(turn);
            Follow(turn, activities);
        }

        State = record.State;
        _seen.Clear();
        _seen.AddRange(State.Seen ?? []);
        StaleRows += Inbox.RemoveAll(m => m.Number < State.LowWater || State.Consumed?.Contains(m.Number) == true);
        NextMessage = Math.Max(NextMessage, State.LowWater);
        if (!delivered && record.Outbox is { Count: > 0 } outbox)
        {
            Undelivered.Add((NextRecord, outbox));
        }

        NextRecord++;
        if (State.IsFinished)
        {
            VoidActivities();
        }

        return activities;
    }

    public void Accept(long number, HubMessage message)
    {
        Inbox.Add((number, message));
        NextMessage = Math.Max(NextMessage, number + 1);
    }

    /// <summary>
    /// Becomes what storage holds. Returns the activities to queue; those that are queued or running already keep their
    /// ticket, so that reading the instance again does not run them twice.
    /// </summary>
    public IReadOnlyList<Ticket> Restore(StoredInstance stored)
    {
        Dictionary<int, Ticket> known = new(Activities);
        (string? execution, int generation) = (Start?.Execution, Generation);
        Activities.Clear();
        Reset();
        for (int i = 0; i < stored.Log.Count; i++)
        {
            Apply(stored.Log[i], stored.Generation, stored.Sent.Contains(i));
        }

        foreach ((long number, HubMessage message) in stored.Inbox)
        {
            Accept(number, message);
        }

        MayBeArchived = true;
        List<Ticket> fresh = [];
        foreach (int id in Activities.Keys.Order().ToArray())
        {
            if (execution == Start!.Execution && generation == Generation && known.Remove(id, out Ticket? ticket))
            {
                Activities[id] = ticket;
            }
            else if (!HasAnswer(id))
            {
                fresh.Add(Activities[id]);
            }
        }

        foreach (Ticket gone in known.Values)
        {
            gone.Void = true;
        }

        return fresh;
    }

    /// <summary>True when an activity's answer waits in the inbox.</summary>
    public bool HasAnswer(int activity) => Inbox.Exists(m =>
        m.Message.TaskId == activity && m.Message.Kind is HubMessageKind.TaskCompleted or HubMessageKind.TaskFailed);

    private void Reset()
    {
        VoidActivities();
        Turns.Clear();
        Inbox.Clear();
        Children.Clear();
        Timers.Clear();
        Undelivered.Clear();
        _seen.Clear();
        NextMessage = 0;
        NextRecord = 0;
        StaleRows = 0;
        Started = false;
        Dirty = false;
    }

    /// <summary>When the instance next needs a turn; null when it waits for others.</summary>
    public Instant? Due(Instant now)
    {
        if (Closed)
        {
            return null;
        }

        if (Dirty || State.IsFinished || Undelivered.Count > 0)
        {
            return now;
        }

        if (State.Suspended)
        {
            return Inbox.Exists(m => IsControl(m.Message)) ? now : null;
        }

        if (!Started)
        {
            return Start.StartAt is { } later && later > now && !Inbox.Exists(m => IsControl(m.Message)) ? later : now;
        }

        return Inbox.Count > 0 ? now : Timers.Count > 0 ? Timers.Values.Min() : null;
    }

    private static bool IsControl(HubMessage message) => message.Kind is HubMessageKind.Resume or HubMessageKind.Terminate or HubMessageKind.Suspend;

    private void Follow(HistoryTurn turn, List<Ticket> activities)
    {
        foreach (HubAction action in turn.Actions)
        {
            switch (action.Kind)
            {
                case HubActionKind.Activity:
                    var ticket = new Ticket(this, action);
                    Activities[action.Id] = ticket;
                    activities.Add(ticket);
                    break;
                case HubActionKind.SubOrchestration:
                    Children[action.Id] = action;
                    break;
                case HubActionKind.Timer:
                    Timers[action.Id] = action.FireAt!.Value;
                    break;
                case HubActionKind.TimerCancelled:
                    Timers.Remove(action.Id);
                    break;
                default:
                    break;
            }
        }

        foreach (HubEvent happened in turn.Events)
        {
            switch (happened.Kind)
            {
                case HubEventKind.TaskCompleted or HubEventKind.TaskFailed:
                    Activities.Remove(happened.Id);
                    break;
                case HubEventKind.SubCompleted or HubEventKind.SubFailed:
                    Children.Remove(happened.Id);
                    break;
                case HubEventKind.TimerFired:
                    Timers.Remove(happened.Id);
                    break;
                default:
                    break;
            }
        }
    }

    private void VoidActivities()
    {
        foreach (Ticket ticket in Activities.Values)
        {
            ticket.Void = true;
        }

        Activities.Clear();
    }
}

/// <summary>A place in the hub's queue: a turn of an instance, or one of its activities. A void one is skipped.</summary>
internal sealed class Ticket(HubInstance instance, HubAction? activity)
{
    private volatile bool _void;

    /// <summary>The activity's answer, when it has run but could not be stored: it is not run again for that.</summary>
    public HubMessage? Answer { get; set; }

    public HubInstance Instance { get; } = instance;

    public HubAction? Activity { get; } = activity;

    public Instant Due { get; set; }

    public bool Void
    {
        get => _void;
        set => _void = value;
    }
}
