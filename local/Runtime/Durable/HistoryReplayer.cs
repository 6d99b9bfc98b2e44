using Microsoft.Extensions.Logging.Abstractions;

namespace Flex.Local.Runtime.Durable;

/// <summary>Is shown each generation of each instance when it ends, with its whole history.</summary>
public interface IExecutionRecorder
{
    void Ended(RecordedExecution execution);
}

/// <summary>One generation of an instance from its start to its end (or its continuation).</summary>
public sealed record RecordedExecution(string InstanceId, int Generation, GenerationStart Start, IReadOnlyList<HistoryTurn> Turns)
{
    /// <summary>The history as lines: per turn its time, what reached the orchestrator and what it asked for, with all payloads.</summary>
    public IReadOnlyList<string> Transcript() => [.. Turns.SelectMany(HistoryReplayer.Describe)];
}

/// <summary>Keeps what it is shown, for tests.</summary>
public sealed class ExecutionRecorder : IExecutionRecorder
{
    private readonly Lock _lock = new();
    private readonly List<RecordedExecution> _executions = [];

    public IReadOnlyList<RecordedExecution> Executions
    {
        get
        {
            lock (_lock)
            {
                return [.. _executions];
            }
        }
    }

    public void Ended(RecordedExecution execution)
    {
        lock (_lock)
        {
            _executions.Add(execution);
        }
    }
}

/// <summary>
/// Runs an orchestrator again from a recorded history, without a hub. The code is deterministic if the transcript is the
/// recorded one, every time: unlike the hub's own check this compares payloads too.
/// </summary>
public static class HistoryReplayer
{
    public static IReadOnlyList<string> Replay(ITaskInvoker invoker, RecordedExecution execution)
    {
        OrchestrationEpisode episode = Begin(invoker, execution);
        return [.. execution.Turns.SelectMany(turn => Describe(turn with { Actions = episode.Play(turn, replaying: true) }))];
    }

    /// <summary>The check the hub itself makes: the same actions in the same order. Payloads may differ, a newer build may write a member more.</summary>
    /// <exception cref="NonDeterministicOrchestrationException">The code asks for something else than it did.</exception>
    public static void Verify(ITaskInvoker invoker, RecordedExecution execution)
    {
        OrchestrationEpisode episode = Begin(invoker, execution);
        foreach (HistoryTurn turn in execution.Turns)
        {
            episode.Replay(turn);
        }
    }

    internal static IEnumerable<string> Describe(HistoryTurn turn)
    {
        yield return $"{turn.At}{(turn.Starts ? " start" : string.Empty)}";
        foreach (HubEvent happened in turn.Events)
        {
            yield return $"  < {happened.Kind} #{happened.Id} {happened.Name} {happened.Data}{happened.Failure}";
        }

        foreach (HubAction action in turn.Actions)
        {
            yield return $"  > {action} {action.Input}";
        }
    }

    private static OrchestrationEpisode Begin(ITaskInvoker invoker, RecordedExecution execution) =>
        new(invoker, NullLoggerFactory.Instance, execution.InstanceId, execution.Start, execution.Generation);
}
