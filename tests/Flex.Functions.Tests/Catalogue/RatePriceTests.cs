using System.Globalization;
using System.Numerics;
using CsCheck;
using Flex.Catalogue;
using Flex.Kernel;
using Flex.Settings;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.Catalogue;

/// <summary>What a rate makes of a time. 2025-01-10 is a Friday; New York's clocks change on 2025-03-09 and 2025-11-02, both Sundays.</summary>
[Trait("Rule", "CAT-8")]
public sealed class RatePriceTests
{
    private static readonly LocalDateTimePattern LocalPattern = LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-ddTHH:mm");

    private static readonly SiteCalendar NewYork = new("America/New_York");

    private static readonly Gen<SiteCalendar> Calendars = Gen.OneOf([
        Gen.Const(NewYork), Gen.Const(new SiteCalendar("Europe/Berlin")), Gen.Const(new SiteCalendar("Australia/Lord_Howe")), Gen.Const(new SiteCalendar("America/Santiago"))]);

    [Theory]
    [InlineData("2025-01-10T09:00", "2025-01-10T10:30", 1800)]
    [InlineData("2025-01-10T17:00", "2025-01-10T19:00", 1200 + 800)]
    [InlineData("2025-01-10T06:00", "2025-01-10T08:00", 1600)]
    [InlineData("2025-01-10T23:00", "2025-01-11T01:00", 800 + 2000)]
    [InlineData("2025-01-12T23:00", "2025-01-13T10:00", 2000 + (9 * 800) + 1200)]
    [InlineData("2025-03-09T00:00", "2025-03-10T00:00", 23 * 2000)]
    [InlineData("2025-11-02T00:00", "2025-11-03T00:00", 25 * 2000)]
    [Trait("Rule", "CAT-6")]
    public void Hours_have_their_price_weekend_before_outside_opening_hours(string start, string end, long price) =>
        Assert.Equal(price, PriceOf(Rates.Hourly(1200) with { WeekendHourlyPrice = Rates.Usd(2000), OutsideHoursHourlyPrice = Rates.Usd(800) }, start, end));

    [Theory]
    [InlineData("2025-01-11T12:00", "2025-01-11T13:00", 800)]
    [InlineData("2025-01-10T12:00", "2025-01-10T13:00", 1200)]
    [Trait("Rule", "CAT-6")]
    public void Without_a_weekend_price_a_closed_weekend_is_outside_opening_hours(string start, string end, long price) =>
        Assert.Equal(price, PriceOf(Rates.Hourly(1200) with { OutsideHoursHourlyPrice = Rates.Usd(800) }, start, end));

    [Fact]
    [Trait("Rule", "CAT-6")]
    public void The_line_is_rounded_once_and_not_per_class()
    {
        // 30 min at 0.01 and 30 min at 0.01 are 0.01 together; rounded apart they would be 0.02.
        Assert.Equal(1, PriceOf(Rates.Hourly(1) with { OutsideHoursHourlyPrice = Rates.Usd(1) }, "2025-01-10T17:30", "2025-01-10T18:30"));

        // 5 min at 0.03 are a quarter of a cent, 5 min at 0.09 three quarters: together exactly 1.
        Assert.Equal(1, PriceOf(Rates.Hourly(3) with { OutsideHoursHourlyPrice = Rates.Usd(9) }, "2025-01-10T17:55", "2025-01-10T18:05"));
    }

    [Theory]
    [InlineData("2025-01-10T09:00", "2025-01-10T09:05", 4000)]
    [InlineData("2025-01-10T00:00", "2025-01-11T00:00", 4000)]
    [InlineData("2025-01-10T23:55", "2025-01-11T00:05", 4000 + 5000)]
    [InlineData("2025-01-10T12:00", "2025-01-13T12:00", 8000 + 10000)]
    [InlineData("2025-03-09T00:00", "2025-03-10T00:00", 5000)]
    [InlineData("2025-11-02T00:00", "2025-11-03T00:00", 5000)]
    [Trait("Rule", "CAT-7")]
    public void A_day_is_a_local_day_touched_whatever_its_length(string start, string end, long price) =>
        Assert.Equal(price, PriceOf(Rates.None with { DailyPrice = Rates.Usd(4000), WeekendDailyPrice = Rates.Usd(5000) }, start, end));

