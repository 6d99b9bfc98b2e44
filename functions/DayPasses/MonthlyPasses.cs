using Flex.Catalogue;
using Flex.Members;
using Flex.Settings;
using NodaTime;

namespace Flex.DayPasses;

/// <summary>What a member's memberships give at a location on a day.</summary>
/// <param name="IsIncluded">A paid recurring membership without day passes in its plan: the member comes and goes as they like.</param>
public sealed record MembershipAccess(bool IsIncluded, IReadOnlyList<MonthlyPass> Passes);

/// <summary>
/// The day passes of a recurring plan in one monthly cycle. They are computed, never issued: what a cycle does not use is gone with it.
/// The doors follow the membership, not these.
/// </summary>
/// <param name="Cycle">First day of the cycle.</param>
/// <param name="Days">The cycle, or its part before the membership ends.</param>
/// <param name="Halves">Half days per cycle.</param>
public sealed record MonthlyPass(MembershipId MembershipId, LocationId LocationId, LocalDate Cycle, PassDays Days, int Halves)
{
    /// <summary>The cycle that holds the day, whatever the plan's interval.</summary>
    public static MonthlyPass Of(MembershipStanding standing, DayPassTerms terms, SiteCalendar calendar, LocalDate day)
    {
        CreditCycle cycle = CreditCycle.Of(standing.AnchorDate, day);
        LocalDate last = cycle.Until.PlusDays(-1);
        if (standing.EndsAt is { } end && calendar.DateOf(end).PlusDays(-1) is var lastOfMembership && lastOfMembership < last)
        {
            last = lastOfMembership;
        }

        return new MonthlyPass(
            standing.MembershipId, standing.LocationId, cycle.From, new PassDays(cycle.From, last), terms.Passes * DayPass.HalvesPerDay);
    }
}

/// <summary>Reads what memberships give. One point read per paid membership at the location.</summary>
public sealed class MonthlyPasses(CatalogueStore catalogue)
{
    public async Task<MembershipAccess> AtAsync(Member member, Location location, LocalDate day, CancellationToken cancellation)
    {
        bool isIncluded = false;
        var passes = new List<MonthlyPass>();
        foreach (MembershipStanding standing in member.Standing.Where(s => s.LocationId == location.Id && IsPaidOn(s, location.Calendar, day)))
        {
            Plan plan = await catalogue.FindPlanVersionAsync(standing.PlanId, standing.PlanVersion, cancellation)
                ?? throw new DefectException($"{standing.MembershipId} keeps version {standing.PlanVersion} of {standing.PlanId}, which does not exist.");
            if (plan is { Kind: PlanKind.Recurring, DayPasses: { } terms })
            {
                passes.Add(MonthlyPass.Of(standing, terms, location.Calendar, day));
            }

            isIncluded |= plan is { Kind: PlanKind.Recurring, DayPasses: null };
        }

        return new MembershipAccess(isIncluded, passes);
    }

    private static bool IsPaidOn(MembershipStanding standing, SiteCalendar calendar, LocalDate day) =>
        MemberStanding.IsPaid(standing) && !(standing.EndsAt <= calendar.StartOfDay(day));
}
