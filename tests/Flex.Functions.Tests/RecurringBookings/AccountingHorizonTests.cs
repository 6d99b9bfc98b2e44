using Flex.RecurringBookings;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

public sealed class AccountingHorizonTests
{
    [Theory, Trait("Rule", "REC-2")]
    [InlineData("2025-01-15", "2025-03-15")]
    [InlineData("2025-12-31", "2026-02-28")]
    [InlineData("2023-12-30", "2024-02-29")]
    [InlineData("2025-06-30", "2025-08-30")]
    public void The_horizon_is_two_calendar_months_clamped(string today, string last) => Assert.Equal(Day(last), AccountingHorizon.Of(Day(today)));

    [Theory, Trait("Rule", "REC-2")]
    [InlineData("2025-03-15", "2025-01-15")]
    // 28 February is reached from 28 December on, 30 April only from 1 March on, 31 August from 1 July on.
    [InlineData("2026-02-28", "2025-12-28")]
    [InlineData("2025-04-30", "2025-03-01")]
    [InlineData("2025-08-31", "2025-07-01")]
    public void An_occurrence_is_accounted_on_the_first_day_that_reaches_it(string date, string entry) =>
        Assert.Equal(Day(entry), AccountingHorizon.EntryOf(Day(date)));

    [Fact, Trait("Rule", "REC-2")]
    public void Entry_is_the_first_day_whose_horizon_reaches_the_date_for_every_date_of_thirty_years()
    {
        LocalDate first = new(2020, 1, 1);
        LocalDate today = first.PlusMonths(-3);
        for (LocalDate date = first; date.Year < 2050; date = date.PlusDays(1))
        {
            while (today.PlusMonths(2) < date)
            {
                today = today.PlusDays(1);
            }

            Assert.Equal(today, AccountingHorizon.EntryOf(date));
        }
    }

    private static LocalDate Day(string text) => LocalDatePattern.Iso.Parse(text).Value;
}
