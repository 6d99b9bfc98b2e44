using Flex.Memberships;
using Flex.Settings;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;

namespace Flex.Renewals;

/// <summary>
/// Starts, location by location, the day's run where anything is due, for one storage call each. The page it reads has the oldest dates
/// first, so what earlier days have left unfinished is in it, up to a thousand per location, and is reported.
/// </summary>
public sealed class StartDueRenewals(MembershipStore memberships, SettingsStore settings, TimeProvider time)
{
    /// <summary>Local hour from which the next local day's run is started too, so that its first slot, 00:01, is met in every zone.</summary>
    private const int LastHour = 23;

    /// <summary>A day's last slot is at 23:59; its charge has this long to be answered before it counts as unfinished.</summary>
    private static readonly Duration Grace = Duration.FromHours(1);

    public async Task RunAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        Instant now = time.Now();
        int unfinished = 0;
        foreach (Location location in await settings.ListLocationsAsync(cancellation))
        {
            LocalDateTime local = location.Calendar.LocalOf(now);
            LocalDate day = local.Hour >= LastHour ? local.Date.PlusDays(1) : local.Date;
            IReadOnlyList<DueMembership> due = await memberships.ListDueAsync(location.Id, day, null, RenewalActivities.PageSize, cancellation);
            unfinished += due.Count(d => d.IsUnfinished(location.Calendar.DateOf(now - Grace)));
            if (due.Count > 0)
            {
                await StartDayAsync(client, location.Id, day, cancellation);
            }
        }

        RenewalMetrics.ReportUnfinished(unfinished);
    }

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
