using Azure.Messaging.ServiceBus;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Functions;
using Flex.Local.Runtime.Queueing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Flex.Local.Runtime.Hosting;

/// <summary>Hands queued messages to the functions with a trigger on their queue.</summary>
internal sealed class FunctionMessageReceiver : IMessageReceiver
{
    private readonly Dictionary<string, FunctionDescriptor> _byQueue;
    private readonly FunctionInvoker _invoker;

    public FunctionMessageReceiver(FunctionCatalogue catalogue, FunctionInvoker invoker)
    {
        _invoker = invoker;
        _byQueue = [];
        foreach ((FunctionDescriptor function, QueueFunctionTrigger trigger) in catalogue.Having<QueueFunctionTrigger>())
        {
            if (!_byQueue.TryAdd(trigger.Queue, function))
            {
                throw new FunctionDiscoveryException(
                    $"{function.Name} and {_byQueue[trigger.Queue].Name} both consume '{trigger.Queue}': each would see half of it.");
            }
        }
    }

    public bool Listens(string queue) => _byQueue.ContainsKey(queue);

    public Task ReceiveAsync(string queue, ServiceBusReceivedMessage message, ServiceBusMessageActions actions, CancellationToken cancellation) =>
        _invoker.InvokeAsync(_byQueue[queue], new Invocation(_ => message)
        {
            MessageActions = actions,
            BindingData = new Dictionary<string, object?> { ["deliveryCount"] = message.DeliveryCount },
            Cancellation = cancellation,
        });
}

/// <summary>Calls orchestrators and activities by their function name.</summary>
internal sealed class FunctionTaskInvoker(FunctionCatalogue catalogue, FunctionInvoker invoker) : ITaskInvoker
{
    public bool HasOrchestrator(string name) => catalogue.Find(name) is { Trigger: OrchestrationFunctionTrigger };

    public bool HasActivity(string name) => catalogue.Find(name) is { Trigger: ActivityFunctionTrigger };

    public async Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context) =>
        StorageDataConverter.Instance.Serialize(await invoker.InvokeAsync(catalogue.Find(name)!, new Invocation(_ => context)));

    public async Task<string?> InvokeActivityAsync(string name, string instanceId, string? serializedInput, CancellationToken cancellation) =>
        StorageDataConverter.Instance.Serialize(await invoker.InvokeAsync(
            catalogue.Find(name)!,
            new Invocation(type => StorageDataConverter.Instance.Deserialize(serializedInput, type))
            {
                BindingData = new Dictionary<string, object?> { ["instanceId"] = instanceId },
                Cancellation = cancellation,
            }));
}
