using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace Flex.Local.Runtime.Durable;

internal enum EpisodeStatus
{
    Running,
    Completed,
    ContinuedAsNew,
    Failed,
}

internal sealed record EpisodeOutcome(EpisodeStatus Status, RawJson? Output = null, HubFailure? Failure = null, ContinuationRequest? Continuation = null);

/// <summary>
/// One run of an orchestrator's code from its start: the recorded turns are played, then perhaps a new one. Everything happens
/// on the calling thread and without waiting.
/// </summary>
internal sealed class OrchestrationEpisode
{
    private readonly TurnPump _pump = new();
    private readonly LocalOrchestrationContext _context;
    private readonly ITaskInvoker _invoker;
    private readonly GenerationStart _start;
    private Task<string?>? _result;

    public OrchestrationEpisode(ITaskInvoker invoker, ILoggerFactory loggers, string instanceId, GenerationStart start, int generation)
    {
        _invoker = invoker;
        _start = start;
        _context = new LocalOrchestrationContext(instanceId, start, generation, StorageDataConverter.Instance, loggers, _pump);
    }

    /// <summary>The custom status the code has set, else the one there was.</summary>
    public RawJson? CustomStatus(RawJson? before) => _context.HasCustomStatus ? _context.CustomStatus : before;

    public IReadOnlyList<HubEvent> UnconsumedEvents => _context.Unconsumed;

    /// <summary>Plays a recorded turn. Throws when the code now asks for something else than it did.</summary>
    /// <exception cref="NonDeterministicOrchestrationException">The replay diverges.</exception>
    public void Replay(HistoryTurn turn)
    {
        IReadOnlyList<HubAction> actions = Play(turn, replaying: true);
        for (int i = 0; i < Math.Max(actions.Count, turn.Actions.Count); i++)
        {
            HubAction? expected = i < turn.Actions.Count ? turn.Actions[i] : null;
            HubAction? actual = i < actions.Count ? actions[i] : null;
            if (expected is null || actual is null || !actual.IsSameAs(expected))
            {
                throw new NonDeterministicOrchestrationException(
                    $"The replay of '{_start.Name}' diverges from its history in the turn of {turn.At}: expected {Describe(expected)}, but it asked for {Describe(actual)}. "
                    + "The orchestrator's code is not deterministic or was changed while the instance ran.");
            }
        }
    }

    /// <summary>Plays a turn and gives what the code asked for.</summary>
    public IReadOnlyList<HubAction> Play(HistoryTurn turn, bool replaying)
    {
        _context.BeginTurn(turn.At, replaying);
        if (turn.Starts)
        {
            _pump.Run(() => _result = Start());
        }

        foreach (HubEvent happened in turn.Events)
        {
            bool expected = true;
            _pump.Run(() => expected = _context.Apply(happened));
            if (!expected)
            {
                throw new NonDeterministicOrchestrationException(
                    $"The replay of '{_start.Name}' diverges from its history in the turn of {turn.At}: {happened.Kind} #{happened.Id} answers nothing the orchestrator asked for.");
            }
        }

        return _context.EndTurn();
    }

    /// <summary>
    /// Where the orchestrator stands. What has returned or thrown still counts as running until its timers, activities and
    /// sub-orchestrations have come back, like in the real engine.
    /// </summary>
    /// <exception cref="InvalidOperationException">The code waits for something that is not durable.</exception>
    public EpisodeOutcome Close()
    {
        _pump.Close();
        if (_pump.Violated || (_result is { IsCompleted: false } && _context.OpenTasks == 0 && !_context.WaitsForEvents))
        {
            throw new InvalidOperationException(LocalOrchestrationContext.InvalidWait);
        }

        if (_result is not { IsCompleted: true } || _context.OpenTasks > 0)
        {
            return new EpisodeOutcome(EpisodeStatus.Running);
        }

        if (!_result.IsCompletedSuccessfully)
        {
            return new EpisodeOutcome(EpisodeStatus.Failed, Failure: HubFailure.From(_result.Exception?.InnerException ?? new TaskCanceledException(_result)));
        }

        return _context.Continuation is { } continuation
            ? new EpisodeOutcome(EpisodeStatus.ContinuedAsNew, Continuation: continuation)
            : new EpisodeOutcome(EpisodeStatus.Completed, Output: RawJson.From(_result.Result));
    }

    private Task<string?> Start()
    {
        if (!_invoker.HasOrchestrator(_start.Name))
        {
            return Task.FromException<string?>(new InvalidOperationException($"There is no orchestrator function '{_start.Name}'."));
        }

        try
        {
            return _invoker.InvokeOrchestratorAsync(_start.Name, _context);
        }
#pragma warning disable CA1031 // Whatever the code throws fails the instance, also before its first await.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            return Task.FromException<string?>(thrown);
        }
    }

    private static string Describe(HubAction? action) => action?.ToString() ?? "nothing";
}
