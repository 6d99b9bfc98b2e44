using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.Messaging;

/// <summary>The consumer of <see cref="Queues.Outbox"/>.</summary>
public sealed class OutboxFunctions(QueueConsumer queue)
{
    [Function("Outbox_Consume")]
    public Task ConsumeAsync(
        [ServiceBusTrigger(Queues.Outbox, Connection = Queues.Connection)] ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions,
        CancellationToken cancellation) => queue.ConsumeAsync(Queues.Outbox, message, actions, cancellation);
}
