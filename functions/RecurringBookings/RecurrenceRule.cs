using NodaTime;
using NodaTime.Calendars;

namespace Flex.RecurringBookings;

/// <summary>A weekday of a rule; <paramref name="Ordinal"/> 2 is the second of the month or year, -1 the last, 0 every one.</summary>
public readonly record struct RuleWeekday(IsoDayOfWeek Day, int Ordinal);

/// <summary>
/// On which days a series takes place: RFC 5545's rule parts for whole days, with the meaning its section 3.3.10 gives them, and one
/// thing RFC 5545 lacks, <see cref="Clamps"/>. Pure. Days are tried one by one, so the work is bounded by the window asked for,
/// whatever the rule says.
/// </summary>
public sealed record RecurrenceRule(RecurrenceFrequency Frequency, int Interval)
{
    public const int MaxInterval = 1_000;
    public const int MaxOccurrences = 500;

    /// <summary>From the first occurrence to the last.</summary>
    public const int MaxMonths = 24;

    public IsoDayOfWeek WeekStart { get; init; } = IsoDayOfWeek.Monday;

    public IReadOnlyList<int> Months { get; init; } = [];

    /// <summary>Negative ones, here and below, count from the end.</summary>
    public IReadOnlyList<int> MonthDays { get; init; } = [];

    public IReadOnlyList<int> YearDays { get; init; } = [];

    public IReadOnlyList<int> WeekNumbers { get; init; } = [];

    public IReadOnlyList<RuleWeekday> Weekdays { get; init; } = [];

    /// <summary>Which of the days found in one day, week, month or year count; empty: all.</summary>
    public IReadOnlyList<int> Positions { get; init; } = [];

    /// <summary>A month without the day of the start has the occurrence on its last day.</summary>
    public bool Clamps { get; init; }

    public int? Count { get; init; }

    /// <summary>The last possible day, inclusive.</summary>
    public LocalDate? Until { get; init; }

    /// <summary>The last possible start, inclusive.</summary>
    public Instant? UntilInstant { get; init; }

    /// <summary>
    /// The rule that a recurrence asks for. A start that the rule does not give is no occurrence, and the count is taken before any
    /// exclusion.
    /// </summary>
    public static Result<RecurrenceRule> Parse(Recurrence recurrence)
    {
        if (recurrence.Rrule is not { } text)
        {
            return OfMembers(recurrence);
        }

        return recurrence == new Recurrence(text)
            ? RruleText.Parse(text)
            : Invalid("/rrule", "Give either an rrule or the other members, not both.");
    }

    /// <summary>The days from <paramref name="start"/>, where the series is anchored, to <paramref name="last"/>, in order, each once.</summary>
    public IEnumerable<LocalDate> Days(LocalDate start, LocalDate last)
    {
        for (int step = 0; ; step += Interval)
        {
            DateInterval period = PeriodOf(start, step);
            if (period.Start > last)
            {
                yield break;
            }

            LocalDate[] days = [.. period.Where(day => Includes(day, start))];
            for (int i = 0; i < days.Length; i++)
            {
                bool isWanted = Positions.Count == 0 || Positions.Contains(i + 1) || Positions.Contains(i - days.Length);
                if (isWanted && days[i] >= start && days[i] <= last)
                {
                    yield return days[i];
                }
            }
        }
    }

    private static Result<RecurrenceRule> OfMembers(Recurrence r)
    {
        if (r.Frequency is not { } frequency)
        {
            return Invalid("/frequency", "Give a frequency, or an rrule.");
        }

        if (r.Interval is < 1 or > MaxInterval)
        {
            return Invalid("/interval", $"The interval is 1 to {MaxInterval}.");
        }

        bool isByMonth = frequency is RecurrenceFrequency.Monthly or RecurrenceFrequency.Yearly;
        if (r.Weekdays is { } weekdays && (isByMonth || weekdays.Count == 0 || weekdays.Any(d => d is < 1 or > 7) || weekdays.Distinct().Count() < weekdays.Count))
        {
            return Invalid("/weekdays", "Weekdays are 1 (Monday) to 7 (Sunday), each once, in daily and weekly series.");
        }

        if (r.OnMissingDay is not null && !isByMonth)
        {
            return Invalid("/onMissingDay", "Only monthly and yearly series can miss their day.");
        }

        if (r.Until is null == r.Count is null)
        {
            return Invalid("/until", "Give either the last day or the number of occurrences.");
        }

        if (r.Count is < 1 or > MaxOccurrences)
        {
            return Invalid("/count", $"A series has 1 to {MaxOccurrences} occurrences.");
        }

        return new RecurrenceRule(frequency, r.Interval ?? 1)
        {
            Weekdays = [.. (r.Weekdays ?? []).Select(d => new RuleWeekday((IsoDayOfWeek)d, 0))],
            Clamps = isByMonth && r.OnMissingDay != MissingDay.Skip,
            Count = r.Count,
            Until = r.Until,
        };
    }

