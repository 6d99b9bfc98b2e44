using Microsoft.DurableTask;

namespace Flex.Local.Runtime.Durable;

/// <summary>How the task hub calls the functions; by reflection in the host, by delegates in tests.</summary>
public interface ITaskInvoker
{
    bool HasOrchestrator(string name);

    bool HasActivity(string name);

    /// <summary>
    /// Calls the orchestrator and serialises its result (null when it has none). Called on the turn's thread under its
    /// synchronisation context, again and again for one instance; must not do anything asynchronous of its own.
    /// </summary>
    Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context);

    /// <summary>Calls the activity and serialises its result. What it throws fails the activity.</summary>
    Task<string?> InvokeActivityAsync(string name, string instanceId, string? serializedInput, CancellationToken cancellation);
}

/// <summary>Orchestrators and activities that are delegates.</summary>
public sealed class DelegateTaskInvoker : ITaskInvoker
{
    private readonly Dictionary<string, Func<TaskOrchestrationContext, Task<string?>>> _orchestrators = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Func<string?, CancellationToken, Task<string?>>> _activities = new(StringComparer.OrdinalIgnoreCase);

    public DelegateTaskInvoker Orchestrator<TResult>(string name, Func<TaskOrchestrationContext, Task<TResult>> run)
    {
        _orchestrators[name] = async context => StorageDataConverter.Instance.Serialize(await run(context));
        return this;
    }

    public DelegateTaskInvoker Orchestrator(string name, Func<TaskOrchestrationContext, Task> run)
    {
        _orchestrators[name] = async context =>
        {
            await run(context);
            return null;
        };
        return this;
    }

    public DelegateTaskInvoker Activity<TInput, TResult>(string name, Func<TInput, CancellationToken, Task<TResult>> run)
    {
        _activities[name] = async (input, cancellation) => StorageDataConverter.Instance.Serialize(
            await run(StorageDataConverter.Instance.Deserialize<TInput>(input)!, cancellation));
        return this;
    }

    public DelegateTaskInvoker Activity<TInput, TResult>(string name, Func<TInput, TResult> run) =>
        Activity<TInput, TResult>(name, (input, _) => Task.FromResult(run(input)));

    public bool HasOrchestrator(string name) => _orchestrators.ContainsKey(name);

    public bool HasActivity(string name) => _activities.ContainsKey(name);

    public Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context) => _orchestrators[name](context);

    public Task<string?> InvokeActivityAsync(string name, string instanceId, string? serializedInput, CancellationToken cancellation) =>
        _activities[name](serializedInput, cancellation);
}
