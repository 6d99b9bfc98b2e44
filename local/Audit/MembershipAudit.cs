using Flex.Invoicing;
using Flex.Members;
using Flex.Memberships;

namespace Flex.Local.Audit;

/// <summary>A period is paid at most once, an ended membership owes nothing, and the members' records say the same.</summary>
internal static class MembershipAudit
{
    public static IEnumerable<Finding> Check(IReadOnlyCollection<Membership> memberships, BillingSnapshot billing)
    {
        Dictionary<MembershipId, Membership> byId = memberships.ToDictionary(m => m.Id);
        foreach (Membership membership in memberships)
        {
            if (membership.Status == MembershipStatus.Delinquent != (membership.Ladder is not null) && membership.IsOpen)
            {
                yield return new Finding("ladder", $"{membership.Id} is {membership.Status} {(membership.Ladder is null ? "without" : "with")} a ladder.");
            }

            if (membership.IsOpen && (membership.EndedAt is not null || (membership.CancelOn is not null && membership.Status != MembershipStatus.PendingCancellation)))
            {
                yield return new Finding("ended", $"{membership.Id} was ended or cancelled and is {membership.Status}.");
            }

            if (!membership.IsOpen && membership.Status != MembershipStatus.Pending && membership.NextRenewalOn is { } on)
            {
                yield return new Finding("ended", $"{membership.Id} is {membership.Status} and would renew on {on}.");
            }
        }

        // The attempt's invoice is made before the membership hears of it, and the outcome is heard of later still; but what
        // the membership believes to be paid must be paid.
        HashSet<(MembershipId Id, NodaTime.LocalDate Period)> paid = [.. billing.Entries
            .Select(e => e.Invoice)
            .Where(i => i is { Period: not null, Settlement: Settlement.Paid or Settlement.PartiallyRefunded or Settlement.Refunded })
            .Select(i => (i.Period!.MembershipId, i.Period.PeriodStart))];
        foreach ((MembershipId id, NodaTime.LocalDate period) in paid)
        {
            if (byId.TryGetValue(id, out Membership? membership) && membership is { Status: MembershipStatus.Downgraded, Ladder: { FailedRungs: 4 } ladder, CancelOn: null }
                && ladder.PeriodStart == period)
            {
                yield return new Finding("downgrade", $"{id} was downgraded although its period of {period} is paid.");
            }
        }
    }

    public static IEnumerable<Finding> CheckStandings(IEnumerable<Membership> memberships, IEnumerable<Member> members)
    {
        Dictionary<MemberId, Member> byId = members.ToDictionary(m => m.Id);
        foreach (Membership membership in memberships.Where(m => m.Status != MembershipStatus.Pending))
        {
            MembershipStanding? standing = byId.GetValueOrDefault(membership.MemberId)?.Standing.FirstOrDefault(s => s.MembershipId == membership.Id);
            if (standing?.Status != membership.Status)
            {
                yield return new Finding("standing", $"{membership.Id} is {membership.Status}; its member's record says {standing?.Status.ToString() ?? "nothing"}.");
            }
        }
    }
}
