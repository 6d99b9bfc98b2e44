using System.Text.Json.Serialization;
using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>One time of a series, <c>[Start, End)</c>.</summary>
/// <param name="Index">Position among the days that the rule gives, from 0; exclusions do not shift it.</param>
/// <param name="Date">The local day that the rule gives; names the occurrence for good, also when its booking is moved.</param>
public sealed record Occurrence(int Index, LocalDate Date, Instant Start, Instant End)
{
    [JsonIgnore]
    public Interval Time => new(Start, End);
}

/// <summary>
/// When a series takes place: a time on the clock on the wall, the zone of that clock and a rule (REC-8). Pure.
/// </summary>
/// <param name="LocalStart">Its day anchors the rule: intervals, and what the rule leaves open, are counted from it.</param>
/// <param name="LocalEnd">Exclusive; may lie on a later day.</param>
public sealed record SeriesSchedule(LocalDateTime LocalStart, LocalDateTime LocalEnd, string TimeZone, Recurrence Recurrence)
{
    /// <summary>Days for which calendars and zones are calculated.</summary>
    private const int MinYear = 2000;
    private const int MaxYear = 2200;

    /// <summary>
    /// All occurrences in order; a refusal when the schedule is none that can be booked: too long, too many, none at all, or
    /// occurrences that overlap each other.
    /// </summary>
    public Result<IReadOnlyList<Occurrence>> Check()
    {
        if (LocalStart.Year is < MinYear or > MaxYear)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/localStart", $"Days from {MinYear} to {MaxYear}.");
        }

        if (LocalEnd <= LocalStart)
        {
            return Error.Invalid(ErrorCodes.EndBeforeStart, "/localEnd", "The end must be after the start.");
        }

        if (LocalEnd.Year > MaxYear)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/localEnd", $"Days from {MinYear} to {MaxYear}.");
        }

        Result<RecurrenceRule> rule = RecurrenceRule.Parse(Recurrence);
        if (rule.IsError)
        {
            return rule.Error;
        }

        // One more than allowed tells that there are too many.
        Occurrence[] found = [.. Enumerate(rule.Value).Take(RecurrenceRule.MaxOccurrences + 1)];
        if (RefuseExtent(rule.Value, found) is { } refusal)
        {
            return refusal;
        }

        for (int i = 1; i < found.Length; i++)
        {
            if (found[i].Start < found[i - 1].End)
            {
                return Error.Invalid(
                    ErrorCodes.InvalidValue, "/localEnd", $"The occurrences of {found[i - 1].Date:uuuu-MM-dd} and {found[i].Date:uuuu-MM-dd} overlap.");
            }
        }

        return found;
    }

    /// <summary>All occurrences in order, of a schedule that <see cref="Check"/> has accepted.</summary>
    public IReadOnlyList<Occurrence> Occurrences() =>
        [.. Enumerate(RecurrenceRule.Parse(Recurrence).Value).Take(RecurrenceRule.MaxOccurrences)];

    /// <summary>
    /// The instants of the local times on one day. A start that the clocks skip moves forward by the gap and keeps the length that the
    /// clock on the wall gives it; otherwise start and end are each what the clock then shows, so that the time elapsed, and paid
    /// for, can be an hour more or less.
    /// </summary>
    public static Interval Resolve(LocalDateTime localStart, LocalDateTime localEnd, SiteCalendar calendar)
    {
        Instant start = calendar.At(localStart);
        return new Interval(
            start,
            calendar.LocalOf(start) == localStart ? calendar.At(localEnd) : start + Period.Between(localStart, localEnd, PeriodUnits.Ticks).ToDuration());
    }

    /// <summary>
    /// Followed for two years from the first occurrence, which itself lies within two years of the anchor, and no further, whatever end
    /// the rule has.
    /// </summary>
    private IEnumerable<Occurrence> Enumerate(RecurrenceRule rule)
    {
        LocalDate anchor = LocalStart.Date;
        LocalDate[] first = [.. rule.Days(anchor, anchor.PlusMonths(RecurrenceRule.MaxMonths)).Take(1)];
        if (first.Length == 0)
        {
            yield break;
        }

        var calendar = new SiteCalendar(TimeZone);
        Period length = Period.Between(LocalStart, LocalEnd, PeriodUnits.Ticks);
        int index = 0;
        foreach (LocalDate date in rule.Days(anchor, first[0].PlusMonths(RecurrenceRule.MaxMonths)))
        {
            LocalDateTime localStart = date + LocalStart.TimeOfDay;
            Interval time = Resolve(localStart, localStart + length, calendar);
            if (index >= rule.Count || date > rule.Until || time.Start > rule.UntilInstant)
            {
                yield break;
            }

            yield return new Occurrence(index++, date, time.Start, time.End);
        }
    }

    private Error? RefuseExtent(RecurrenceRule rule, Occurrence[] found)
    {
        string end = rule.Count is null ? "/until" : "/count";
        string pointer = "/recurrence" + (Recurrence.Rrule is null ? end : "/rrule");
        if (found.Length == 0)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/recurrence", "The rule has no occurrence from the start on.");
        }

        LocalDate last = found[0].Date.PlusMonths(RecurrenceRule.MaxMonths);
        bool isLonger = rule.Until > last
            || (rule.UntilInstant is { } until && new SiteCalendar(TimeZone).DateOf(until) > last)
            || (rule.Count is { } count && found.Length < count);
        if (isLonger)
        {
            return Error.Invalid(
                ErrorCodes.InvalidValue, pointer, $"A series ends within {RecurrenceRule.MaxMonths} months of its first occurrence, {found[0].Date:uuuu-MM-dd}.");
        }

        return found.Length > RecurrenceRule.MaxOccurrences
            ? Error.Invalid(ErrorCodes.InvalidValue, pointer, $"A series has at most {RecurrenceRule.MaxOccurrences} occurrences.")
            : null;
    }
}
