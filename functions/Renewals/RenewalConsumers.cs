using Azure.Messaging.ServiceBus;
using Flex.Memberships;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;

namespace Flex.Renewals;

/// <summary>Timer and queue of the renewals.</summary>
public sealed class RenewalConsumers(
    MembershipStore memberships, SettingsStore settings, RenewalStarter starter, QueueConsumer queue, TimeProvider time)
{
    /// <summary>Local hour from which the next local day's run is started too, so that its first slot, 00:01, is met in every zone.</summary>
    private const int LastHour = 23;

    /// <summary>Every hour and location: starts the day's run when anything is due. Costs one storage call per location when nothing is.</summary>
    [Function("Renewals_Hourly")]
    public async Task Hourly([TimerTrigger("0 0 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        foreach (Location location in await settings.ListLocationsAsync(cancellation))
        {
            LocalDateTime local = location.Calendar.LocalOf(time.Now());
            LocalDate day = local.Hour >= LastHour ? local.Date.PlusDays(1) : local.Date;
            if ((await memberships.ListDueAsync(location.Id, day, null, 1, cancellation)).Count > 0)
            {
                await StartDayAsync(client, location.Id, day, cancellation);
            }
        }
    }

    [Function("Renewals_Consume")]
    public Task Consume(
        [ServiceBusTrigger(Queues.Renewals, Connection = Queues.Connection)] ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) => queue.ConsumeAsync(
            Queues.Renewals, message, actions, RenewalLook.Subject, (look, ct) => starter.LookAsync(client, look, ct), cancellation);

    private static async Task StartDayAsync(DurableTaskClient client, LocationId location, LocalDate day, CancellationToken cancellation)
    {
        string instance = RenewalNames.DayInstance(location, day);
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                RenewalNames.Day, new RenewalDayInput(location, day, null, instance), new StartOrchestrationOptions(instance), cancellation);
        }
        catch (DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException)
        {
            // The run of an hour ago has not finished; it reads the list as it goes.
        }
    }
}
