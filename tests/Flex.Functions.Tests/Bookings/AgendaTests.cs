using Flex.Bookings;
using Flex.Catalogue;
using Flex.Kernel;
using Flex.Settings;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class AgendaTests
{
    private static readonly SiteCalendar NewYork = new("America/New_York");

    [Theory]
    [InlineData("2025-03-09T01:00", "2025-03-09T04:00", 2, "24.00")]
    [InlineData("2025-11-02T00:30", "2025-11-02T03:30", 4, "48.00")]
    [InlineData("2025-03-08T23:00", "2025-03-09T23:00", 23, "276.00")]
    [Trait("Rule", "BKG-1")]
    public void What_is_billed_is_elapsed_time(string localStart, string localEnd, int hours, string price)
    {
        Duration elapsed = At(localEnd) - At(localStart);

        Assert.Equal(Duration.FromHours(hours), elapsed);
        Assert.Equal(price, PriceOf(1200, At(localStart), elapsed).ToDecimalString());
    }

    [Theory]
    [Trait("Rule", "BKG-9")]
    [InlineData(1200, 90, 1800)]
    [InlineData(1250, 5, 104)]
    [InlineData(6, 5, 1)]
    [InlineData(5, 5, 0)]
    [InlineData(100, 20, 33)]
    [InlineData(100, 40, 67)]
    [InlineData(-6, 5, -1)]
    [InlineData(0, 600, 0)]
    [InlineData(99999999999, 44640, 74399999999256)]
    public void A_price_is_rounded_once_half_away_from_zero(long hourly, int minutes, long price) =>
        Assert.Equal(price, PriceOf(hourly, Instant.FromUtc(2025, 1, 10, 0, 0), Duration.FromMinutes(minutes)).Minor);

    [Theory]
    [InlineData("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", "2025-01-10")]
    [InlineData("2025-01-10T23:00:00Z", "2025-01-11T00:00:00Z", "2025-01-10")]
    [InlineData("2025-01-11T00:00:00Z", "2025-01-11T00:05:00Z", "2025-01-11")]
    [InlineData("2025-01-31T23:55:00Z", "2025-02-01T00:05:00Z", "2025-01-31 2025-02-01")]
    [InlineData("2024-12-31T12:00:00Z", "2025-01-02T00:05:00Z", "2024-12-31 2025-01-01 2025-01-02")]
    public void Days_touched_are_those_with_time_in_them(string start, string end, string days) =>
        Assert.Equal(days, string.Join(' ', AgendaDays.Touched(Parse(start), Parse(end)).Select(d => d.ToString("uuuu-MM-dd", null))));

    [Fact]
    public void A_full_day_of_five_minute_bookings_fits_into_one_column()
    {
        Instant midnight = Instant.FromUtc(2025, 1, 10, 0, 0);
        Agenda agenda = Enumerable.Range(0, 288).Aggregate(Agenda.Empty, (a, i) => a.With(new AgendaSlot(
            EntityId.Derive<BookingId>($"{i}", "abc123"), (midnight.ToUnixTimeSeconds() / 60) + (5 * i), (midnight.ToUnixTimeSeconds() / 60) + (5 * (i + 1)))));

        Assert.True(Flex.Platform.StorageJson.Write(agenda).Length < Flex.Platform.Tables.TableLimits.MaxColumnChars);
        Assert.Equal(agenda.Slots, Flex.Platform.StorageJson.Read<Agenda>(Flex.Platform.StorageJson.Write(agenda)).Slots);
    }

    private static Instant At(string local) => NewYork.At(LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-ddTHH:mm").Parse(local).Value);

    private static Instant Parse(string text) => InstantPattern.General.Parse(text).Value;

    private static Money PriceOf(long hourly, Instant start, Duration length) =>
        RateRules.PriceOf(new RatedTime(Rates.Hourly(hourly), new Interval(start, start + length), NewYork, OpeningHours.Usual));
}
