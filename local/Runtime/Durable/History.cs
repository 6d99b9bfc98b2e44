using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;

namespace Flex.Local.Runtime.Durable;

/// <summary>What can reach an orchestrator from outside.</summary>
public enum HubEventKind
{
    TaskCompleted,
    TaskFailed,
    TimerFired,
    EventRaised,
    SubCompleted,
    SubFailed,
}

/// <summary>One thing that reached the orchestrator. <paramref name="Id"/> is that of the action it answers; 0 for raised events.</summary>
public sealed record HubEvent(HubEventKind Kind, int Id, string? Name, RawJson? Data, HubFailure? Failure);

/// <summary>What an orchestrator can ask for.</summary>
public enum HubActionKind
{
    Activity,
    Timer,
    TimerCancelled,
    SubOrchestration,
    SendEvent,
}

/// <summary>
/// One thing the orchestrator asked for. Ids count from 0 within a generation; a cancellation has the id of its timer.
/// <paramref name="Target"/> is the instance a sub-orchestration or event goes to.
/// </summary>
public sealed record HubAction(HubActionKind Kind, int Id, string? Name, RawJson? Input, Instant? FireAt, string? Target)
{
    /// <summary>True when a replay asks for the same. Inputs may differ: a newer build may write a member more.</summary>
    public bool IsSameAs(HubAction other) => this == other with { Input = Input };

    public override string ToString() => Kind switch
    {
        HubActionKind.Timer => $"timer #{Id} at {FireAt}",
        HubActionKind.TimerCancelled => $"cancellation of timer #{Id}",
        HubActionKind.SubOrchestration => $"sub-orchestration #{Id} '{Name}' as '{Target}'",
        HubActionKind.SendEvent => $"event #{Id} '{Name}' to '{Target}'",
        _ => $"activity #{Id} '{Name}'",
    };
}

/// <summary>Why something failed, as data. No stack trace: history must not depend on how the process ran.</summary>
public sealed record HubFailure(string Type, string Message, HubFailure? Inner)
{
    /// <summary>Longer messages are cut, so that an exception that quotes a document cannot fill the history.</summary>
    private const int MaxMessage = 8_000;

    public static HubFailure From(Exception exception) => new(
        exception.GetType().FullName ?? exception.GetType().Name,
        exception.Message.Length > MaxMessage ? exception.Message[..MaxMessage] : exception.Message,
        exception.InnerException is { } inner ? From(inner) : null);

    public TaskFailureDetails ToDetails() => new(Type, Message, null, Inner?.ToDetails(), null);

    /// <summary>The text the real host puts into a failed instance's output.</summary>
    public override string ToString() => $"{Type}: {Message}";
}

/// <summary>
/// One turn: what reached the orchestrator, in order, and everything it asked for in consequence. Time stands still within a
/// turn. A replay must answer the same events with the same actions, turn by turn.
/// </summary>
/// <param name="Starts">The turn in which the orchestrator is called.</param>
public sealed record HistoryTurn(Instant At, bool Starts, IReadOnlyList<HubEvent> Events, IReadOnlyList<HubAction> Actions);

/// <summary>Who waits for an instance's end: one sub-orchestration action of one execution.</summary>
public sealed record ParentLink(string Name, string InstanceId, string Execution, int Generation, int TaskId);

/// <summary>How a generation began: by a client, a parent, or as the continuation of the one before.</summary>
/// <param name="Execution">Unique for each start of an instance id; the same for all its generations.</param>
/// <param name="Carried">Events the generation before has not consumed.</param>
/// <param name="Replaces">A finished instance of the same id exists and is overwritten when this one finishes.</param>
public sealed record GenerationStart(
    string Name,
    RawJson? Input,
    Instant CreatedAt,
    Instant? StartAt,
    string Execution,
    ParentLink? Parent,
    IReadOnlyList<HubEvent> Carried,
    bool Replaces);

/// <summary>An instance's state after a log record.</summary>
/// <param name="LowWater">Inbox messages below this number are consumed.</param>
/// <param name="Consumed">Numbers above <paramref name="LowWater"/> that are consumed too (control messages overtake events of a suspended instance).</param>
/// <param name="Seen">Ids of the last events from other instances, so that one delivered twice counts once.</param>
public sealed record InstanceState(
    OrchestrationRuntimeStatus Status,
    bool Suspended,
    Instant UpdatedAt,
    RawJson? CustomStatus,
    RawJson? Output,
    HubFailure? Failure,
    long LowWater,
    IReadOnlyList<long>? Consumed,
    IReadOnlyList<string>? Seen)
{
    public bool IsFinished => Status is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    public string? SerializedOutput => Failure?.ToString() ?? Output?.Text;
}

/// <summary>
/// One atomic step of an instance: a generation's start or a turn, the messages that leave with it, the state after it. The
/// log is only ever appended to, so a step is one insert and no step can be half done.
/// </summary>
public sealed record LogRecord(GenerationStart? Start, HistoryTurn? Turn, IReadOnlyList<HubMessage>? Outbox, InstanceState State);

public enum HubMessageKind
{
    Event,
    TaskCompleted,
    TaskFailed,
    SubCompleted,
    SubFailed,
    Suspend,
    Resume,
    Terminate,
    StartSub,
}

/// <summary>What waits in an instance's inbox or leaves through its outbox.</summary>
/// <param name="At">When it was accepted.</param>
/// <param name="Id">For messages between instances: the same when delivered again.</param>
/// <param name="Target">For messages between instances: the receiver.</param>
/// <param name="Execution">For answers: the execution (and generation) that asked; another one ignores it.</param>
public sealed record HubMessage(
    HubMessageKind Kind,
    Instant At,
    string? Id = null,
    string? Target = null,
    string? Execution = null,
    int Generation = 0,
    int TaskId = 0,
    string? Name = null,
    RawJson? Data = null,
    HubFailure? Failure = null,
    ParentLink? Parent = null,
    bool Recursive = false);

/// <summary>What remains of an instance that has ended.</summary>
/// <param name="Body">Input, output and custom status; null when they are too large for the row and stored beside it.</param>
public sealed record FinishedInstance(
    string Name,
    string Execution,
    OrchestrationRuntimeStatus Status,
    Instant CreatedAt,
    Instant UpdatedAt,
    ParentLink? Parent,
    InstanceBody? Body);

public sealed record InstanceBody(RawJson? Input, RawJson? Output, HubFailure? Failure, RawJson? CustomStatus);
