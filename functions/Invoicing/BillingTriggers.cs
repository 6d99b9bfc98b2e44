using Azure.Messaging.ServiceBus;
using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Invoicing;

/// <summary>The queue of charges, bill runs, collection and reconciliation, and the daily bill run.</summary>
public sealed class BillingTriggers(QueueConsumer queue, StartBillRun billRuns)
{
    [Function("Billing_Consume")]
    public Task Consume(
        [ServiceBusTrigger(Queues.Billing, Connection = Queues.Connection)] ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions,
        CancellationToken cancellation) => queue.ConsumeAsync(Queues.Billing, message, actions, cancellation);

    /// <summary>At 03:00 UTC.</summary>
    [Function("BillRun_Daily")]
    public Task RunDaily([TimerTrigger("0 0 3 * * *")] TimerInfo timer, CancellationToken cancellation) => billRuns.DailyAsync(cancellation);
}
