using Azure.Messaging.ServiceBus;
using Flex.Memberships;
using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace Flex.Renewals;

/// <summary>Timer and queue of the renewals.</summary>
public sealed class RenewalConsumers(StartDueRenewals due, RenewalStarter starter, QueueConsumer queue)
{
    [Function("Renewals_Hourly")]
    public Task Hourly([TimerTrigger("0 0 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        due.RunAsync(client, cancellation);

    [Function("Renewals_Consume")]
    public Task Consume(
        [ServiceBusTrigger(Queues.Renewals, Connection = Queues.Connection)] ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) => queue.ConsumeAsync(
            Queues.Renewals, message, actions, RenewalLook.Subject, (look, ct) => starter.LookAsync(client, look, ct), cancellation);
}
