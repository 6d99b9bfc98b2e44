using Flex.Catalogue;
using Flex.Local.Simulators.Salto;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.DayPasses;

/// <summary>What passes mean for the doors, up to the user at the simulated Salto.</summary>
public sealed class DayPassAccessTests
{
    private static readonly LocalDate Wednesday = new(2025, 1, 8);

    [Fact, Trait("Rule", "PAS-6"), Trait("Rule", "ACC-4")]
    public async Task The_last_unit_opens_the_doors_to_the_end_of_its_day_and_then_frees_the_seat()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, passes: 2, groups: [desk.Group]);

        await DoorsAsync(desk, member, open: true);
        await desk.CheckInAsync(member);
        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 600);
        await DoorsAsync(desk, member, open: true);
        await desk.CheckInAsync(member);
        await desk.AdvanceToAsync(Wednesday.PlusDays(1), (24 * 60) - 1);
        await DoorsAsync(desk, member, open: true, after: Duration.Zero);
        await desk.AdvanceToAsync(Wednesday.PlusDays(2), 15);

        await DoorsAsync(desk, member, open: false);
        Assert.Equal("suspended", (await desk.SaltoUserAsync(member))!.SubscriptionState);
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "ACC-3")]
    public async Task A_pass_opens_doors_on_its_days_and_on_no_other()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, passes: 5, from: Wednesday.PlusDays(2), to: Wednesday.PlusDays(3), groups: [desk.Group]);

        await DoorsAsync(desk, member, open: false);
        await desk.AdvanceToAsync(Wednesday.PlusDays(2));
        await DoorsAsync(desk, member, open: true);
        await desk.AdvanceToAsync(Wednesday.PlusDays(3), (24 * 60) - 1);
        await DoorsAsync(desk, member, open: true, after: Duration.Zero);
        await desk.AdvanceToAsync(Wednesday.PlusDays(4));

        await DoorsAsync(desk, member, open: false);
        Assert.Equal("suspended", (await desk.SaltoUserAsync(member))!.SubscriptionState);
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "ACC-4")]
    public async Task Another_pass_keeps_the_doors_open()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, to: Wednesday, groups: [desk.Group]);
        await desk.IssueAsync(member, groups: [desk.Group]);
        await desk.CheckInAsync(member);

        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 60);

        await DoorsAsync(desk, member, open: true);
    }

    [Fact, Trait("Rule", "ACC-4")]
    public async Task A_cancelled_pass_closes_the_doors_at_once_and_leaves_the_seat_to_staff()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        Told pass = await desk.IssueAsync(member, groups: [desk.Group]);
        await DoorsAsync(desk, member, open: true);

        await desk.DeleteAsync($"/api/v1/members/{member}/day-passes/{pass.Id}");

        await DoorsAsync(desk, member, open: false);
        Assert.Equal("subscribed", (await desk.SaltoUserAsync(member))!.SubscriptionState);
        Assert.Equal("revokedByHand", (string?)(await desk.GetAsync($"/api/v1/members/{member}/access")).Body["attention"]);
    }

    [Fact, Trait("Rule", "PAS-6"), Trait("Rule", "PAS-1")]
    public async Task The_doors_of_a_sold_pass_follow_the_pass_and_not_its_membership()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.AssignAsync(member, await desk.PlanAsync(PlanKind.OneOff, new DayPassTerms(1, null), desk.Group));
        await DoorsAsync(desk, member, open: true);
        await desk.CheckInAsync(member);

        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 15);

        await DoorsAsync(desk, member, open: false);
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "PAS-6")]
    public async Task A_shared_pass_opens_doors_for_who_has_checked_in_with_it_that_day()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string customer = await desk.CustomerAsync();
        string ann = await desk.MemberAsync(customer);
        string bob = await desk.MemberAsync(customer);
        await desk.IssueAsync(ann, passes: 5, shared: true, groups: [desk.Group]);
        await DoorsAsync(desk, ann, open: false);

        Told checkIn = await desk.CheckInAsync(ann);
        await DoorsAsync(desk, ann, open: true);
        await DoorsAsync(desk, bob, open: false);
        await desk.CheckOutAsync(checkIn.Id);
        await DoorsAsync(desk, ann, open: true);
        await desk.AssertSoundAsync();
        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 15);

        await DoorsAsync(desk, ann, open: false);
        Assert.Equal("suspended", (await desk.SaltoUserAsync(ann))!.SubscriptionState);
        await desk.AssertSoundAsync();
    }

    private static async Task DoorsAsync(FrontDesk desk, string member, bool open, Duration? after = null)
    {
        await desk.World.AdvanceAsync(after ?? Duration.FromMinutes(5));
        SaltoUserFacts? user = await desk.SaltoUserAsync(member);
        Assert.Equal(open, user is { CanOpen: true });
    }
}
