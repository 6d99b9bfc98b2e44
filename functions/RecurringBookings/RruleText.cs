using System.Globalization;
using System.Text.RegularExpressions;
using Ical.Net;
using NodaTime;
using NodaTime.Text;
using Pattern = Ical.Net.DataTypes.RecurrenceRule;

namespace Flex.RecurringBookings;

/// <summary>
/// Reads an RFC 5545 recurrence rule with Ical.Net. Refused are, besides what section 3.3.10 does not allow: rules without an end,
/// rules that repeat or select within a day, and the few yearly ones that the library expands wrongly. As a series starts on a local
/// time of a named zone, UNTIL is a UTC time there; a plain date is accepted and is inclusive.
/// </summary>
public static partial class RruleText
{
    /// <summary>A rule that lists all 53 weeks has some 200 characters.</summary>
    public const int MaxLength = 500;

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

        if (!parts.Remove("FREQ", out string? frequency) || frequency is not ("DAILY" or "WEEKLY" or "MONTHLY" or "YEARLY"))
        {
            return Invalid("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.");
        }

        bool isCounted = parts.Remove("COUNT", out string? count);
        if (isCounted == parts.Remove("UNTIL", out string? until))
        {
            return Invalid("A series ends: give COUNT or UNTIL, and not both.");
        }

        string rule = "FREQ=" + frequency;
        var pattern = new Pattern(rule);
        foreach ((string name, string value) in parts)
        {
            rule += $";{name}={value}";
            if (!IsKnown(name, value) || Read(rule) is not { Interval: <= RecurrenceRule.MaxInterval } read)
            {
                return Invalid($"{name}={value} is not allowed.");
            }

            pattern = read;
        }

        if (RefuseCombination(pattern) is { } refusal)
        {
            return Invalid(refusal);
        }

        return isCounted ? Counted(Normalised(pattern), count!) : Ending(Normalised(pattern), until!);
    }

    private static Error Invalid(string message) => Error.Invalid(ErrorCodes.InvalidValue, "/recurrence/rrule", message);

    /// <summary>Whether a part is one for whole days; the library also takes weekdays such as --1MO, 99MO and MOTU.</summary>
    private static bool IsKnown(string name, string value) => name switch
    {
        "BYDAY" => Weekdays().IsMatch(value),
        "INTERVAL" or "WKST" or "BYMONTH" or "BYMONTHDAY" or "BYYEARDAY" or "BYWEEKNO" or "BYSETPOS" => true,
        _ => false,
    };

    private static Pattern? Read(string rule)
    {
        try
        {
            return new Pattern(rule);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            return null;
        }
    }

    private static Result<RecurrenceRule> Counted(Pattern pattern, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= RecurrenceRule.MaxOccurrences
            ? new RecurrenceRule(pattern) { Count = count }
            : Invalid($"COUNT is 1 to {RecurrenceRule.MaxOccurrences}.");

    private static Result<RecurrenceRule> Ending(Pattern pattern, string value)
    {
        if (Date.Parse(value) is { Success: true, Value: var date })
        {
            return new RecurrenceRule(pattern) { Until = date };
        }

        return UtcTime.Parse(value) is { Success: true, Value: var time }
            ? new RecurrenceRule(pattern) { UntilInstant = time }
            : Invalid("UNTIL is a day, as 20251231, or a time in UTC, as 20251231T225959Z.");
    }

    /// <summary>What section 3.3.10 says MUST NOT be and, last, what the library would answer wrongly.</summary>
    private static string? RefuseCombination(Pattern rule)
    {
        bool isYearly = rule.Frequency == FrequencyType.Yearly;
        bool isNumbered = rule.ByDay.Any(d => d.Offset is not null);
        bool isOfYear = rule.ByYearDay.Count + rule.ByWeekNo.Count > 0;
        if (isNumbered && (rule.Frequency is FrequencyType.Daily or FrequencyType.Weekly || rule.ByWeekNo.Count > 0))
        {
            return "A numbered BYDAY is for monthly rules, and for yearly ones without BYWEEKNO.";
        }

        if (rule.ByMonthDay.Count > 0 && rule.Frequency == FrequencyType.Weekly)
        {
            return "BYMONTHDAY is not for weekly rules.";
        }

        if (isOfYear && !isYearly)
        {
            return "BYYEARDAY and BYWEEKNO are for yearly rules.";
        }

        if (rule.BySetPosition.Count > 0 && rule.ByMonth.Count + rule.ByMonthDay.Count + rule.ByDay.Count == 0 && !isOfYear)
        {
            return "BYSETPOS needs another BY part to select from.";
        }

        if (isOfYear && rule.ByMonth.Count + rule.ByMonthDay.Count + rule.BySetPosition.Count > 0)
        {
            return "BYYEARDAY and BYWEEKNO are not supported together with BYMONTH, BYMONTHDAY or BYSETPOS.";
        }

        return isYearly && isNumbered && rule.ByMonthDay.Count > 0 && rule.ByMonth.Count == 0
            ? "A numbered BYDAY is not supported together with BYMONTHDAY in yearly rules without BYMONTH."
            : null;
    }

    /// <summary>
    /// The same rule in words that the library gets right: it selects positions from a repeated month twice, and takes a yearly
    /// BYMONTHDAY without BYMONTH as of the start's month alone.
    /// </summary>
    private static Pattern Normalised(Pattern rule)
    {
        rule.ByMonth = rule.Frequency == FrequencyType.Yearly && rule.ByMonthDay.Count > 0 && rule.ByMonth.Count == 0
            ? [.. Enumerable.Range(1, 12)]
            : [.. rule.ByMonth.Distinct()];
        return rule;
    }

    [GeneratedRegex(@"\A[A-Za-z]+=[A-Za-z0-9,+-]+(;[A-Za-z]+=[A-Za-z0-9,+-]+)*\z")]
    private static partial Regex Shape();

    [GeneratedRegex(@"\A([+-]?([1-9]|[1-4][0-9]|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?([1-9]|[1-4][0-9]|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU))*\z")]
    private static partial Regex Weekdays();
}
