using Ical.Net;
using Ical.Net.DataTypes;
using Ical.Net.Evaluation;
using NodaTime;
using NodaTime.Extensions;
using Pattern = Ical.Net.DataTypes.RecurrenceRule;

namespace Flex.RecurringBookings;

/// <summary>
/// On which days a series takes place. Ical.Net expands the <paramref name="pattern"/>, which has neither COUNT nor UNTIL: the ends
/// below are the caller's to apply. Pure, and lazy: the work is bounded by the window asked for, whatever the rule says.
/// </summary>
/// <param name="clamps">A month without the day of the start has the occurrence on its last day.</param>
public sealed class RecurrenceRule(Pattern pattern, bool clamps = false)
{
    public const int MaxInterval = 1_000;
    public const int MaxOccurrences = 500;

    /// <summary>From the first occurrence to the last.</summary>
    public const int MaxMonths = 24;

    /// <summary>The last day that every month has.</summary>
    private const int LastCommonDay = 28;

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
        var anchor = new CalDateTime(start.ToDateOnly());
        return new RecurrencePatternEvaluator(PatternOf(start, last))
            .Evaluate(anchor, anchor, new EvaluationOptions())
            .Select(period => LocalDate.FromDateOnly(period.StartTime.Date))
            .TakeWhile(day => day <= last)
            .Distinct();
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

        var pattern = new Pattern(FrequencyOf(frequency), r.Interval ?? 1)
        {
            ByDay = [.. (r.Weekdays ?? []).Select(d => new WeekDay(((IsoDayOfWeek)d).ToDayOfWeek()))],
        };
        return new RecurrenceRule(pattern, clamps: isByMonth && r.OnMissingDay != MissingDay.Skip) { Count = r.Count, Until = r.Until };
    }

    private static Error Invalid(string member, string message) => Error.Invalid(ErrorCodes.InvalidValue, "/recurrence" + member, message);

    private static FrequencyType FrequencyOf(RecurrenceFrequency frequency) => frequency switch
    {
        RecurrenceFrequency.Daily => FrequencyType.Daily,
        RecurrenceFrequency.Weekly => FrequencyType.Weekly,
        RecurrenceFrequency.Monthly => FrequencyType.Monthly,
        _ => FrequencyType.Yearly,
    };

    /// <summary>
    /// The library stops at the anniversary before its UNTIL, not at UNTIL. Years later, that only ends rules without any more days.
    /// </summary>
    private Pattern PatternOf(LocalDate start, LocalDate last)
    {
        var whole = new Pattern();
        whole.CopyFrom(pattern);
        whole.Until = new CalDateTime(last.PlusYears(2).ToDateOnly());
        if (clamps && start.Day > LastCommonDay)
        {
            // Of the days up to the wanted one, the last that the month has.
            whole.ByMonth = pattern.Frequency == FrequencyType.Yearly ? [start.Month] : [];
            whole.ByMonthDay = [.. Enumerable.Range(LastCommonDay, start.Day - LastCommonDay + 1)];
            whole.BySetPosition = [-1];
        }

        return whole;
    }
}
