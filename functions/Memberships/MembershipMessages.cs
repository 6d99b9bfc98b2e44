using Flex.Access;
using Flex.Bookings;
using Flex.DayPasses;
using Flex.Members;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Memberships;

/// <summary>Command: something about the membership's renewal may have changed; look at the facts again. Queue <c>renewals</c>.</summary>
/// <param name="Because">The event that running orchestrations are told of: one of the constants.</param>
public sealed record RenewalLook(MembershipId MembershipId, string Because)
{
    public const string Subject = "renewal.look.v1";

    public const string PaymentSettled = "PaymentSettled";
    public const string PaymentSourceUpdated = "PaymentSourceUpdated";
    public const string StatusChanged = "StatusChanged";
}

/// <summary>Command: finish a sign-up whose request was cut off. Queue <c>memberships</c>.</summary>
public sealed record ResumeSignUp(MembershipId MembershipId)
{
    public const string Subject = "sign-up.resume.v1";
}

/// <summary>
/// What the rest of Flex has to hear when a membership changes. Ids are made of membership, version and meaning, so a
/// repeated change repeats its messages instead of adding new ones.
/// </summary>
public static class MembershipMessages
{
    public static IEnumerable<OutboxMessage> Of(Membership? before, Membership after, SiteCalendar calendar, AccessEndReason endReason)
    {
        MembershipStanding standing = after.ToStanding(calendar);
        if (before is null || before.ToStanding(calendar) with { Version = 0 } != standing with { Version = 0 })
        {
            yield return Create(after, "standing", Queues.Memberships, MembershipChanged.Subject, new MembershipChanged(after.MemberId, standing));
        }

        bool entitledBefore = before is { IsOpen: true };
        if (after.Plan.OwnAccessGroups.Count > 0 && entitledBefore != after.IsOpen)
        {
            yield return Create(
                after,
                "entitlement",
                Queues.Access,
                EntitlementChanged.Subject,
                new EntitlementChanged(
                    after.MemberId,
                    after.Id.Value,
                    after.Version,
                    after.IsOpen ? after.Plan.OwnAccessGroups : [],
                    after.IsOpen ? null : endReason));
        }

        if (!entitledBefore && after is { IsOpen: true, Plan.SoldPasses: { } sold })
        {
            yield return Create(
                after,
                "day-passes",
                Queues.Bookings,
                IssueSoldPasses.Subject,
                new IssueSoldPasses(
                    after.Id, after.MemberId, after.CustomerId, after.LocationId, sold.Passes, sold.ValidDays, after.Plan.AccessGroups));
        }

        if (entitledBefore && after.Status == MembershipStatus.Downgraded && after.EndedAt is { } ended)
        {
            yield return Create(
                after,
                "bookings",
                Queues.Bookings,
                CancelFutureBookings.Subject,
                new CancelFutureBookings(after.MemberId, ended, BookingCancelReason.Downgraded));
        }
    }

    /// <summary>Asks the renewals to look; sent by changes that were not made by the renewals themselves.</summary>
    public static OutboxMessage Look(Membership after, string because) =>
        Create(after, "look", Queues.Renewals, RenewalLook.Subject, new RenewalLook(after.Id, because));

    public static OutboxMessage Resume(Membership pending, Duration after) =>
        Create(pending, "resume", Queues.Memberships, ResumeSignUp.Subject, new ResumeSignUp(pending.Id), after);

    private static OutboxMessage Create<T>(Membership after, string what, string queue, string subject, T body, Duration? delay = null) =>
        OutboxMessage.Create($"{after.Id}.{after.Version}.{what}", queue, subject, body, delay);
}
