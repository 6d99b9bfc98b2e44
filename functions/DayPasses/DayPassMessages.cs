using System.Globalization;
using Flex.Access;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.DayPasses;

/// <summary>Command: a one-off plan with day passes was sold; issue them. Queue <c>bookings</c>. The passes' id follows from the membership's.</summary>
/// <param name="ValidDays">Days of validity from the day of issue; null: never expires.</param>
public sealed record IssueSoldPasses(
    MembershipId MembershipId,
    MemberId MemberId,
    CustomerId CustomerId,
    LocationId LocationId,
    int Passes,
    int? ValidDays,
    IReadOnlyList<string> AccessGroups)
{
    public const string Subject = "day-passes.issue.v1";
}

/// <summary>Command: look whether a pass opens doors from this local day on. Queue <c>bookings</c>, delivered at the start of the day.</summary>
public sealed record ReviewDayPass(DayPassId DayPassId, LocalDate On)
{
    public const string Subject = "day-pass.review.v1";
}

/// <summary>Command: the day of a check-in is over. Queue <c>bookings</c>, delivered at the start of the next local day.</summary>
public sealed record EndCheckInDay(CheckInId CheckInId)
{
    public const string Subject = "check-in.end-day.v1";
}

/// <summary>Command: a shared pass was taken; give it back if no check-in came of it. Queue <c>bookings</c>, delivered when the lease ends.</summary>
/// <param name="Had">Half days the check-in had before; see <see cref="PassUse"/>.</param>
/// <param name="Version">Of the hold.</param>
public sealed record ReleaseSharedPass(CustomerId CustomerId, CheckInId CheckInId, int Had, long Version)
{
    public const string Subject = "day-pass.release.v1";
}

/// <summary>
/// What has to be heard when passes and check-ins change. Ids are made of the thing, its version and the meaning, so a repeated change
/// repeats its messages instead of adding new ones.
/// </summary>
public static class DayPassMessages
{
    public static IEnumerable<OutboxMessage> Of(DayPass? before, DayPass after, SiteCalendar calendar, Instant now)
    {
        if (after.MemberId is { } member && (before?.IsGranted ?? false) != after.IsGranted)
        {
            yield return Entitlement(member, after.Id.Value, after.Version, after.IsGranted ? after.AccessGroups : [], after.EndReason());
        }

        foreach (LocalDate day in after.Turns().Except(before?.Turns() ?? []).Where(day => calendar.StartOfDay(day) > now))
        {
            yield return OutboxMessage.Create(
                string.Create(CultureInfo.InvariantCulture, $"{after.Id}.{after.Version}.{day:uuuuMMdd}"),
                Queues.Bookings,
                ReviewDayPass.Subject,
                new ReviewDayPass(after.Id, day),
                calendar.StartOfDay(day) - now);
        }
    }

    public static IEnumerable<OutboxMessage> Of(CheckIn? before, CheckIn after, SiteCalendar calendar, Instant now)
    {
        int known = before is { IsOver: false } ? before.AccessGroups.Count : 0;
        IReadOnlyList<string> groups = after.IsOver ? [] : after.AccessGroups;
        if (known != groups.Count)
        {
            yield return Entitlement(after.MemberId, after.Id.Value, after.Version, groups, AccessEndReason.Utilized);
        }

        if (before is null)
        {
            yield return OutboxMessage.Create(
                $"{after.Id}.end-day",
                Queues.Bookings,
                EndCheckInDay.Subject,
                new EndCheckInDay(after.Id),
                Duration.Max(Duration.Zero, calendar.StartOfDay(after.Date.PlusDays(1)) - now));
        }
    }

    public static OutboxMessage Release(SharedHold hold) => OutboxMessage.Create(
        string.Create(CultureInfo.InvariantCulture, $"{hold.CheckInId}.{hold.Had}.{hold.Version}.release"),
        Queues.Bookings,
        ReleaseSharedPass.Subject,
        new ReleaseSharedPass(hold.CustomerId, hold.CheckInId, hold.Had, hold.Version),
        SharedHold.Lease);

    private static OutboxMessage Entitlement(MemberId member, string source, long version, IReadOnlyList<string> groups, AccessEndReason reason) =>
        OutboxMessage.Create(
            string.Create(CultureInfo.InvariantCulture, $"{source}.{version}.entitlement"),
            Queues.Access,
            EntitlementChanged.Subject,
            new EntitlementChanged(member, source, version, groups, groups.Count > 0 ? null : reason));
}