    [Theory]
    [InlineData("2025-01-10T09:00", "2025-01-10T09:05", 1)]
    [InlineData("2025-01-10T09:00", "2025-01-10T13:30", 1)]
    [InlineData("2025-01-10T09:00", "2025-01-10T13:35", 2)]
    [InlineData("2025-01-10T09:00", "2025-01-10T18:05", 3)]
    [InlineData("2025-01-11T09:00", "2025-01-11T13:35", 2)]
    public void A_half_day_is_half_of_the_first_days_opening_time(string start, string end, int units) =>
        Assert.Equal(units * 2500, PriceOf(Rates.None with { HalfDayPrice = Rates.Usd(2500) }, start, end));

    [Theory]
    [InlineData(null, 360)]
    [InlineData("10:00-15:00", 150)]
    [InlineData("10:00-10:05", 150)]
    public void A_closed_day_counts_as_the_longest_day_and_a_place_never_open_as_twelve_hours(string? mondays, int unit)
    {
        OpeningHours hours = new(mondays is null ? [] : [Opening(IsoDayOfWeek.Monday, mondays), Opening(IsoDayOfWeek.Tuesday, "10:00-15:00")]);
        Rate rate = Rates.None with { HalfDayPrice = Rates.Usd(100) };
        Instant start = At("2025-01-10T08:00");

        Assert.Equal(100, RateRules.PriceOf(new RatedTime(rate, new Interval(start, start + Duration.FromMinutes(unit)), NewYork, hours)).Minor);
        Assert.Equal(200, RateRules.PriceOf(new RatedTime(rate, new Interval(start, start + Duration.FromMinutes(unit + 1)), NewYork, hours)).Minor);
        Assert.Equal(2 * unit, hours.DayMinutes(new LocalDate(2025, 1, 10)));
    }

    [Theory]
    [InlineData("2025-01-10T09:00", "2025-01-10T10:00", 1)]
    [InlineData("2025-01-10T09:00", "2025-01-17T00:00", 1)]
    [InlineData("2025-01-10T09:00", "2025-01-17T00:05", 2)]
    [InlineData("2025-01-10T00:00", "2025-01-24T00:00", 2)]
    public void A_week_is_seven_days_touched(string start, string end, int weeks) =>
        Assert.Equal(weeks * 9900, PriceOf(Rates.None with { WeekPrice = Rates.Usd(9900) }, start, end));

    [Theory]
    [InlineData("2025-01-10T09:00", "2025-01-10T10:00", 1)]
    [InlineData("2025-01-10T09:00", "2025-02-10T00:00", 1)]
    [InlineData("2025-01-10T09:00", "2025-02-10T00:05", 2)]
    [InlineData("2025-02-01T00:00", "2025-03-01T00:00", 1)]
    [InlineData("2025-01-31T00:00", "2025-02-28T00:00", 1)]
    [InlineData("2025-01-31T00:00", "2025-03-01T00:00", 2)]
    [InlineData("2025-01-31T00:00", "2025-03-31T00:00", 2)]
    public void A_month_is_a_calendar_month_from_the_first_day(string start, string end, int months) =>
        Assert.Equal(months * 30000, PriceOf(Rates.None with { MonthPrice = Rates.Usd(30000) }, start, end));

    [Theory]
    [InlineData("2025-01-10T09:00", "2025-01-10T10:00", 1200)]
    [InlineData("2025-01-10T09:00", "2025-01-10T13:00", 4000)]
    [InlineData("2025-01-10T09:00", "2025-01-10T17:00", 6500)]
    [InlineData("2025-01-06T09:00", "2025-01-10T17:00", 29000)]
    [InlineData("2025-01-06T09:00", "2025-01-30T17:00", 90000)]
    public void The_cheapest_single_variant_counts(string start, string end, long price)
    {
        Rate rate = Rates.Hourly(1200) with
        {
            HalfDayPrice = Rates.Usd(4000),
            DailyPrice = Rates.Usd(6500),
            WeekPrice = Rates.Usd(29000),
            MonthPrice = Rates.Usd(90000),
        };

        Assert.Equal(price, PriceOf(rate, start, end));
    }

