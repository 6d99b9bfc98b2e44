using System.Globalization;
using System.Text.RegularExpressions;
using NodaTime;
using NodaTime.Text;

namespace Flex.RecurringBookings;

/// <summary>
/// Reads an RFC 5545 recurrence rule. Refused are, besides what the grammar of section 3.3.10 and its table do not allow: rules
/// without an end, and rules that repeat or select within a day. As a series starts on a local time of a named zone, UNTIL is a UTC
/// time there; a plain date is accepted and is inclusive.
/// </summary>
public static partial class RruleText
{
    /// <summary>A rule that lists all 53 weeks has some 200 characters.</summary>
    public const int MaxLength = 500;

    private static readonly string[] DayNames = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    private static readonly LocalDatePattern Date = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");
    private static readonly InstantPattern UtcTime = InstantPattern.CreateWithInvariantCulture("uuuuMMdd'T'HHmmss'Z'");

    public static Result<RecurrenceRule> Parse(string text)
    {
        if (text.Length > MaxLength || !Shape().IsMatch(text))
        {
            return Invalid($"Not an RFC 5545 recurrence rule of at most {MaxLength} characters, e.g. FREQ=WEEKLY;BYDAY=MO,WE;COUNT=20.");
        }

        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string[] part in text.ToUpperInvariant().Split(';').Select(p => p.Split('=')))
        {
            if (!parts.TryAdd(part[0], part[1]))
            {
                return Invalid($"{part[0]} stands more than once.");
            }
        }

        if (FrequencyOf(parts.GetValueOrDefault("FREQ")) is not { } frequency)
        {
            return Invalid("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.");
        }

        if (parts.ContainsKey("COUNT") == parts.ContainsKey("UNTIL"))
        {
            return Invalid("A series ends: give COUNT or UNTIL, and not both.");
        }

        var rule = new RecurrenceRule(frequency, Interval: 1);
        foreach ((string name, string value) in parts)
        {
            if (With(rule, name, value) is not { } with)
            {
                return Invalid($"{name}={value} is not allowed.");
            }

            rule = with;
        }

        return RefuseCombination(rule) is { } refusal ? Invalid(refusal) : rule;
    }

    private static Error Invalid(string message) => Error.Invalid(ErrorCodes.InvalidValue, "/recurrence/rrule", message);

    private static RecurrenceFrequency? FrequencyOf(string? name) => name switch
    {
        "DAILY" => RecurrenceFrequency.Daily,
        "WEEKLY" => RecurrenceFrequency.Weekly,
        "MONTHLY" => RecurrenceFrequency.Monthly,
        "YEARLY" => RecurrenceFrequency.Yearly,
        _ => null,
    };

    /// <summary>The rule with one more part; null when the part is unknown, not for whole days, or out of range.</summary>
    private static RecurrenceRule? With(RecurrenceRule rule, string name, string value) => name switch
    {
        "FREQ" => rule,
        "INTERVAL" => Number(value, 1, RecurrenceRule.MaxInterval) is { } interval ? rule with { Interval = interval } : null,
        "COUNT" => Number(value, 1, RecurrenceRule.MaxOccurrences) is { } count ? rule with { Count = count } : null,
        "UNTIL" => WithUntil(rule, value),
        "WKST" => Weekday(value) is { Ordinal: 0, Day: var day } ? rule with { WeekStart = day } : null,
        "BYMONTH" => Numbers(value, 1, 12) is { } months ? rule with { Months = months } : null,
        "BYMONTHDAY" => Numbers(value, -31, 31) is { } days ? rule with { MonthDays = days } : null,
        "BYYEARDAY" => Numbers(value, -366, 366) is { } days ? rule with { YearDays = days } : null,
        "BYWEEKNO" => Numbers(value, -53, 53) is { } weeks ? rule with { WeekNumbers = weeks } : null,
        "BYSETPOS" => Numbers(value, -366, 366) is { } positions ? rule with { Positions = positions } : null,
        "BYDAY" => List(value, Weekday) is { } days ? rule with { Weekdays = days } : null,
        _ => null,
    };

    private static RecurrenceRule? WithUntil(RecurrenceRule rule, string value)
    {
        if (Date.Parse(value) is { Success: true, Value: var date })
        {
            return rule with { Until = date };
        }

        return UtcTime.Parse(value) is { Success: true, Value: var time } ? rule with { UntilInstant = time } : null;
    }

    /// <summary>What section 3.3.10 says MUST NOT be.</summary>
    private static string? RefuseCombination(RecurrenceRule rule)
    {
        bool isYearly = rule.Frequency == RecurrenceFrequency.Yearly;
        if (rule.Weekdays.Any(w => w.Ordinal != 0)
            && (rule.Frequency is RecurrenceFrequency.Daily or RecurrenceFrequency.Weekly || rule.WeekNumbers.Count > 0))
        {
            return "A numbered BYDAY is for monthly rules, and for yearly ones without BYWEEKNO.";
        }

        if (rule.MonthDays.Count > 0 && rule.Frequency == RecurrenceFrequency.Weekly)
        {
            return "BYMONTHDAY is not for weekly rules.";
        }

        if ((rule.YearDays.Count > 0 || rule.WeekNumbers.Count > 0) && !isYearly)
        {
            return "BYYEARDAY and BYWEEKNO are for yearly rules.";
        }

        bool selects = rule.Months.Count + rule.MonthDays.Count + rule.YearDays.Count + rule.WeekNumbers.Count + rule.Weekdays.Count > 0;
        return rule.Positions.Count > 0 && !selects ? "BYSETPOS needs another BY part to select from." : null;
    }

    /// <summary>Zero is in none of these ranges.</summary>
    private static int? Number(string text, int min, int max) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max && number != 0
            ? number
            : null;

    private static int[]? Numbers(string text, int min, int max) => List(text, item => Number(item, min, max));

    private static RuleWeekday? Weekday(string text)
    {
        int day = text.Length < 2 ? -1 : Array.IndexOf(DayNames, text[^2..]);
        if (day < 0)
        {
            return null;
        }

        int? ordinal = text.Length == 2 ? 0 : Number(text[..^2], -53, 53);
        return ordinal is { } number ? new RuleWeekday((IsoDayOfWeek)(day + 1), number) : null;
    }

    private static T[]? List<T>(string text, Func<string, T?> item)
        where T : struct
    {
        T?[] items = [.. text.Split(',').Select(item)];
        return items.Any(i => i is null) ? null : [.. items.Select(i => i!.Value)];
    }

    [GeneratedRegex(@"\A[A-Za-z]+=[A-Za-z0-9,+-]+(;[A-Za-z]+=[A-Za-z0-9,+-]+)*\z")]
    private static partial Regex Shape();
}
