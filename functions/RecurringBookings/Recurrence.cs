using NodaTime;

namespace Flex.RecurringBookings;

public enum RecurrenceFrequency
{
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// <summary>What a monthly or yearly series does in a month that lacks its day (29 to 31).</summary>
public enum MissingDay
{
    /// <summary>Takes the month's last day.</summary>
    Clamp,

    /// <summary>Leaves the month out.</summary>
    Skip,
}

/// <summary>
/// How a series repeats, as it is asked for and stored: either <paramref name="Rrule"/> alone, or the other members, of which
/// <paramref name="Frequency"/> and exactly one of <paramref name="Until"/> and <paramref name="Count"/> are needed (REC-7).
/// What it means is said by <see cref="RecurrenceRule"/>.
/// </summary>
/// <param name="Rrule">An RFC 5545 recurrence rule of whole days, with COUNT or UNTIL, e.g. <c>FREQ=WEEKLY;BYDAY=MO,WE;COUNT=20</c>.</param>
/// <param name="Interval">Every how many days, weeks, months or years, 1 to 1,000; 1 when left out.</param>
/// <param name="Weekdays">1 is Monday, 7 is Sunday. For daily and weekly series; when left out, a weekly one repeats on the day it starts on.</param>
/// <param name="Until">The last possible day, inclusive, on the location's calendar.</param>
/// <param name="Count">How many occurrences, 1 to 500.</param>
/// <param name="OnMissingDay">For monthly and yearly series; clamp when left out.</param>
public sealed record Recurrence(
    string? Rrule = null,
    RecurrenceFrequency? Frequency = null,
    int? Interval = null,
    IReadOnlyList<int>? Weekdays = null,
    LocalDate? Until = null,
    int? Count = null,
    MissingDay? OnMissingDay = null)
{
    /// <summary>The one form for what can be written in several; only of what <see cref="RecurrenceRule.Parse"/> has accepted.</summary>
    public Recurrence Canonical() => Rrule is not null
        ? new Recurrence(Rrule.ToUpperInvariant())
        : this with
        {
            Interval = Interval ?? 1,
            Weekdays = Weekdays is null ? null : [.. Weekdays.Order()],
            OnMissingDay = Frequency is RecurrenceFrequency.Monthly or RecurrenceFrequency.Yearly ? OnMissingDay ?? MissingDay.Clamp : null,
        };
}