    private static Error Invalid(string member, string message) => Error.Invalid(ErrorCodes.InvalidValue, "/recurrence" + member, message);

    /// <summary>The day, week, month or year that lies <paramref name="step"/> of them after the start's.</summary>
    private DateInterval PeriodOf(LocalDate start, int step)
    {
        LocalDate first = Frequency switch
        {
            RecurrenceFrequency.Daily => start.PlusDays(step),
            RecurrenceFrequency.Weekly => WeekOf(start).PlusWeeks(step),
            RecurrenceFrequency.Monthly => new LocalDate(start.Year, start.Month, 1).PlusMonths(step),
            _ => YearStart(YearOf(start) + step),
        };
        LocalDate next = Frequency switch
        {
            RecurrenceFrequency.Daily => first.PlusDays(1),
            RecurrenceFrequency.Weekly => first.PlusWeeks(1),
            RecurrenceFrequency.Monthly => first.PlusMonths(1),
            _ => YearStart(YearOf(first) + 1),
        };
        return new DateInterval(first, next.PlusDays(-1));
    }

    private LocalDate WeekOf(LocalDate day) => day.PlusDays(1).Previous(WeekStart);

    /// <summary>Numbered weeks belong to the year that has most of their days, which is not always that of the calendar.</summary>
    private IWeekYearRule Weeks => WeekYearRules.ForMinDaysInFirstWeek(4, WeekStart);

    private int YearOf(LocalDate day) => WeekNumbers.Count > 0 ? Weeks.GetWeekYear(day) : day.Year;

    private LocalDate YearStart(int year) =>
        WeekNumbers.Count > 0 ? Weeks.GetLocalDate(year, 1, WeekStart) : new LocalDate(year, 1, 1);

    private bool Includes(LocalDate day, LocalDate start)
    {
        int monthDays = day.Calendar.GetDaysInMonth(day.Year, day.Month);
        int yearDays = day.Calendar.GetDaysInYear(day.Year);
        return (Months.Count == 0 || Months.Contains(day.Month))
            && IsOneOf(MonthDays, day.Day, monthDays)
            && IsOneOf(YearDays, day.DayOfYear, yearDays)
            && (WeekNumbers.Count == 0 || IsOneOf(WeekNumbers, Weeks.GetWeekOfWeekYear(day), Weeks.GetWeeksInWeekYear(Weeks.GetWeekYear(day))))
            && (Weekdays.Count == 0 || Weekdays.Any(w => IsWeekday(w, day, monthDays, yearDays)))
            && (SaysDays || IsLikeStart(day, start, monthDays));
    }

    private static bool IsOneOf(IReadOnlyList<int> values, int value, int of) =>
        values.Count == 0 || values.Contains(value) || values.Contains(value - of - 1);

    /// <summary>Ordinals count within the month when the rule is monthly or names months, else within the year.</summary>
    private bool IsWeekday(RuleWeekday weekday, LocalDate day, int monthDays, int yearDays)
    {
        bool isInMonth = Frequency == RecurrenceFrequency.Monthly || Months.Count > 0;
        (int number, int of) = isInMonth ? (day.Day, monthDays) : (day.DayOfYear, yearDays);
        return day.DayOfWeek == weekday.Day
            && (weekday.Ordinal == 0 || weekday.Ordinal == ((number - 1) / 7) + 1 || weekday.Ordinal == -(((of - number) / 7) + 1));
    }

    private bool SaysDays => Frequency == RecurrenceFrequency.Daily || Weekdays.Count > 0 || MonthDays.Count > 0 || YearDays.Count > 0;

    /// <summary>What a rule leaves open, the start says: the weekday, the day of the month, the month.</summary>
    private bool IsLikeStart(LocalDate day, LocalDate start, int monthDays)
    {
        if (Frequency == RecurrenceFrequency.Weekly || WeekNumbers.Count > 0)
        {
            return day.DayOfWeek == start.DayOfWeek;
        }

        bool isMonth = Frequency == RecurrenceFrequency.Monthly || Months.Count > 0 || day.Month == start.Month;
        return isMonth && day.Day == (Clamps ? Math.Min(start.Day, monthDays) : start.Day);
    }
}
