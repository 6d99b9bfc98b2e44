using Flex.Members;
using Flex.Platform.Http;
using NodaTime;

namespace Flex.Memberships;

/// <summary>A membership as the API shows it.</summary>
/// <param name="Price">Net, per interval.</param>
/// <param name="NextRenewalOn">Local date; stays while the membership is delinquent; null for one that does not renew.</param>
/// <param name="FailedAttempts">Rungs of the retry ladder that have failed, 0 to 4.</param>
/// <param name="NextAttemptOn">Local date of the next retry; null when none is planned.</param>
public sealed record MembershipView(
    MembershipId Id,
    MemberId MemberId,
    CustomerId CustomerId,
    LocationId LocationId,
    PlanId PlanId,
    string PlanName,
    bool IsDefault,
    Money Price,
    int IntervalMonths,
    MembershipStatus Status,
    LocalDate StartedOn,
    LocalDate? NextRenewalOn,
    int FailedAttempts,
    LocalDate? NextAttemptOn,
    bool PaymentInProgress,
    LocalDate? CancelOn,
    Instant? EndedAt,
    Instant CreatedAt,
    long Version) : IVersioned
{
    public static MembershipView Of(Membership membership, SiteCalendar calendar) => new(
        membership.Id,
        membership.MemberId,
        membership.CustomerId,
        membership.LocationId,
        membership.Plan.PlanId,
        membership.Plan.Name,
        membership.Plan.IsDefault,
        membership.Plan.Price,
        membership.Plan.IntervalMonths,
        membership.Status,
        calendar.DateOf(membership.CreatedAt),
        membership.NextRenewalOn,
        membership.Ladder?.FailedRungs ?? 0,
        membership.Ladder?.NextRungOn,
        membership.InFlight is not null,
        membership.CancelOn,
        membership.EndedAt,
        membership.CreatedAt,
        membership.Version);
}
