using Flex.RecurringBookings;
using NodaTime;

namespace Flex.Functions.Tests.RecurringBookings;

/// <summary>
/// RFC 5545's rules for whole days by trying every day of every period, without numbered weeks and days of the year; and what it
/// lacks, a missing day that is clamped.
/// </summary>
internal sealed record DayByDay(RecurrenceFrequency Frequency, int Interval)
{
    private static readonly string[] DayNames = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

    public IsoDayOfWeek WeekStart { get; init; } = IsoDayOfWeek.Monday;

    public IReadOnlyList<int> Months { get; init; } = [];

    public IReadOnlyList<int> MonthDays { get; init; } = [];

    public IReadOnlyList<(IsoDayOfWeek Day, int Ordinal)> Weekdays { get; init; } = [];

    public IReadOnlyList<int> Positions { get; init; } = [];

    public bool Clamps { get; init; }

    /// <summary>The same in text, except for clamping.</summary>
    public string Rrule =>
        $"FREQ={Frequency.ToString().ToUpperInvariant()};INTERVAL={Interval};WKST={Name(WeekStart)}"
        + Part("BYMONTH", Months) + Part("BYMONTHDAY", MonthDays) + Part("BYSETPOS", Positions)
        + Part("BYDAY", Weekdays.Select(w => (w.Ordinal == 0 ? "" : w.Ordinal) + Name(w.Day)));

    public IEnumerable<LocalDate> Days(LocalDate start, LocalDate last)
    {
        LocalDate[] all = [.. new DateInterval(PeriodOf(start), last.PlusDays(366))];
        IEnumerable<LocalDate[]> periods = all.GroupBy(PeriodOf).Where((_, i) => i % Interval == 0).Select(p => p.Where(d => Includes(d, start)).ToArray());
        return periods
            .SelectMany(found => found.Where((_, i) => Positions.Count == 0 || Positions.Contains(i + 1) || Positions.Contains(i - found.Length)))
            .Where(d => d >= start && d <= last);
    }

    /// <summary>The first day of the day, week, month or year.</summary>
    private LocalDate PeriodOf(LocalDate day) => Frequency switch
    {
        RecurrenceFrequency.Daily => day,
        RecurrenceFrequency.Weekly => day.PlusDays(1).Previous(WeekStart),
        RecurrenceFrequency.Monthly => new LocalDate(day.Year, day.Month, 1),
        _ => new LocalDate(day.Year, 1, 1),
    };

    private bool Includes(LocalDate day, LocalDate start)
    {
        int days = day.Calendar.GetDaysInMonth(day.Year, day.Month);
        return (Months.Count == 0 || Months.Contains(day.Month))
            && (MonthDays.Count == 0 || MonthDays.Contains(day.Day) || MonthDays.Contains(day.Day - days - 1))
            && (Weekdays.Count == 0 || Weekdays.Any(w => IsWeekday(w, day)))
            && (MonthDays.Count + Weekdays.Count > 0 || IsLikeStart(day, start, days));
    }

    private bool IsWeekday((IsoDayOfWeek Day, int Ordinal) weekday, LocalDate day)
    {
        bool isInYear = Frequency == RecurrenceFrequency.Yearly && Months.Count == 0;
        (int number, int of) = isInYear
            ? (day.DayOfYear, day.Calendar.GetDaysInYear(day.Year))
            : (day.Day, day.Calendar.GetDaysInMonth(day.Year, day.Month));
        return day.DayOfWeek == weekday.Day
            && (weekday.Ordinal == 0 || weekday.Ordinal == ((number - 1) / 7) + 1 || weekday.Ordinal == -((of - number) / 7) - 1);
    }

    private bool IsLikeStart(LocalDate day, LocalDate start, int days) => Frequency switch
    {
        RecurrenceFrequency.Daily => true,
        RecurrenceFrequency.Weekly => day.DayOfWeek == start.DayOfWeek,
        _ => (Frequency == RecurrenceFrequency.Monthly || Months.Count > 0 || day.Month == start.Month)
            && day.Day == (Clamps ? Math.Min(start.Day, days) : start.Day),
    };

    private static string Name(IsoDayOfWeek day) => DayNames[(int)day - 1];

    private static string Part<T>(string name, IEnumerable<T> values) => values.Any() ? $";{name}={string.Join(',', values)}" : "";
}
