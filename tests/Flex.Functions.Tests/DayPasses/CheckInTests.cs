using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.Kernel;
using Flex.Local.Runtime.Queueing;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.DayPasses;

public sealed class CheckInTests
{
    private static readonly LocalDate Wednesday = new(2025, 1, 8);

    [Fact, Trait("Rule", "PAS-2")]
    public async Task A_pass_without_a_last_day_checks_in_and_one_left_leaves_none()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, from: desk.Today);

        Told checkIn = await desk.CheckInAsync(member);

        Assert.Equal((201, 1m, 0m), (checkIn.Status, checkIn.Used, checkIn.Remaining));
        Told pass = await desk.PassAsync(member);
        Assert.Equal(("used", 0m), ((string)pass.Body["state"]!, pass.Remaining));
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "PAS-2")]
    public async Task A_pass_without_any_days_checks_in()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, passes: 3);

        Told checkIn = await desk.CheckInAsync(member);

        Assert.Equal((201, 2m), (checkIn.Status, checkIn.Remaining));
    }

    [Theory, Trait("Rule", "PAS-2")]
    [InlineData(null, -1, ErrorCodes.PassExpired)]
    [InlineData(1, null, ErrorCodes.PassNotYetValid)]
    public async Task A_pass_outside_its_days_is_422_and_nothing_is_taken(int? from, int? to, string code)
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(
            member, from: from is { } first ? desk.Today.PlusDays(first) : null, to: to is { } last ? desk.Today.PlusDays(last) : null);

        Told refused = await desk.CheckInAsync(member);

        Assert.Equal((422, code), (refused.Status, refused.Code));
        Assert.Equal(1m, (await desk.PassAsync(member)).Remaining);
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "PAS-2")]
    public async Task A_used_up_pass_is_422_no_passes_left_from_the_next_day_on()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        await desk.CheckInAsync(member);

        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 600);
        Told refused = await desk.CheckInAsync(member);

        Assert.Equal((422, ErrorCodes.NoPassesLeft), (refused.Status, refused.Code));
    }

    [Fact, Trait("Rule", "PAS-2")]
    public async Task The_last_day_counts_to_its_end_on_the_locations_clock()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, to: Wednesday);
        await desk.IssueAsync(member, to: Wednesday);

        await desk.AdvanceToAsync(Wednesday, (24 * 60) - 1);
        Told late = await desk.CheckInAsync(member);
        await desk.AdvanceToAsync(Wednesday.PlusDays(1));
        Told afterwards = await desk.CheckInAsync(member);

        Assert.Equal(201, late.Status);
        Assert.Equal((422, ErrorCodes.PassExpired), (afterwards.Status, afterwards.Code));
    }

    [Fact, Trait("Rule", "PAS-3")]
    public async Task Coming_back_the_same_day_is_free_and_the_same_check_in()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, passes: 2);
        Told first = await desk.CheckInAsync(member);
        await desk.World.AdvanceAsync(Duration.FromHours(1));

        Told left = await desk.CheckOutAsync(first.Id);
        Told leftAgain = await desk.CheckOutAsync(first.Id);
        await desk.World.AdvanceAsync(Duration.FromHours(1));
        Told back = await desk.CheckInAsync(member);

        Assert.Equal(("2025-01-08T16:00:00Z", "staff"), ((string)left.Body["leftAt"]!, (string)left.Body["leftBy"]!));
        Assert.Equal(left.Body.ToJsonString(), leftAgain.Body.ToJsonString());
        Assert.Equal((201, first.Id, 1m), (back.Status, back.Id, back.Used));
        Assert.Null((string?)back.Body["leftAt"]);
        Assert.Equal(1m, (await desk.PassAsync(member)).Remaining);
    }

    [Fact, Trait("Rule", "PAS-3")]
    public async Task A_repeated_request_does_not_bring_back_in_who_has_gone()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        Told first = await desk.CheckInAsync(member, key: "once");
        await desk.World.AdvanceAsync(Duration.FromHours(1));
        await desk.CheckOutAsync(first.Id);

        Told again = await desk.CheckInAsync(member, key: "once");

        Assert.Equal((201, first.Body.ToJsonString()), (again.Status, again.Body.ToJsonString()));
        Assert.NotNull((string?)(await desk.GetAsync($"/api/v1/check-ins/{first.Id}")).Body["leftAt"]);
    }

    [Fact, Trait("Rule", "PAS-4")]
    public async Task Who_is_inside_at_midnight_is_checked_out_at_the_start_of_the_next_day()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, passes: 2);
        Told checkIn = await desk.CheckInAsync(member);

        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 30);
        Told over = await desk.GetAsync($"/api/v1/check-ins/{checkIn.Id}");
        Told next = await desk.CheckInAsync(member);

        Assert.Equal(("2025-01-09T05:00:00Z", "auto"), ((string)over.Body["leftAt"]!, (string)over.Body["leftBy"]!));
        Assert.Equal((201, 0m), (next.Status, next.Remaining));
        Assert.NotEqual(checkIn.Id, next.Id);
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "PAS-4")]
    public async Task Who_has_gone_before_midnight_keeps_the_time()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        Told left = await desk.CheckOutAsync((await desk.CheckInAsync(member)).Id);

        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 30);

        Told over = await desk.GetAsync($"/api/v1/check-ins/{left.Id}");
        Assert.Equal(((string)left.Body["leftAt"]!, "staff"), ((string)over.Body["leftAt"]!, (string)over.Body["leftBy"]!));
    }

    /// <summary>In Cairo the clock goes from 00:00 to 01:00 on 25 April 2025: the day before ends, and the next begins, at 01:00.</summary>
    [Fact, Trait("Rule", "PAS-4"), Trait("Rule", "REC-8")]
    public async Task Where_a_clock_change_swallows_midnight_the_day_ends_at_the_gap()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync("Africa/Cairo", Instant.FromUtc(2025, 4, 24, 20, 0));
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, to: new LocalDate(2025, 4, 24));
        Told checkIn = await desk.CheckInAsync(member);

        await desk.World.AdvanceToAsync(Instant.FromUtc(2025, 4, 24, 21, 59));
        Told inside = await desk.GetAsync($"/api/v1/check-ins/{checkIn.Id}");
        await desk.World.AdvanceToAsync(Instant.FromUtc(2025, 4, 24, 22, 1));
        Told over = await desk.GetAsync($"/api/v1/check-ins/{checkIn.Id}");

        Assert.Equal((201, "2025-04-24"), (checkIn.Status, (string)checkIn.Body["date"]!));
        Assert.Null((string?)inside.Body["leftAt"]);
        Assert.Equal(("2025-04-24T22:00:00Z", "auto"), ((string)over.Body["leftAt"]!, (string)over.Body["leftBy"]!));
    }

    /// <summary>9 March 2025 has 23 hours in New York, 2 November 25.</summary>
    [Theory, Trait("Rule", "PAS-3"), Trait("Rule", "REC-8")]
    [InlineData("2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z", "2025-03-10T04:00:00Z")]
    [InlineData("2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z", "2025-11-03T05:00:00Z")]
    public async Task A_day_of_23_or_25_hours_takes_one_pass(string start, string end, string leftAt)
    {
        Instant first = NodaTime.Text.InstantPattern.ExtendedIso.Parse(start).Value;
        Instant last = NodaTime.Text.InstantPattern.ExtendedIso.Parse(end).Value;
        await using FrontDesk desk = await FrontDesk.OpenAsync(start: first);
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, passes: 2);

        Told early = await desk.CheckInAsync(member);
        await desk.World.AdvanceToAsync(last - Duration.FromMinutes(1));
        Told late = await desk.CheckInAsync(member);
        await desk.World.AdvanceToAsync(last + Duration.FromMinutes(1));

        Assert.Equal((early.Id, 1m), (late.Id, late.Remaining));
        Assert.Equal(leftAt, (string?)(await desk.GetAsync($"/api/v1/check-ins/{early.Id}")).Body["leftAt"]);
        Assert.Equal(1m, (await desk.PassAsync(member)).Remaining);
    }

    [Fact, Trait("Rule", "PAS-5")]
    public async Task The_soonest_expiring_then_the_personal_then_the_companys_pass_is_taken()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        string shared = (await desk.IssueAsync(member, shared: true)).Id;
        string personal = (await desk.IssueAsync(member)).Id;
        string ending = (await desk.IssueAsync(member, to: desk.Today.PlusDays(5))).Id;

        List<string> taken = [];
        for (int day = 0; day < 3; day++)
        {
            await desk.AdvanceToAsync(Wednesday.PlusDays(day), 11 * 60);
            taken.Add((string)(await desk.CheckInAsync(member)).Body["passes"]![0]!["passId"]!);
        }

        Assert.Equal([ending, personal, shared], taken);
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "CAT-2"), Trait("Rule", "PAS-5")]
    public async Task The_passes_of_a_recurring_plan_come_monthly_and_are_not_carried_over()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        string plan = await desk.PlanAsync(PlanKind.Recurring, new DayPassTerms(2, null));
        string membership = await desk.AssignAsync(member, plan, Wednesday.PlusDays(3));

        Told before = await desk.PassAsync(member);
        Told first = await desk.CheckInAsync(member);
        await desk.AdvanceToAsync(Wednesday.PlusDays(3), 600);
        Told renewed = await desk.PassAsync(member);
        Told second = await desk.CheckInAsync(member);
        await desk.AdvanceToAsync(Wednesday.PlusDays(4), 600);
        await desk.CheckInAsync(member);
        await desk.AdvanceToAsync(Wednesday.PlusDays(5), 600);
        Told none = await desk.CheckInAsync(member);

        Assert.Equal(("monthly", membership, "valid", 2m), ((string)before.Body["source"]!, (string)before.Body["membershipId"]!, (string)before.Body["state"]!, before.Remaining));
        Assert.Equal(("2024-12-11", "2025-01-10"), ((string)before.Body["validFrom"]!, (string)before.Body["validTo"]!));
        Assert.Equal(1m, first.Remaining);
        Assert.Equal(2m, renewed.Remaining);
        Assert.Equal((201, 1m), (second.Status, second.Remaining));
        Assert.Equal((422, ErrorCodes.NoPassesLeft), (none.Status, none.Code));
        await desk.AssertSoundAsync();
    }

    [Fact]
    public async Task A_paid_recurring_membership_without_day_passes_includes_coming_and_going()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        await desk.AssignAsync(member, await desk.PlanAsync(PlanKind.Recurring, null));

        Told checkIn = await desk.CheckInAsync(member);

        Assert.Equal((201, 0m, null), (checkIn.Status, checkIn.Used, checkIn.Remaining));
        Assert.Equal(1m, (await desk.PassAsync(member)).Remaining);
    }

    [Fact, Trait("Rule", "PAS-1"), Trait("Rule", "CAT-2")]
    public async Task A_one_off_plan_sells_its_passes_once_to_a_person_without_another_membership()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        string plan = await desk.PlanAsync(PlanKind.OneOff, new DayPassTerms(5, 30));

        Told refused = await desk.CheckInAsync(member);
        string membership = await desk.AssignAsync(member, plan);
        await desk.World.AdvanceAsync(Duration.FromMinutes(5));
        Told pass = await desk.PassAsync(member);
        Told checkIn = await desk.CheckInAsync(member);
        await desk.AdvanceToAsync(new LocalDate(2025, 3, 20), 600);
        Told muchLater = await desk.GetAsync($"/api/v1/memberships/{membership}");
        Told expired = await desk.PassAsync(member);

        Assert.Equal((422, ErrorCodes.NoPassesLeft), (refused.Status, refused.Code));
        Assert.Equal(("sale", "2025-01-08", "2025-02-06"), ((string)pass.Body["source"]!, (string)pass.Body["validFrom"]!, (string)pass.Body["validTo"]!));
        Assert.Equal((201, 4m), (checkIn.Status, checkIn.Remaining));
        Assert.Equal(("active", null), ((string)muchLater.Body["status"]!, (string?)muchLater.Body["nextRenewalOn"]));
        Assert.Equal(("expired", 4m), ((string)expired.Body["state"]!, expired.Remaining));
        await desk.AssertSoundAsync();
    }

    /// <summary>Every message comes twice, some late, and the request is repeated.</summary>
    [Fact, Trait("Rule", "PAS-1")]
    public async Task A_sign_up_for_a_one_off_plan_issues_its_passes_exactly_once()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync(hostile: new HostileDelivery(7, Duplicates: 1, Delays: 0.5, Duration.FromMinutes(20)));
        string member = await desk.MemberAsync();
        string plan = await desk.PlanAsync(PlanKind.OneOff, new DayPassTerms(1, null));
        using HttpClient self = desk.World.AsMember(member);

        for (int time = 0; time < 2; time++)
        {
            Told signUp = await FrontDesk.SendAsync(self, HttpMethod.Post, "/api/v1/memberships/sign-up", new() { ["planId"] = plan }, "sign-up");
            Assert.Equal("active", (string?)signUp.Body["status"]);
            await desk.World.AdvanceAsync(Duration.FromHours(2));
        }

        Told pass = await desk.PassAsync(member);
        Assert.Equal(("sale", 1m), ((string)pass.Body["source"]!, pass.Remaining));
        Assert.Equal(201, (await desk.CheckInAsync(member)).Status);
    }

    [Fact]
    public async Task Cancelling_takes_away_what_is_left_and_repeats_change_nothing()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        Told pass = await desk.IssueAsync(member, passes: 3);
        await desk.CheckInAsync(member);

        Told cancelled = await desk.DeleteAsync($"/api/v1/members/{member}/day-passes/{pass.Id}");
        Told again = await desk.DeleteAsync($"/api/v1/members/{member}/day-passes/{pass.Id}");
        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 600);
        Told refused = await desk.CheckInAsync(member);

        Assert.Equal((200, "cancelled", 1m, 0m), (cancelled.Status, (string)cancelled.Body["state"]!, cancelled.Used, cancelled.Remaining));
        Assert.Equal(cancelled.Body.ToJsonString(), again.Body.ToJsonString());
        Assert.Equal((422, ErrorCodes.NoPassesLeft), (refused.Status, refused.Code));
        await desk.AssertSoundAsync();
    }

    [Fact]
    public async Task A_member_sees_and_uses_only_their_own()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string ann = await desk.MemberAsync();
        string bob = await desk.MemberAsync(await desk.CustomerAsync("Other"));
        Told pass = await desk.IssueAsync(ann);
        using HttpClient ann1 = desk.World.AsMember(ann);
        using HttpClient bob1 = desk.World.AsMember(bob);
        JsonObject here = new() { ["locationId"] = desk.Location };

        Told checkIn = await FrontDesk.SendAsync(ann1, HttpMethod.Post, "/api/v1/check-ins", here.DeepClone().AsObject());
        Told own = await FrontDesk.SendAsync(ann1, HttpMethod.Get, $"/api/v1/members/{ann}/day-passes", null);
        int[] others =
        [
            (await FrontDesk.SendAsync(bob1, HttpMethod.Get, $"/api/v1/members/{ann}/day-passes", null)).Status,
            (await FrontDesk.SendAsync(bob1, HttpMethod.Get, $"/api/v1/check-ins/{checkIn.Id}", null)).Status,
            (await FrontDesk.SendAsync(bob1, HttpMethod.Post, $"/api/v1/check-ins/{checkIn.Id}/check-out", null)).Status,
            (await FrontDesk.SendAsync(bob1, HttpMethod.Post, "/api/v1/check-ins", new() { ["locationId"] = desk.Location, ["memberId"] = ann })).Status,
            (await desk.DeleteAsync($"/api/v1/members/{bob}/day-passes/{pass.Id}")).Status,
        ];
        Told left = await FrontDesk.SendAsync(ann1, HttpMethod.Post, $"/api/v1/check-ins/{checkIn.Id}/check-out", null);

        Assert.Equal((201, 200), (checkIn.Status, own.Status));
        Assert.Equal([404, 404, 404, 404, 404], others);
        Assert.Equal("member", (string?)left.Body["leftBy"]);
    }

    [Fact]
    public async Task Staff_list_who_was_there_on_a_day()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string ann = await desk.MemberAsync();
        string bob = await desk.MemberAsync();
        await desk.IssueAsync(ann, passes: 2, shared: true);
        await desk.IssueAsync(bob);
        string[] first = [(await desk.CheckInAsync(ann)).Id, (await desk.CheckInAsync(bob)).Id];
        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 600);
        string second = (await desk.CheckInAsync(ann)).Id;

        Assert.Equal(first.Order(StringComparer.Ordinal), await ListAsync("&date=2025-01-08"));
        Assert.Equal([second], await ListAsync(string.Empty));
        Assert.Empty(await ListAsync("&date=2025-01-10"));
        Told page = await desk.GetAsync($"/api/v1/check-ins?locationId={desk.Location}&date=2025-01-08&limit=1");
        Assert.Equal((1, true), (page.Body["results"]!.AsArray().Count, (bool)page.Body["hasMore"]!));
        Assert.Single(await ListAsync($"&date=2025-01-08&limit=1&cursor={page.Body["cursorNext"]}"));

        async Task<string[]> ListAsync(string filter) =>
            [.. (await desk.GetAsync($"/api/v1/check-ins?locationId={desk.Location}{filter}")).Body["results"]!.AsArray().Select(c => (string)c!["id"]!)];
    }

    [Fact]
    public async Task A_pass_opens_only_its_location()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        string elsewhere = (await desk.PostAsync("/api/v1/locations", new() { ["name"] = "There", ["timeZone"] = "Europe/Berlin", ["currency"] = "eur" })).Id;

        Told refused = await desk.PostAsync("/api/v1/check-ins", new() { ["locationId"] = elsewhere, ["memberId"] = member });

        Assert.Equal((422, ErrorCodes.NoPassesLeft), (refused.Status, refused.Code));
    }
}
