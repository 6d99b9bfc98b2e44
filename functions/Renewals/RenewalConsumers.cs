using Flex.Memberships;
using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace Flex.Renewals;

/// <summary>Timer and queue of the renewals.</summary>
public sealed class RenewalConsumers(StartDueRenewals due, RenewalStarter starter, MessageDispatcher dispatcher)
{
    [Function("Renewals_Hourly")]
    public Task Hourly([TimerTrigger("0 0 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        due.RunAsync(client, cancellation);

    [Function("Renewals_Consume")]
    public async Task Consume(
        [ServiceBusTrigger(Queues.Renewals, Connection = Queues.Connection)] string message,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        await starter.LookAsync(client, await dispatcher.OpenAsync(message, RenewalLook.Subject, cancellation), cancellation);
}
