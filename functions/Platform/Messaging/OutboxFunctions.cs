using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.Messaging;

/// <summary>The consumer of <see cref="Queues.Outbox"/>.</summary>
public sealed class OutboxFunctions(MessageDispatcher dispatcher)
{
    [Function("Outbox_Consume")]
    public Task ConsumeAsync(
        [ServiceBusTrigger(Queues.Outbox, Connection = Queues.Connection)] string message,
        CancellationToken cancellation) => dispatcher.DispatchAsync(Queues.Outbox, message, cancellation);
}
