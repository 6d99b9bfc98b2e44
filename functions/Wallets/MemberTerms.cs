using Flex.Catalogue;
using Flex.Members;
using NodaTime;

namespace Flex.Wallets;

/// <summary>The memberships that entitle a member, each with the plan it keeps. Pure.</summary>
/// <param name="Memberships">Active ones, those behind with their payment, and those that are about to end.</param>
public sealed record MemberTerms(Member Member, IReadOnlyList<MembershipTerms> Memberships)
{
    /// <summary>
    /// Those that count for what starts at an instant: they have not ended by then. The default membership counts when no other does.
    /// </summary>
    public IEnumerable<MembershipTerms> At(Instant start)
    {
        MembershipTerms[] lasting = [.. from m in Memberships where m.Standing.EndsAt is not { } ends || ends > start select m];
        return lasting.Any(m => !m.Standing.IsDefault) ? lasting.Where(m => !m.Standing.IsDefault) : lasting;
    }

    /// <summary>False: nothing in the wallet can matter for the resource at that time, so it need not be read.</summary>
    public bool MayDraw(Resource resource, Instant start) =>
        Member.HasWallet || At(start).Any(m => m.Plan.PassOffers.Count > 0 || m.Plan.Credits.Any(c => c.ResourceIds.Contains(resource.Id)));
}

/// <summary>A membership with the version of the plan that it keeps and the calendar of its location.</summary>
public sealed record MembershipTerms(MembershipStanding Standing, Plan Plan, SiteCalendar Calendar)
{
    /// <summary>The credit cycle that an instant lies in.</summary>
    public CreditCycle CycleAt(Instant at) => CreditCycle.Of(Standing.AnchorDate, Calendar.DateOf(at));
}
