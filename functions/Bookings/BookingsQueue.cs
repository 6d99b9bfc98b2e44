using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Bookings;

/// <summary>The consumer of queue <c>bookings</c>.</summary>
public sealed class BookingsQueue(MessageDispatcher dispatcher)
{
    [Function("Bookings_Consume")]
    public Task Consume(
        [ServiceBusTrigger(Queues.Bookings, Connection = Queues.Connection)] string message, CancellationToken cancellation) =>
        dispatcher.DispatchAsync(Queues.Bookings, message, cancellation);
}
