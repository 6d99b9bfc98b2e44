using CsCheck;
using Flex.Kernel;
using Flex.RecurringBookings;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

/// <summary>From the clock on the wall to instants, and which series are refused for their extent.</summary>
public sealed class SeriesScheduleTests
{
    private const string NewYork = "America/New_York";

    [Fact, Trait("Rule", "REC-8")]
    public void A_weekly_evening_keeps_its_local_time_over_both_clock_changes()
    {
        Recurrence twice = new("FREQ=WEEKLY;COUNT=2");

        Assert.Equal(["2025-03-03T00:00:00Z", "2025-03-09T23:00:00Z"], Starts(Schedule("2025-03-02T19:00", "2025-03-02T20:00", twice)));
        Assert.Equal(["2025-10-26T23:00:00Z", "2025-11-03T00:00:00Z"], Starts(Schedule("2025-10-26T19:00", "2025-10-26T20:00", twice)));
    }

    [Theory, Trait("Rule", "REC-8")]
    // 02:30 does not exist on 9 March: it moves to 03:30 EDT and keeps its length.
    [InlineData("2025-03-09T02:30", "2025-03-09T03:30", "2025-03-09T07:30:00Z", 60)]
    [InlineData("2025-03-09T02:30", "2025-03-09T02:45", "2025-03-09T07:30:00Z", 15)]
    [InlineData("2025-03-09T02:00", "2025-03-10T02:00", "2025-03-09T07:00:00Z", 1440)]
    // 01:30 happens twice on 2 November: the earlier one is meant.
    [InlineData("2025-11-02T01:30", "2025-11-02T01:45", "2025-11-02T05:30:00Z", 15)]
    // What is paid for is the time elapsed.
    [InlineData("2025-03-09T01:00", "2025-03-09T04:00", "2025-03-09T06:00:00Z", 120)]
    [InlineData("2025-11-02T00:30", "2025-11-02T03:30", "2025-11-02T04:30:00Z", 240)]
    [InlineData("2025-03-09T01:00", "2025-03-09T02:30", "2025-03-09T06:00:00Z", 90)]
    [InlineData("2025-11-02T00:30", "2025-11-02T01:30", "2025-11-02T04:30:00Z", 60)]
    [InlineData("2025-11-01T22:00", "2025-11-02T04:00", "2025-11-02T02:00:00Z", 420)]
    public void Skipped_and_repeated_local_times(string localStart, string localEnd, string start, int minutes)
    {
        Occurrence first = Schedule(localStart, localEnd, new("FREQ=DAILY;COUNT=1")).Check().Value[0];

        Assert.Equal(start, InstantPattern.ExtendedIso.Format(first.Start));
        Assert.Equal(minutes, (first.End - first.Start).TotalMinutes);
    }

    [Fact, Trait("Rule", "REC-8")]
    public void A_daily_series_in_the_gap_is_moved_on_that_day_only()
    {
        SeriesSchedule nights = Schedule("2025-03-08T02:30", "2025-03-08T03:00", new("FREQ=DAILY;COUNT=3"));

        Assert.Equal(["2025-03-08T07:30:00Z", "2025-03-09T07:30:00Z", "2025-03-10T06:30:00Z"], Starts(nights));
        Assert.All(nights.Check().Value, o => Assert.Equal(30, (o.End - o.Start).TotalMinutes));
    }

    [Fact]
    public void Occurrences_may_cross_midnight_and_keep_the_day_they_start_on()
    {
        IReadOnlyList<Occurrence> nights = Schedule("2025-02-28T22:00", "2025-03-01T06:00", new("FREQ=DAILY;COUNT=2")).Check().Value;

        Assert.Equal([new LocalDate(2025, 2, 28), new LocalDate(2025, 3, 1)], nights.Select(o => o.Date));
        Assert.Equal([0, 1], nights.Select(o => o.Index));
        Assert.All(nights, o => Assert.Equal(8, (o.End - o.Start).TotalHours));
    }

    [Theory]
    [InlineData("2025-03-01T09:00", "2025-03-02T09:05")]
    // On the day of the gap the night moves an hour into the next one.
    [InlineData("2025-03-01T02:30", "2025-03-02T02:30")]
    public void Occurrences_that_overlap_each_other_are_refused(string localStart, string localEnd) =>
        AssertRefused("/localEnd", ErrorCodes.InvalidValue, Schedule(localStart, localEnd, new("FREQ=DAILY;COUNT=20")));

    [Fact]
    public void Occurrences_back_to_back_are_fine() =>
        Assert.Equal(20, Schedule("2025-03-01T09:00", "2025-03-02T09:00", new("FREQ=DAILY;COUNT=20")).Check().Value.Count);

    [Fact, Trait("Rule", "REC-7")]
    public void A_series_spans_at_most_24_months_from_its_first_occurrence()
    {
        Recurrence Monthly(int count) => new(Frequency: RecurrenceFrequency.Monthly, Count: count);
        Recurrence Fridays(LocalDate until) => new(Frequency: RecurrenceFrequency.Weekly, Weekdays: [5], Until: until);

        // The first occurrence, from which two years count, is Friday 17 January.
        Assert.Equal(25, At9("2025-01-15", Monthly(25)).Check().Value.Count);
        AssertRefused("/recurrence/count", ErrorCodes.InvalidValue, At9("2025-01-15", Monthly(26)));
        Assert.Equal(105, At9("2025-01-15", Fridays(new LocalDate(2027, 1, 17))).Check().Value.Count);
        AssertRefused("/recurrence/until", ErrorCodes.InvalidValue, At9("2025-01-15", Fridays(new LocalDate(2027, 1, 18))));
    }