    [Fact]
    public void No_time_costs_nothing() =>
        Assert.Equal(0, PriceOf(Rates.None with { DailyPrice = Rates.Usd(4000), WeekPrice = Rates.Usd(1) }, "2025-01-10T09:00", "2025-01-10T09:00"));

    [Fact]
    public void Any_price_of_any_time_is_what_counting_its_minutes_gives() => Gen.Select(RateGen, TimeGen, Calendars, HoursGen).Sample(
        (rate, time, calendar, hours) =>
        {
            long expected = Naive(rate, time, calendar, hours);
            long actual = RateRules.PriceOf(new RatedTime(rate, time, calendar, hours)).Minor;
            return expected == actual ? true : throw new InvalidOperationException($"{expected} and not {actual}");
        },
        iter: 400);

    [Fact]
    public void A_time_is_covered_when_each_of_its_minutes_is() => Gen.Select(TimeGen, Calendars, HoursGen).Sample(
        (time, calendar, hours) => hours.Covers(time, calendar) == Minutes(time, calendar).All(at => IsOpen(hours, at)), iter: 400);

    [Theory]
    [InlineData("2025-01-10T09:00", "2025-01-10T18:00", true)]
    [InlineData("2025-01-10T08:55", "2025-01-10T18:00", false)]
    [InlineData("2025-01-10T17:55", "2025-01-10T18:05", false)]
    [InlineData("2025-01-11T09:00", "2025-01-11T10:00", false)]
    [InlineData("2025-01-11T22:00", "2025-01-12T02:00", true)]
    [InlineData("2025-01-11T22:00", "2025-01-12T04:05", false)]
    [Trait("Rule", "BKG-4")]
    public void Opening_hours_may_run_through_midnight(string start, string end, bool covered)
    {
        OpeningHours hours = new([.. OpeningHours.Usual.Times, Opening(IsoDayOfWeek.Saturday, "20:00-00:00"), Opening(IsoDayOfWeek.Sunday, "00:00-04:00")]);

        Assert.Equal(covered, hours.Covers(new Interval(At(start), At(end)), NewYork));
        Assert.Equal(240, hours.MinutesOf(new LocalDate(2025, 1, 11)));
    }

    private static readonly Gen<OpeningHours> HoursGen = Gen.Select(
        Gen.Int[1, 7], Gen.Int[0, 287], Gen.Int[1, 288], (day, from, length) => (Day: day, From: from, Until: Math.Min(288, from + length)))
        .Array[0, 9].Select(times => new OpeningHours([.. times.DistinctBy(t => t.Day).Select(t => new OpeningTime(
            (IsoDayOfWeek)t.Day, LocalTime.Midnight.PlusMinutes(5 * t.From), LocalTime.Midnight.PlusMinutes(5 * t.Until)))]));

    private static readonly Gen<Rate> RateGen = Gen.Select(Gen.Int[1, 31], Gen.Int[0, 7], Gen.Long[0, 5000].Array[8], (which, special, p) => new Rate(
        EntityId.Derive<RateId>("r"),
        "r",
        Price(which, 1, p[0]),
        Price(which, 2, p[1] * 5),
        Price(which, 4, p[2] * 3),
        Price(which, 8, p[3] * 20),
        Price(which, 16, p[4] * 60),
        Price(special, 1, p[5]),
        Price(special, 2, p[6] * 5),
        Price(special, 4, p[7]),
        null,
        [],
        1));

