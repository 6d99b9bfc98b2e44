using NodaTime;

namespace Flex.Local.Runtime.Durable;

/// <summary>What an instance's next turn takes in. A pure decision over the inbox, the timers and the time.</summary>
/// <param name="Starts">The orchestrator is called in this turn.</param>
/// <param name="Suspended">Whether the instance is suspended after it.</param>
/// <param name="Terminate">The message that ends the instance; nothing else counts then.</param>
/// <param name="Consumed">Numbers of the inbox messages that are done with.</param>
internal sealed record TurnPlan(bool Starts, IReadOnlyList<HubEvent> Events, bool Suspended, HubMessage? Terminate, IReadOnlyList<long> Consumed)
{
    public bool RunsCode => Starts || Events.Count > 0;

    public bool IsEmpty => !RunsCode && Terminate is null && Consumed.Count == 0;

    public static TurnPlan For(HubInstance instance, Instant now)
    {
        bool suspended = instance.State.Suspended;
        bool starts = !instance.Started && !suspended && !(instance.Start.StartAt > now);
        bool ready = instance.Started || starts;
        List<long> consumed = [];
        List<(long Number, HubMessage Message)> accepted = [];
        List<(long Number, HubMessage Message)> held = [];
        foreach ((long Number, HubMessage Message) item in instance.Inbox)
        {
            switch (item.Message.Kind)
            {
                case HubMessageKind.Terminate:
                    return new TurnPlan(false, [], suspended, item.Message, [.. instance.Inbox.Select(m => m.Number)]);
                case HubMessageKind.Suspend:
                    suspended = true;
                    consumed.Add(item.Number);
                    break;
                case HubMessageKind.Resume:
                    suspended = false;
                    consumed.Add(item.Number);
                    accepted.AddRange(held);
                    held.Clear();
                    break;
                default:
                    (suspended || !ready ? held : accepted).Add(item);
                    break;
            }
        }

        // Resumed before its first turn: it starts now.
        starts |= !instance.Started && !suspended && !(instance.Start.StartAt > now);
        if (starts && !ready)
        {
            accepted.AddRange(held);
        }
        else if (!starts && !instance.Started)
        {
            accepted.Clear();
        }

        consumed.AddRange(accepted.Select(a => a.Number));
        List<HubEvent> events = starts ? [.. instance.Start.Carried] : [];
        Queue<KeyValuePair<int, Instant>> timers = suspended
            ? []
            : new(instance.Timers.Where(t => t.Value <= now).OrderBy(t => t.Value).ThenBy(t => t.Key));
        HashSet<(bool Activity, int Id)> answered = [];
        foreach ((_, HubMessage message) in accepted)
        {
            while (timers.TryPeek(out KeyValuePair<int, Instant> timer) && timer.Value <= message.At)
            {
                events.Add(Fired(timers.Dequeue().Key));
            }

            if (message.Kind == HubMessageKind.Event)
            {
                events.Add(new HubEvent(HubEventKind.EventRaised, 0, message.Name, message.Data, null));
            }
            else if (instance.Expects(message) && answered.Add((IsActivity(message), message.TaskId)))
            {
                events.Add(new HubEvent(KindOf(message), message.TaskId, null, message.Data, message.Failure));
            }
        }

        events.AddRange(timers.Select(t => Fired(t.Key)));
        return new TurnPlan(starts, events, suspended, null, consumed);
    }

    private static HubEvent Fired(int id) => new(HubEventKind.TimerFired, id, null, null, null);

    private static bool IsActivity(HubMessage message) => message.Kind is HubMessageKind.TaskCompleted or HubMessageKind.TaskFailed;

    private static HubEventKind KindOf(HubMessage answer) => answer.Kind switch
    {
        HubMessageKind.TaskCompleted => HubEventKind.TaskCompleted,
        HubMessageKind.TaskFailed => HubEventKind.TaskFailed,
        HubMessageKind.SubCompleted => HubEventKind.SubCompleted,
        _ => HubEventKind.SubFailed,
    };
}