    [Theory, Trait("Rule", "REC-7")]
    [InlineData("FREQ=YEARLY;COUNT=4")]
    [InlineData("FREQ=YEARLY;UNTIL=99991231")]
    [InlineData("FREQ=DAILY;UNTIL=99991231T235959Z")]
    [InlineData("FREQ=YEARLY;INTERVAL=1000;COUNT=2")]
    [InlineData("FREQ=DAILY;BYMONTH=1;BYMONTHDAY=15;BYSETPOS=1;COUNT=500")]
    public void An_rrule_that_goes_further_is_refused(string rrule) =>
        AssertRefused("/recurrence/rrule", ErrorCodes.InvalidValue, At9("2025-01-15", new(rrule)));

    [Fact, Trait("Rule", "REC-7")]
    public void A_series_has_at_most_500_occurrences()
    {
        Assert.Equal(500, At9("2025-01-01", new("FREQ=DAILY;COUNT=500")).Check().Value.Count);
        Assert.Equal(500, At9("2025-01-01", new("FREQ=DAILY;UNTIL=20260515")).Check().Value.Count);
        AssertRefused("/recurrence/rrule", ErrorCodes.InvalidValue, At9("2025-01-01", new("FREQ=DAILY;UNTIL=20260516")));
    }

    [Theory, Trait("Rule", "REC-7")]
    [InlineData("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3")]
    [InlineData("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;UNTIL=20251231")]
    [InlineData("FREQ=DAILY;BYDAY=MO;BYSETPOS=2;COUNT=3")]
    [InlineData("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=366;COUNT=3")]
    [InlineData("FREQ=WEEKLY;UNTIL=20250114")]
    [InlineData("FREQ=WEEKLY;UNTIL=20250115T135959Z")]
    public void A_series_without_any_occurrence_is_refused(string rrule) =>
        AssertRefused("/recurrence", ErrorCodes.InvalidValue, At9("2025-01-15", new(rrule)));

    [Theory]
    [InlineData("1999-12-31T09:00", "1999-12-31T10:00", "/localStart", ErrorCodes.InvalidValue)]
    [InlineData("9999-12-31T09:00", "9999-12-31T10:00", "/localStart", ErrorCodes.InvalidValue)]
    [InlineData("2025-01-01T09:00", "9999-12-31T10:00", "/localEnd", ErrorCodes.InvalidValue)]
    [InlineData("2025-01-01T09:00", "2025-01-01T09:00", "/localEnd", ErrorCodes.EndBeforeStart)]
    [InlineData("2025-01-01T09:00", "-9998-01-01T00:00", "/localEnd", ErrorCodes.EndBeforeStart)]
    public void Times_that_no_calendar_here_has_are_refused(string localStart, string localEnd, string pointer, string code) =>
        AssertRefused(pointer, code, Schedule(localStart, localEnd, new("FREQ=DAILY;COUNT=1")));

    /// <summary>Whatever the zone, the time of day and the length, occurrences are in order, never share time, and start on their day.</summary>
    [Fact, Trait("Rule", "REC-8")]
    public void Occurrences_are_ordered_unique_and_apart()
    {
        Gen<string> zones = Gen.OneOf(new[] { NewYork, "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Asia/Kolkata", "Etc/UTC" }.Select(Gen.Const).ToArray());
        Gen.Select(zones, Gen.Int[0, 800], Gen.Int[0, 287], Gen.Int[1, 288], Gen.Int[1, 3]).Sample((zone, day, step, length, interval) =>
        {
            LocalDateTime start = new LocalDate(2024, 1, 1).PlusDays(day).AtMidnight().PlusMinutes(5 * step);
            var schedule = new SeriesSchedule(
                start, start.PlusMinutes(5 * length), zone, new(Frequency: RecurrenceFrequency.Daily, Interval: interval, Count: 240));
            Result<IReadOnlyList<Occurrence>> result = schedule.Check();
            IReadOnlyList<Occurrence> all = schedule.Occurrences();
            bool overlaps = all.Zip(all.Skip(1), (a, b) => b.Start < a.End).Any(o => o);

            Assert.Equal(overlaps, result.IsError);
            Assert.Equal(240, all.Count);
            Assert.All(all, o => Assert.True(o.Start < o.End));
            Assert.All(all.Zip(all.Skip(1)), pair => Assert.True(pair.First.Start < pair.Second.Start && pair.First.Date < pair.Second.Date));
            Assert.All(all, o => Assert.Equal(o.Date, new SiteCalendar(zone).DateOf(o.Start)));
        });
    }

    private static SeriesSchedule At9(string day, Recurrence recurrence) => Schedule($"{day}T09:00", $"{day}T10:00", recurrence);

    private static SeriesSchedule Schedule(string localStart, string localEnd, Recurrence recurrence) =>
        new(Local(localStart), Local(localEnd), NewYork, recurrence);

    private static LocalDateTime Local(string text) => LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm").Parse(text).Value;

    private static IEnumerable<string> Starts(SeriesSchedule schedule) => schedule.Check().Value.Select(o => InstantPattern.ExtendedIso.Format(o.Start));

    private static void AssertRefused(string pointer, string code, SeriesSchedule schedule)
    {
        Error error = schedule.Check().Error!;

        Assert.Equal((422, code, pointer), (error.Status, error.Code, Assert.Single(error.Fields).Pointer));
    }
}
