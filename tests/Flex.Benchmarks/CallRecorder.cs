using Azure.Messaging.ServiceBus;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Queueing;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Benchmarks;

/// <summary>How often an action ran and what it cost in storage calls.</summary>
internal sealed record CallCount(long Times, long Calls, int Most)
{
    public double Average => (double)Calls / Times;
}

/// <summary>Counts the storage calls of every message consumed and every activity run, by subject and name. For worlds: not thread-safe.</summary>
internal sealed class CallRecorder
{
    private readonly Dictionary<string, CallCount> _counts = new(StringComparer.Ordinal);

    /// <summary>Null when it has not run.</summary>
    public CallCount? Of(string action) => _counts.GetValueOrDefault(action);

    public long Total => _counts.Values.Sum(c => c.Calls);

    public void Clear() => _counts.Clear();

    /// <summary>Puts the counting around what a runtime calls functions by.</summary>
    public void Attach(IServiceCollection services)
    {
        Wrap<IMessageReceiver>(services, inner => new Receiver(this, inner));
        Wrap<ITaskInvoker>(services, inner => new Invoker(this, inner));
    }

    private static void Wrap<T>(IServiceCollection services, Func<T, T> wrap)
        where T : class
    {
        Type inner = services.Last(s => s.ServiceType == typeof(T)).ImplementationType!;
        services.AddSingleton(s => wrap((T)ActivatorUtilities.CreateInstance(s, inner)));
    }

    private async Task<T> CountAsync<T>(string action, Func<Task<T>> run)
    {
        using StorageCallScope calls = StorageCalls.Measure();
        T result = await run();
        CallCount before = _counts.GetValueOrDefault(action) ?? new CallCount(0, 0, 0);
        _counts[action] = new CallCount(before.Times + 1, before.Calls + calls.Count, Math.Max(before.Most, calls.Count));
        return result;
    }

    private sealed class Receiver(CallRecorder recorder, IMessageReceiver inner) : IMessageReceiver
    {
        public bool Listens(string queue) => inner.Listens(queue);

        public Task ReceiveAsync(string queue, ServiceBusReceivedMessage message, ServiceBusMessageActions actions, CancellationToken cancellation) =>
            recorder.CountAsync(StorageJson.Read<Envelope>(message.Body.ToString()).Subject, async () =>
            {
                await inner.ReceiveAsync(queue, message, actions, cancellation);
                return true;
            });
    }

    private sealed class Invoker(CallRecorder recorder, ITaskInvoker inner) : ITaskInvoker
    {
        public bool HasOrchestrator(string name) => inner.HasOrchestrator(name);

        public bool HasActivity(string name) => inner.HasActivity(name);

        public Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context) => inner.InvokeOrchestratorAsync(name, context);

        public Task<string?> InvokeActivityAsync(string name, string instanceId, string? serializedInput, CancellationToken cancellation) =>
            recorder.CountAsync(name, () => inner.InvokeActivityAsync(name, instanceId, serializedInput, cancellation));
    }
}
