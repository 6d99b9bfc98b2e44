using Flex.DayPasses;
using Flex.Kernel;
using Flex.Members;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.DayPasses;

public sealed class PassChoiceTests
{
    private static readonly LocalDate Today = new(2025, 1, 8);

    public static TheoryData<string, LocalDate?, LocalDate?, int, DayPassState> Judged => new()
    {
        { "no ends", null, null, 1, DayPassState.Valid },
        { "valid from today, for ever", Today, null, 1, DayPassState.Valid },
        { "from ever to today", null, Today, 1, DayPassState.Valid },
        { "today only", Today, Today, 1, DayPassState.Valid },
        { "from tomorrow", Today.PlusDays(1), null, 1, DayPassState.Pending },
        { "to yesterday", null, Today.PlusDays(-1), 1, DayPassState.Expired },
        { "nothing left", null, null, 0, DayPassState.Used },
    };

    [Theory, Trait("Rule", "PAS-2")]
    [MemberData(nameof(Judged))]
    public void A_pass_is_valid_on_its_days_as_long_as_something_is_left(string what, LocalDate? from, LocalDate? to, int left, DayPassState expected)
    {
        Assert.True(expected == DayPass.Judge(new PassDays(from, to), left, Today), what);
    }

    [Fact, Trait("Rule", "PAS-5")]
    public void The_soonest_expiring_comes_first_and_what_never_expires_last()
    {
        Assert.Equal(["b", "c", "a"], OrderOf(Option("a"), Option("b", to: Today), Option("c", to: Today.PlusDays(9))));
    }

    [Fact, Trait("Rule", "PAS-5")]
    public void Of_passes_that_expire_together_the_personal_comes_before_the_companys_and_the_monthly_before_the_one_time()
    {
        PassOption shared = Option("a", isShared: true);
        PassOption personal = Option("b");
        PassOption monthly = Option("c", isMonthly: true);

        Assert.Equal(["c", "b", "a"], OrderOf(shared, personal, monthly));
        Assert.Equal(["a", "c", "b"], OrderOf(shared with { Days = new(null, Today) }, personal, monthly));
    }

    [Fact, Trait("Rule", "PAS-5")]
    public void Otherwise_the_older_comes_first()
    {
        Assert.Equal(["a", "b"], OrderOf(Option("b"), Option("a")));
    }

    [Fact, Trait("Rule", "PAS-3")]
    public void A_day_may_be_made_of_halves_of_two_passes_but_never_of_one_half()
    {
        PassTaking[] whole = [.. PassChoice.Choose([Option("a", left: 1), Option("b")], 2, Today).Value];

        Assert.Equal([("a", 1, 0), ("b", 1, 1)], whole.Select(t => (t.From.Id, t.Halves, t.Left)));
        Assert.Equal(ErrorCodes.NoPassesLeft, PassChoice.Choose([Option("a", left: 1)], 2, Today).Error?.Code);
    }

    public static TheoryData<string, PassOption[], string> Refused => new()
    {
        { "no pass at all", [], ErrorCodes.NoPassesLeft },
        { "a used one", [Option("a", left: 0)], ErrorCodes.NoPassesLeft },
        { "an expired one", [Option("a", to: Today.PlusDays(-1))], ErrorCodes.PassExpired },
        { "one used and then expired", [Option("a", to: Today.PlusDays(-1), left: 0)], ErrorCodes.PassExpired },
        { "one that is not valid yet", [Option("a", from: Today.PlusDays(1))], ErrorCodes.PassNotYetValid },
        { "an expired and a used one", [Option("a", to: Today.PlusDays(-1)), Option("b", left: 0)], ErrorCodes.PassExpired },
        { "a used one, and one used and long expired", [Option("a", to: Today.PlusDays(-99), left: 0), Option("b", left: 0)], ErrorCodes.NoPassesLeft },
        { "an expired one and one that is not valid yet", [Option("a", to: Today.PlusDays(-1)), Option("b", from: Today.PlusDays(1))], ErrorCodes.PassNotYetValid },
    };

    [Theory, Trait("Rule", "PAS-2")]
    [MemberData(nameof(Refused))]
    public void A_refusal_names_what_stands_in_the_way(string what, PassOption[] options, string code)
    {
        Assert.True(code == PassChoice.Choose(options, 2, Today).Error?.Code, what);
    }

    [Theory, Trait("Rule", "PAS-5")]
    [InlineData("2025-01-31", "2025-02-28", "2025-02-28", "2025-03-30")]
    [InlineData("2025-01-31", "2025-02-27", "2025-01-31", "2025-02-27")]
    [InlineData("2025-01-15", "2025-03-20", "2025-03-15", "2025-04-14")]
    [InlineData("2025-02-15", "2025-01-20", "2025-01-15", "2025-02-14")]
    public void The_cycle_of_a_day_is_counted_from_the_anchor(string anchor, string day, string first, string last)
    {
        MonthlyPass monthly = MonthlyPass.Of(Standing(Date(anchor)), new(10, null), new SiteCalendar("America/New_York"), Date(day));

        Assert.Equal((Date(first), Date(first), Date(last), 20), (monthly.Cycle, monthly.Days.From, monthly.Days.To, monthly.Halves));
    }

    [Fact]
    public void The_passes_of_a_membership_that_ends_within_the_cycle_end_with_it()
    {
        var calendar = new SiteCalendar("America/New_York");
        MembershipStanding ending = Standing(new(2025, 1, 1)) with { EndsAt = calendar.StartOfDay(new(2025, 1, 20)) };

        Assert.Equal(new LocalDate(2025, 1, 19), MonthlyPass.Of(ending, new(10, null), calendar, Today).Days.To);
    }

    private static LocalDate Date(string text) => NodaTime.Text.LocalDatePattern.Iso.Parse(text).Value;

    private static string[] OrderOf(params PassOption[] options) =>
        [.. PassChoice.Choose(options, options.Sum(o => o.Left), Today).Value.Select(t => t.From.Id)];

    private static PassOption Option(
        string id, LocalDate? from = null, LocalDate? to = null, int left = 2, bool isShared = false, bool isMonthly = false) =>
        new(id, isShared, isMonthly, new PassDays(from, to), left);

    private static MembershipStanding Standing(LocalDate anchor)
    {
        LocationId location = EntityId.Derive<LocationId>("here");
        return new(
            EntityId.Derive<MembershipId>("membership", EntityId.Home(location)),
            location,
            EntityId.Derive<PlanId>("plan"),
            1,
            "Plan",
            IsDefault: false,
            MembershipStatus.Active,
            anchor,
            EndsAt: null,
            Version: 1);
    }
}