    /// <summary>Within a day or two of a clock change somewhere, of any length up to 31 days, in whole minutes.</summary>
    private static readonly Gen<Interval> TimeGen = Gen.Select(
        Gen.OneOf([.. new[] { "2025-03-09T07:00", "2025-11-02T06:00", "2025-03-30T01:00", "2025-10-26T01:00", "2025-04-05T15:00", "2025-10-04T15:30", "2025-09-07T04:00" }.Select(t => Gen.Const(t))]),
        Gen.Int[-2880, 2880],
        Gen.OneOf(Gen.Int[1, 300], Gen.Int[1, 44640]),
        (change, before, minutes) =>
        {
            Instant start = LocalPattern.Parse(change).Value.InUtc().ToInstant() + Duration.FromMinutes(before);
            return new Interval(start, start + Duration.FromMinutes(minutes));
        });

    private static Money? Price(int which, int bit, long minor) => (which & bit) == 0 ? null : Rates.Usd(minor);

    private static IEnumerable<LocalDateTime> Minutes(Interval time, SiteCalendar calendar)
    {
        for (Instant at = time.Start; at < time.End; at += Duration.FromMinutes(1))
        {
            yield return calendar.LocalOf(at);
        }
    }

    private static bool IsOpen(OpeningHours hours, LocalDateTime at) => hours.Times.Any(t =>
        t.Day == at.DayOfWeek && t.From <= at.TimeOfDay && (at.TimeOfDay < t.Until || t.Until == LocalTime.Midnight));

    private static bool IsWeekend(IsoDayOfWeek day) => day is IsoDayOfWeek.Saturday or IsoDayOfWeek.Sunday;

    /// <summary>The rules again, one minute after the other.</summary>
    private static long Naive(Rate rate, Interval time, SiteCalendar calendar, OpeningHours hours)
    {
        LocalDateTime[] minutes = [.. Minutes(time, calendar)];
        LocalDate first = minutes[0].Date;
        LocalDate last = minutes[^1].Date;
        LocalDate[] days = [.. Enumerable.Range(0, 40).Select(first.PlusDays).Where(d => d <= last)];
        var prices = new List<BigInteger>();
        if (rate.HourlyPrice is { } hourly)
        {
            BigInteger sum = minutes.Aggregate(BigInteger.Zero, (s, at) => s + (
                IsWeekend(at.DayOfWeek) && rate.WeekendHourlyPrice is { } weekend ? weekend
                : !IsOpen(hours, at) && rate.OutsideHoursHourlyPrice is { } outside ? outside
                : hourly).Minor);
            prices.Add((sum + 30) / 60);
        }

        if (rate.DailyPrice is { } daily)
        {
            prices.Add(days.Sum(d => (IsWeekend(d.DayOfWeek) ? rate.WeekendDailyPrice ?? daily : daily).Minor));
        }

        if (rate.HalfDayPrice is { } half)
        {
            int[] open = [.. Enumerable.Range(1, 7).Select(day => Enumerable.Range(0, 1440).Count(m =>
                IsOpen(hours, new LocalDate(2025, 1, 5).PlusDays(day).AtMidnight().PlusMinutes(m))))];
            int today = open[(int)first.DayOfWeek - 1] is > 0 and int own ? own : open.Max() is > 0 and int most ? most : 720;
            int units = 0;
            while (units * today < 2 * minutes.Length)
            {
                units++;
            }

            prices.Add(half.Minor * units);
        }

        if (rate.WeekPrice is { } week)
        {
            prices.Add(week.Minor * days.Chunk(7).Count());
        }

        if (rate.MonthPrice is { } month)
        {
            prices.Add(month.Minor * Enumerable.Range(1, 99).First(n => first.PlusMonths(n) > last));
        }

        return (long)prices.Min();
    }

    private static OpeningTime Opening(IsoDayOfWeek day, string fromTo)
    {
        LocalTimePattern pattern = LocalTimePattern.Create("HH:mm", CultureInfo.InvariantCulture);
        string[] parts = fromTo.Split('-');
        return new OpeningTime(day, pattern.Parse(parts[0]).Value, pattern.Parse(parts[1]).Value);
    }

    private static Instant At(string local) => NewYork.At(LocalPattern.Parse(local).Value);

    private static long PriceOf(Rate rate, string start, string end) =>
        RateRules.PriceOf(new RatedTime(rate, new Interval(At(start), At(end)), NewYork, OpeningHours.Usual)).Minor;
}
