using Azure.Messaging.ServiceBus;
using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Bookings;

/// <summary>The consumer of queue <c>bookings</c>.</summary>
public sealed class BookingsQueue(QueueConsumer queue)
{
    [Function("Bookings_Consume")]
    public Task Consume(
        [ServiceBusTrigger(Queues.Bookings, Connection = Queues.Connection)] ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions,
        CancellationToken cancellation) => queue.ConsumeAsync(Queues.Bookings, message, actions, cancellation);
}
