using Azure.Messaging.ServiceBus;
using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Access;

/// <summary>The queue worker of the doors.</summary>
public sealed class AccessQueue(QueueConsumer queue)
{
    [Function("Access_Message")]
    public Task Consume(
        [ServiceBusTrigger(Queues.Access, Connection = Queues.Connection)] ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions,
        CancellationToken cancellation) => queue.ConsumeAsync(Queues.Access, message, actions, cancellation);
}

/// <summary>Every quarter of an hour the doors that are not in line are looked at again (ACC-2).</summary>
public sealed class AccessTimers(ReconcilePendingAccess reconcile)
{
    [Function("Access_Reconcile")]
    public Task Reconcile([TimerTrigger("0 */15 * * * *")] TimerInfo timer, CancellationToken cancellation) => reconcile.RunAsync(cancellation);
}
