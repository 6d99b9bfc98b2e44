using CsCheck;
using Flex.Kernel;
using Flex.RecurringBookings;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

/// <summary>What rules mean, in both languages: by the examples of the standard, and by a generator that tries day after day.</summary>
public sealed class RecurrenceRuleTests
{
    /// <summary>A day of 2023 to 2027: two leap days, every kind of year beginning but one.</summary>
    private static readonly Gen<LocalDate> Starts = Gen.Int[0, 1600].Select(new LocalDate(2023, 1, 1).PlusDays);

    /// <summary>The whole-day examples of RFC 5545, section 3.8.5.3, all anchored in 1997 as there.</summary>
    [Theory, Trait("Rule", "REC-7")]
    [InlineData("FREQ=DAILY;COUNT=10", "1997-09-02", "1997-09-02 1997-09-03 1997-09-04 1997-09-05 1997-09-06 1997-09-07 1997-09-08 1997-09-09 1997-09-10 1997-09-11")]
    [InlineData("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02", "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12")]
    [InlineData("FREQ=WEEKLY;COUNT=4", "1997-09-02", "1997-09-02 1997-09-09 1997-09-16 1997-09-23")]
    [InlineData("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997-09-02 1997-09-04 1997-09-09 1997-09-11 1997-09-16 1997-09-18 1997-09-23 1997-09-25 1997-09-30 1997-10-02")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997-09-02 1997-09-04 1997-09-16 1997-09-18 1997-09-30 1997-10-02 1997-10-14 1997-10-16")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997-08-05 1997-08-10 1997-08-19 1997-08-24")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997-08-05 1997-08-17 1997-08-19 1997-08-31")]
    [InlineData("FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "1997-09-05", "1997-09-05 1997-10-03 1997-11-07 1997-12-05")]
    [InlineData("FREQ=MONTHLY;INTERVAL=2;COUNT=6;BYDAY=1SU,-1SU", "1997-09-07", "1997-09-07 1997-09-28 1997-11-02 1997-11-30 1998-01-04 1998-01-25")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22", "1997-09-22 1997-10-20 1997-11-17")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-3", "1997-09-28", "1997-09-28 1997-10-29 1997-11-28")]
    [InlineData("FREQ=MONTHLY;COUNT=5;BYMONTHDAY=1,-1", "1997-09-30", "1997-09-30 1997-10-01 1997-10-31 1997-11-01 1997-11-30")]
    [InlineData("FREQ=MONTHLY;COUNT=5;BYMONTHDAY=15,30", "2007-01-15", "2007-01-15 2007-01-30 2007-02-15 2007-03-15 2007-03-30")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=FR;BYMONTHDAY=13", "1997-09-02", "1998-02-13 1998-03-13 1998-11-13")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997-09-13", "1997-09-13 1997-10-11 1997-11-08")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "1997-09-04 1997-10-07 1997-11-06")]
    [InlineData("FREQ=MONTHLY;COUNT=4;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29", "1997-09-29 1997-10-30 1997-11-27 1997-12-30")]
    [InlineData("FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "1997-06-10", "1997-06-10 1997-07-10 1998-06-10 1998-07-10")]
    [InlineData("FREQ=YEARLY;COUNT=3;BYYEARDAY=1,100,200", "1997-01-01", "1997-01-01 1997-04-10 1997-07-19")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYDAY=20MO", "1997-05-19", "1997-05-19 1998-05-18")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYWEEKNO=20;BYDAY=MO", "1997-05-12", "1997-05-12 1998-05-11")]
    [InlineData("FREQ=YEARLY;COUNT=3;BYMONTH=3;BYDAY=TH", "1997-03-13", "1997-03-13 1997-03-20 1997-03-27")]
    [InlineData("FREQ=YEARLY;INTERVAL=4;COUNT=1;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05", "1996-11-05")]
    public void An_rrule_means_what_the_standard_says(string rrule, string start, string expected) =>
        Assert.Equal(expected, Days(new Recurrence(rrule), start));

    /// <summary>Where libraries differ, the words of section 3.3.10 decide.</summary>
    [Theory, Trait("Rule", "REC-7")]
    [InlineData("FREQ=YEARLY;COUNT=3;BYMONTHDAY=1,3", "1997-09-02", "1997-09-03 1997-10-01 1997-10-03")]
    [InlineData("FREQ=MONTHLY;COUNT=2;BYMONTHDAY=31,-1,-1", "1997-01-01", "1997-01-31 1997-02-28")]
    [InlineData("FREQ=MONTHLY;COUNT=2;BYMONTHDAY=30,31,-1;BYSETPOS=-2", "1997-01-01", "1997-01-30 1997-03-30")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=31,-1,+31,-1", "1997-01-01", "1997-01-31 1997-02-28 1997-03-31")]
    [InlineData("FREQ=YEARLY;COUNT=3;BYMONTH=3,3,12;BYMONTHDAY=1;BYSETPOS=2", "1997-01-01", "1997-12-01 1998-12-01")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYWEEKNO=1;BYDAY=MO", "2024-06-01", "2024-12-30 2025-12-29")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYWEEKNO=20,20;BYDAY=MO,MO", "1997-05-12", "1997-05-12 1998-05-11")]
    public void A_rule_gives_each_day_once_and_no_part_is_ignored(string rrule, string start, string expected) =>
        Assert.Equal(expected, Days(new Recurrence(rrule), start));

    [Theory, Trait("Rule", "REC-7")]
    [InlineData("FREQ=WEEKLY;UNTIL=20250316", "2025-03-02 2025-03-09 2025-03-16")]
    // The last anniversary of the start before this end is 2 March 2026.
    [InlineData("FREQ=YEARLY;BYMONTH=1,3;BYMONTHDAY=2;UNTIL=20270115", "2025-03-02 2026-01-02 2026-03-02 2027-01-02")]
    [InlineData("freq=weekly;until=20250315", "2025-03-02 2025-03-09")]
    [InlineData("FREQ=WEEKLY;UNTIL=20250316T230000Z", "2025-03-02 2025-03-09 2025-03-16")]
    [InlineData("FREQ=WEEKLY;UNTIL=20250316T225959Z", "2025-03-02 2025-03-09")]
    public void The_end_of_an_rrule_is_inclusive_as_a_day_and_as_a_time_in_UTC(string rrule, string expected) =>
        Assert.Equal(expected, Days(new Recurrence(rrule), "2025-03-02"));

    [Fact, Trait("Rule", "REC-7")]
    public void Weekdays_count_from_Monday_and_weeks_begin_on_it()
    {
        var alternate = new Recurrence(Frequency: RecurrenceFrequency.Weekly, Interval: 2, Weekdays: [7, 1], Count: 4);

        // 2025-03-05 is a Wednesday: the Sunday of its week follows, the Monday is past.
        Assert.Equal("2025-03-09 2025-03-17 2025-03-23 2025-03-31", Days(alternate, "2025-03-05"));
    }

    [Fact, Trait("Rule", "REC-7")]
    public void A_start_off_its_own_weekdays_is_no_occurrence_and_does_not_count() =>
        Assert.Equal(
            "2025-03-07 2025-03-14",
            Days(new Recurrence(Frequency: RecurrenceFrequency.Weekly, Weekdays: [5], Count: 2), "2025-03-03"));

    [Fact, Trait("Rule", "REC-7")]
    public void Until_is_an_inclusive_day()
    {
        Recurrence Until(int day) => new(Frequency: RecurrenceFrequency.Daily, Interval: 3, Until: new LocalDate(2025, 3, day));

        Assert.Equal("2025-03-02 2025-03-05 2025-03-08", Days(Until(8), "2025-03-02"));
        Assert.Equal("2025-03-02 2025-03-05", Days(Until(7), "2025-03-02"));
    }

    [Fact, Trait("Rule", "REC-7")]
    public void Daily_series_keep_to_their_weekdays() => Assert.Equal(
        "2025-03-07 2025-03-10 2025-03-11",
        Days(new Recurrence(Frequency: RecurrenceFrequency.Daily, Weekdays: [1, 2, 5], Count: 3), "2025-03-06"));

    [Theory, Trait("Rule", "REC-7")]
    [InlineData(RecurrenceFrequency.Monthly, null, "2025-01-31", "2025-01-31 2025-02-28 2025-03-31 2025-04-30")]
    [InlineData(RecurrenceFrequency.Monthly, MissingDay.Clamp, "2024-01-30", "2024-01-30 2024-02-29 2024-03-30 2024-04-30")]
    [InlineData(RecurrenceFrequency.Monthly, MissingDay.Skip, "2025-01-31", "2025-01-31 2025-03-31 2025-05-31 2025-07-31")]
    [InlineData(RecurrenceFrequency.Monthly, MissingDay.Skip, "2025-01-29", "2025-01-29 2025-03-29 2025-04-29 2025-05-29")]
    [InlineData(RecurrenceFrequency.Yearly, null, "2024-02-29", "2024-02-29 2025-02-28 2026-02-28 2027-02-28")]
    [InlineData(RecurrenceFrequency.Yearly, MissingDay.Skip, "2024-02-29", "2024-02-29")]
    public void A_missing_day_is_clamped_or_skipped_as_asked(RecurrenceFrequency frequency, MissingDay? policy, string start, string expected)
    {
        RecurrenceRule rule = RecurrenceRule.Parse(new Recurrence(Frequency: frequency, Count: 4, OnMissingDay: policy)).Value;

        Assert.Equal(expected, Text(rule.Days(Day(start), Day(start).PlusYears(3).PlusMonths(6)).Take(4)));
    }

    [Fact, Trait("Rule", "REC-7")]
    public void Any_recurrence_agrees_with_trying_day_after_day()
    {
        Gen<DayByDay> byDays = Gen.Select(
            Gen.Int[0, 1], Gen.Int[1, 5], Gen.Int[1, 7].Array[0, 4], (frequency, interval, days) => new DayByDay(
                (RecurrenceFrequency)frequency, interval)
            { Weekdays = [.. days.Distinct().Select(d => ((IsoDayOfWeek)d, 0))] });
        Gen<DayByDay> byMonths = Gen.Select(
            Gen.Int[2, 3], Gen.Int[1, 5], Gen.Bool, (frequency, interval, clamps) => new DayByDay(
                (RecurrenceFrequency)frequency, interval)
            { Clamps = clamps });
        Gen.Select(Gen.OneOf(byDays, byMonths), Starts, Gen.Int[0, 1500]).Sample((naive, start, length) =>
        {
            var recurrence = new Recurrence(
                Frequency: naive.Frequency,
                Interval: naive.Interval,
                Weekdays: naive.Weekdays.Count == 0 ? null : [.. naive.Weekdays.Select(w => (int)w.Day)],
                Count: 100,
                OnMissingDay: naive.Frequency < RecurrenceFrequency.Monthly ? null : naive.Clamps ? MissingDay.Clamp : MissingDay.Skip);

            AssertAgrees(naive, RecurrenceRule.Parse(recurrence).Value, start, length);
        });
    }

    [Fact, Trait("Rule", "REC-7")]
    public void Any_rrule_agrees_with_trying_day_after_day() => Gen.Select(Rules, Starts, Gen.Int[0, 1500]).Sample(
        (naive, start, length) => AssertAgrees(naive, RecurrenceRule.Parse(new Recurrence($"{naive.Rrule};COUNT=1")).Value, start, length),
        iter: 1_000);

    /// <summary>What the library would answer wrongly is refused rather than answered.</summary>
    [Theory, Trait("Rule", "REC-7")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYMONTH=4,7;BYYEARDAY=1,100,200,365")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYYEARDAY=1,100;BYMONTHDAY=1,10")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYYEARDAY=91;BYMONTHDAY=16,31;BYSETPOS=15,2")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYWEEKNO=44,1;BYMONTH=11;BYSETPOS=3")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYWEEKNO=6;BYSETPOS=2")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYMONTHDAY=4;BYDAY=42MO")]
    public void What_would_be_expanded_wrongly_is_refused(string rrule) => AssertRefused("/recurrence/rrule", new Recurrence(rrule));

    [Theory, Trait("Rule", "REC-7")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("every day")]
    [InlineData("RRULE:FREQ=DAILY;COUNT=3")]
    [InlineData("DTSTART:20250101T090000\nRRULE:FREQ=DAILY;COUNT=3")]
    [InlineData("FREQ=DAILY;COUNT=3;")]
    [InlineData("FREQ=DAILY;;COUNT=3")]
    [InlineData("FREQ=DAILY;COUNT=3\n")]
    [InlineData("FREQ=DAILY;COUNT=3\0")]
    [InlineData("FREQ=DAILY;COUNT=٣")]
    [InlineData("FREQ==DAILY;COUNT=3")]
    [InlineData("FREQ;COUNT=3")]
    [InlineData("COUNT=3")]
    [InlineData("FREQ=DAILY")]
    [InlineData("FREQ=DAILY;COUNT=3;UNTIL=20250101")]
    [InlineData("FREQ=DAILY;FREQ=WEEKLY;COUNT=3")]
    [InlineData("FREQ=DAILY;COUNT=3;COUNT=4")]
    [InlineData("FREQ=SECONDLY;COUNT=3")]
    [InlineData("FREQ=MINUTELY;COUNT=3")]
    [InlineData("FREQ=HOURLY;COUNT=3")]
    [InlineData("FREQ=FORTNIGHTLY;COUNT=3")]
    [InlineData("FREQ=DAILY;COUNT=3;BYHOUR=9,10")]
    [InlineData("FREQ=DAILY;COUNT=3;BYMINUTE=0,30")]
    [InlineData("FREQ=DAILY;COUNT=3;BYSECOND=1")]
    [InlineData("FREQ=MONTHLY;COUNT=3;RSCALE=GREGORIAN;SKIP=FORWARD")]
    [InlineData("FREQ=DAILY;COUNT=3;X-EVIL=1")]
    [InlineData("FREQ=DAILY;COUNT=0")]
    [InlineData("FREQ=DAILY;COUNT=-1")]
    [InlineData("FREQ=DAILY;COUNT=501")]
    [InlineData("FREQ=DAILY;COUNT=1000000")]
    [InlineData("FREQ=DAILY;COUNT=99999999999999999999999999")]
    [InlineData("FREQ=DAILY;COUNT=1E2")]
    [InlineData("FREQ=DAILY;COUNT=3;INTERVAL=0")]
    [InlineData("FREQ=DAILY;COUNT=3;INTERVAL=-1")]
    [InlineData("FREQ=YEARLY;COUNT=3;INTERVAL=2147483647")]
    [InlineData("FREQ=DAILY;UNTIL=20250230")]
    [InlineData("FREQ=DAILY;UNTIL=2025-01-01")]
    [InlineData("FREQ=DAILY;UNTIL=20250101T090000")]
    [InlineData("FREQ=DAILY;UNTIL=20250101T250000Z")]
    [InlineData("FREQ=DAILY;UNTIL=FOREVER")]
    [InlineData("FREQ=WEEKLY;COUNT=3;BYDAY=")]
    [InlineData("FREQ=WEEKLY;COUNT=3;BYDAY=MO,")]
    [InlineData("FREQ=WEEKLY;COUNT=3;BYDAY=XX")]
    [InlineData("FREQ=WEEKLY;COUNT=3;BYDAY=1MO")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=0MO")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=54MO")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=--1MO")]
    [InlineData("FREQ=WEEKLY;COUNT=3;WKST=1MO")]
    [InlineData("FREQ=WEEKLY;COUNT=3;BYMONTHDAY=1")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=0")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=32")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYMONTH=13")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYMONTH=-1")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYYEARDAY=1")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYWEEKNO=1")]
    [InlineData("FREQ=YEARLY;COUNT=3;BYWEEKNO=1;BYDAY=1MO")]
    [InlineData("FREQ=YEARLY;COUNT=3;BYYEARDAY=367")]
    [InlineData("FREQ=DAILY;COUNT=3;BYSETPOS=1")]
    [InlineData("FREQ=DAILY;COUNT=3;BYDAY=MO;BYSETPOS=0")]
    [InlineData("FREQ=DAILY;COUNT=3;BYDAY=MO;BYSETPOS=367")]
    public void What_is_no_bounded_rule_of_whole_days_is_refused(string rrule) => AssertRefused("/recurrence/rrule", new Recurrence(rrule));

    [Fact, Trait("Rule", "REC-7")]
    public void A_long_rule_is_refused_unread() => AssertRefused(
        "/recurrence/rrule", new Recurrence("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=" + string.Join(',', Enumerable.Repeat("1", 100_000))));

    [Fact, Trait("Rule", "REC-7")]
    public void Members_that_contradict_each_other_or_mean_nothing_are_refused()
    {
        var weekly = new Recurrence(Frequency: RecurrenceFrequency.Weekly, Count: 3);
        var monthly = weekly with { Frequency = RecurrenceFrequency.Monthly };
        var until = new LocalDate(2025, 6, 1);

        AssertRefused("/recurrence/frequency", new Recurrence());
        AssertRefused("/recurrence/frequency", weekly with { Frequency = null });
        AssertRefused("/recurrence/rrule", weekly with { Rrule = "FREQ=DAILY;COUNT=3" });
        AssertRefused("/recurrence/rrule", new Recurrence("FREQ=DAILY;COUNT=3", OnMissingDay: MissingDay.Skip));
        AssertRefused("/recurrence/until", weekly with { Count = null });
        AssertRefused("/recurrence/until", weekly with { Until = until });
        AssertRefused("/recurrence/count", weekly with { Count = 0 });
        AssertRefused("/recurrence/count", weekly with { Count = 501 });
        AssertRefused("/recurrence/interval", weekly with { Interval = 0 });
        AssertRefused("/recurrence/interval", weekly with { Interval = 1001 });
        AssertRefused("/recurrence/weekdays", weekly with { Weekdays = [] });
        AssertRefused("/recurrence/weekdays", weekly with { Weekdays = [0] });
        AssertRefused("/recurrence/weekdays", weekly with { Weekdays = [8] });
        AssertRefused("/recurrence/weekdays", weekly with { Weekdays = [1, 1] });
        AssertRefused("/recurrence/weekdays", monthly with { Weekdays = [1] });
        AssertRefused("/recurrence/onMissingDay", weekly with { OnMissingDay = MissingDay.Clamp });
    }

    /// <summary>Mutations of a rule and plain noise: an answer every time, never an exception, and every rule that is accepted ends.</summary>
    [Fact, Trait("Rule", "REC-7")]
    public void Whatever_text_is_sent_there_is_an_answer()
    {
        string[] parts = ["FREQ=DAILY", "FREQ=YEARLY", "COUNT=5", "UNTIL=99991231", "UNTIL=99991231T235959Z", "BYDAY=MO,-1SU", "BYSETPOS=-366,1", "BYMONTHDAY=-31,31", "BYWEEKNO=53,-53", "BYYEARDAY=366", "INTERVAL=1000", "BYMONTH=2", "WKST=SU", "BYHOUR=1"];
        Gen<string> joined = Gen.Int[0, parts.Length - 1].Array[1, 6].Select(chosen => string.Join(';', chosen.Select(i => parts[i])));
        Gen<string> noise = Gen.Char["FREQDAILYCOUNT=;,0123456789+-MOTU \n\0é"].Array[0, 40].Select(c => new string(c));
        Gen.OneOf(joined, noise, Gen.Select(joined, noise, (a, b) => $"{a};{b}")).Sample(text =>
        {
            var schedule = new SeriesSchedule(new LocalDateTime(2025, 3, 1, 9, 0), new LocalDateTime(2025, 3, 1, 10, 0), "America/New_York", new Recurrence(text));
            Result<IReadOnlyList<Occurrence>> result = schedule.Check();

            Assert.True(result.IsError ? result.Error.Code == ErrorCodes.InvalidValue : result.Value.Count is >= 1 and <= 500);
        });
    }

    private static readonly Gen<DayByDay> Rules =
        from frequency in Gen.Enum<RecurrenceFrequency>()
        from interval in Gen.Int[1, 4]
        from weekStart in Gen.Int[1, 7]
        from months in Gen.Int[1, 12].Array[0, 3]
        from monthDays in Numbered(31).Array[0, 4]
        from weekdays in Gen.Select(Gen.Int[1, 7], Numbered(5), Gen.Bool).Array[0, 3]
        from positions in Numbered(6).Array[0, 2]
        let isWeekly = frequency == RecurrenceFrequency.Weekly
        let isNumbered = frequency == RecurrenceFrequency.Monthly || (frequency == RecurrenceFrequency.Yearly && (months.Length > 0 || monthDays.Length == 0))
        let selects = months.Length + weekdays.Length + (isWeekly ? 0 : monthDays.Length) > 0
        select new DayByDay(frequency, interval)
        {
            WeekStart = (IsoDayOfWeek)weekStart,
            Months = months,
            MonthDays = isWeekly ? [] : monthDays,
            Weekdays = [.. weekdays.Select(w => ((IsoDayOfWeek)w.Item1, isNumbered && w.Item3 ? w.Item2 : 0))],
            Positions = selects ? positions : [],
        };

    private static Gen<int> Numbered(int max) => Gen.Select(Gen.Int[1, max], Gen.Bool, (number, isNegative) => isNegative ? -number : number);

    private static void AssertAgrees(DayByDay naive, RecurrenceRule rule, LocalDate start, int length)
    {
        LocalDate last = start.PlusDays(length);

        Assert.Equal(naive.Days(start, last), rule.Days(start, last));
    }

    private static void AssertRefused(string pointer, Recurrence recurrence)
    {
        Error error = RecurrenceRule.Parse(recurrence).Error!;

        Assert.Equal((422, ErrorCodes.InvalidValue), (error.Status, error.Code));
        Assert.Equal(pointer, Assert.Single(error.Fields).Pointer);
    }

    /// <summary>Of a series at 19:00 in New York; of the bare rule before 2000, where no series can be.</summary>
    private static string Days(Recurrence recurrence, string start)
    {
        bool isOld = Day(start).Year < 2000;
        RecurrenceRule rule = RecurrenceRule.Parse(recurrence).Value;
        LocalDateTime local = Day(start).At(new LocalTime(19, 0));
        return isOld
            ? Text(rule.Days(local.Date, local.Date.PlusMonths(24)).Take(rule.Count!.Value))
            : Text(new SeriesSchedule(local, local.PlusHours(1), "America/New_York", recurrence).Check().Value.Select(o => o.Date));
    }

    private static LocalDate Day(string text) => LocalDatePattern.Iso.Parse(text).Value;

    private static string Text(IEnumerable<LocalDate> days) => string.Join(' ', days.Select(LocalDatePattern.Iso.Format));
}
