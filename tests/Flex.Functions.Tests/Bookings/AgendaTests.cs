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
    [InlineData("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", 0, "2025-01")]
    [InlineData("2025-01-31T23:00:00Z", "2025-02-01T00:00:00Z", 0, "2025-01")]
    [InlineData("2025-01-31T23:00:00Z", "2025-02-01T00:00:00Z", 5, "2025-01 2025-02")]
    [InlineData("2025-02-01T00:00:00Z", "2025-02-01T00:05:00Z", 0, "2025-02")]
    [InlineData("2024-12-31T12:00:00Z", "2025-01-31T12:00:00Z", 0, "2024-12 2025-01")]
    [InlineData("2024-12-31T12:00:00Z", "2025-02-01T00:00:00Z", 30, "2024-12 2025-01 2025-02")]
    public void Months_touched_are_those_with_occupied_time_in_them(string start, string end, int after, string months) => Assert.Equal(
        months,
        string.Join(' ', Slot("a", Parse(start), Parse(end), new Buffers(0, after)).Months().Select(m => m.ToString("uuuu-MM", null))));

    [Theory, Trait("Rule", "BKG-2")]
    [InlineData("10:00", "11:00", 0, 0, true)]
    [InlineData("11:00", "12:00", 0, 0, false)]
    [InlineData("09:00", "10:00", 0, 0, false)]
    [InlineData("11:00", "12:00", 5, 0, true)]
    [InlineData("11:05", "12:00", 5, 0, false)]
    [InlineData("09:00", "10:00", 0, 5, true)]
    [InlineData("10:55", "11:00", 0, 0, true)]
    [InlineData("09:00", "12:00", 0, 0, true)]
    public void Slots_that_share_time_conflict_and_buffers_count(string start, string end, int before, int after, bool conflicts)
    {
        Agenda agenda = Agenda.Empty.With(Slot("a", On("10:00"), On("11:00"), Buffers.None));

        Assert.Equal(conflicts, agenda.ConflictWith(Slot("b", On(start), On(end), new Buffers(before, after))) is not null);
        Assert.Null(agenda.ConflictWith(Slot("a", On(start), On(end), new Buffers(before, after))));
    }

    [Fact]
    public void A_full_month_of_five_minute_bookings_fits_into_a_row()
    {
        Instant start = Instant.FromUtc(2025, 1, 1, 0, 0);
        var agenda = new Agenda([.. Enumerable.Range(0, 31 * 288).Select(i => Slot(
            $"{i}", start + Duration.FromMinutes(5 * i), start + Duration.FromMinutes(5 * (i + 1)), Buffers.None))]);

        string json = Flex.Platform.StorageJson.Write(agenda);

        Assert.True(json.Length < Flex.Platform.Tables.TableLimits.MaxDataChars, $"{json.Length} characters");
        Assert.Equal(agenda.Slots, Flex.Platform.StorageJson.Read<Agenda>(json).Slots);
    }

    [Fact]
    public void A_slot_with_buffers_survives_storage()
    {
        Agenda agenda = Agenda.Empty.With(Slot("a", On("10:00"), On("11:00"), new Buffers(10, 25)));

        Assert.Equal(agenda.Slots, Flex.Platform.StorageJson.Read<Agenda>(Flex.Platform.StorageJson.Write(agenda)).Slots);
    }

    private static AgendaSlot Slot(string id, Instant start, Instant end, Buffers buffers) =>
        AgendaSlot.Of(EntityId.Derive<BookingId>(id, "abc123"), new Interval(start, end), buffers);

    private static Instant On(string time) => Parse($"2025-01-10T{time}:00Z");

    private static Instant At(string local) => NewYork.At(LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-ddTHH:mm").Parse(local).Value);

    private static Instant Parse(string text) => InstantPattern.General.Parse(text).Value;

    private static Money PriceOf(long hourly, Instant start, Duration length) =>
        RateRules.PriceOf(new RatedTime(Rates.Hourly(hourly), new Interval(start, start + length), NewYork, OpeningHours.Usual));
}
