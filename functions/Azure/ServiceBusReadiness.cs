using Azure.Messaging.ServiceBus;
using Flex.Platform.Health;
using Flex.Platform.Messaging;

namespace Flex.Hosting;

/// <summary>Peeks into one queue, which takes nothing from it. The receiver is kept: making a link for each look would cost more than the look.</summary>
public sealed class ServiceBusReadiness(ServiceBusClient client) : IReadinessCheck, IAsyncDisposable
{
    private readonly Lazy<ServiceBusReceiver> _receiver = new(() => client.CreateReceiver(Queues.Outbox));

    public string Dependency => Dependencies.Queue;

    public Task CheckAsync(CancellationToken cancellation) => _receiver.Value.PeekMessageAsync(fromSequenceNumber: null, cancellation);

    public ValueTask DisposeAsync() => _receiver.IsValueCreated ? _receiver.Value.DisposeAsync() : ValueTask.CompletedTask;
}
