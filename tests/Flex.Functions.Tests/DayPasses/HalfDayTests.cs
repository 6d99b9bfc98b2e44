using System.Text.Json.Nodes;
using Flex.Kernel;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.DayPasses;

/// <summary>The location is open nine hours on weekdays: half a day is 4 h 30.</summary>
public sealed class HalfDayTests
{
    private static readonly LocalDate Wednesday = new(2025, 1, 8);

    [Fact, Trait("Rule", "PAS-3")]
    public async Task Without_the_setting_there_are_no_half_days()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);

        Told refused = await desk.CheckInAsync(member, halfDay: true);

        Assert.Equal((422, ErrorCodes.InvalidValue, "/halfDay"), (refused.Status, refused.Code, (string?)refused.Body["errors"]![0]!["pointer"]));
        Assert.Equal(1m, (await desk.PassAsync(member)).Remaining);
    }

    [Theory, Trait("Rule", "PAS-3")]
    [InlineData(270, 0.5)]
    [InlineData(271, 1.0)]
    public async Task A_stay_of_half_the_opening_hours_takes_half_a_pass_and_a_longer_one_all_of_it(int minutes, double used)
    {
        await using FrontDesk desk = await HalfDaysAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        Told checkIn = await desk.CheckInAsync(member, halfDay: true);
        Assert.Equal((201, 0.5m, 0.5m), (checkIn.Status, checkIn.Used, checkIn.Remaining));

        await desk.World.AdvanceAsync(Duration.FromMinutes(minutes));
        Told left = await desk.CheckOutAsync(checkIn.Id);

        Assert.Equal(((decimal)used, false), (left.Used, (bool)left.Body["hasOverstayed"]!));
        Assert.Equal(1m - (decimal)used, (await desk.PassAsync(member)).Remaining);
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "PAS-3")]
    public async Task The_stays_of_a_day_are_added_up_and_the_time_outside_is_not()
    {
        await using FrontDesk desk = await HalfDaysAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        string id = (await desk.CheckInAsync(member, halfDay: true)).Id;
        await desk.World.AdvanceAsync(Duration.FromHours(3));
        await desk.CheckOutAsync(id);
        await desk.World.AdvanceAsync(Duration.FromHours(6));

        await desk.CheckInAsync(member, halfDay: true);
        await desk.World.AdvanceAsync(Duration.FromMinutes(90));
        Told enough = await desk.CheckOutAsync(id);
        await desk.CheckInAsync(member, halfDay: true);
        await desk.World.AdvanceAsync(Duration.FromMinutes(1));
        Told tooLong = await desk.CheckOutAsync(id);

        Assert.Equal(0.5m, enough.Used);
        Assert.Equal(1m, tooLong.Used);
    }

    [Fact, Trait("Rule", "PAS-3")]
    public async Task A_whole_day_after_a_half_one_takes_the_other_half()
    {
        await using FrontDesk desk = await HalfDaysAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        Told half = await desk.CheckInAsync(member, halfDay: true);

        Told whole = await desk.CheckInAsync(member);
        Told again = await desk.CheckInAsync(member);

        Assert.Equal((half.Id, 1m, 0m), (whole.Id, whole.Used, whole.Remaining));
        Assert.Equal(whole.Body.ToJsonString(), again.Body.ToJsonString());
        await desk.AssertSoundAsync();
    }

    [Fact, Trait("Rule", "PAS-3")]
    public async Task Who_overstays_without_another_half_may_leave_and_it_is_noted()
    {
        await using FrontDesk desk = await HalfDaysAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member);
        await desk.CheckOutAsync((await desk.CheckInAsync(member, halfDay: true)).Id);
        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 9 * 60);
        Told whole = await desk.CheckInAsync(member);
        Told checkIn = await desk.CheckInAsync(member, halfDay: true);

        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 18 * 60);
        Told left = await desk.CheckOutAsync(checkIn.Id);

        Assert.Equal((422, ErrorCodes.NoPassesLeft), (whole.Status, whole.Code));
        Assert.Equal((200, 0.5m, true), (left.Status, left.Used, (bool)left.Body["hasOverstayed"]!));
        Assert.NotNull((string?)left.Body["leftAt"]);
        await desk.AssertSoundAsync();
    }

    /// <summary>The other half is the pass's last: its doors close with the day, although the day is settled after its end.</summary>
    [Fact, Trait("Rule", "PAS-3"), Trait("Rule", "PAS-4"), Trait("Rule", "PAS-6")]
    public async Task A_half_day_that_nobody_ended_becomes_a_whole_one_at_midnight()
    {
        await using FrontDesk desk = await HalfDaysAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, to: Wednesday, groups: [desk.Group]);
        Told checkIn = await desk.CheckInAsync(member, halfDay: true);

        await desk.AdvanceToAsync(Wednesday.PlusDays(1), 30);

        Told over = await desk.GetAsync($"/api/v1/check-ins/{checkIn.Id}");
        Assert.Equal((1m, "auto", false), (over.Used, (string?)over.Body["leftBy"], (bool)over.Body["hasOverstayed"]!));
        Assert.False((await desk.SaltoUserAsync(member))!.CanOpen);
        await desk.AssertSoundAsync();
    }

    private static async Task<FrontDesk> HalfDaysAsync()
    {
        FrontDesk desk = await FrontDesk.OpenAsync();
        await desk.UseHalfDaysAsync();
        return desk;
    }
}
