using NodaTime;
using NodaTime.TimeZones;

namespace Flex.Kernel;

/// <summary>
/// The calendar of one location. Local times that a clock change skips move forward by the gap; local times that occur
/// twice mean the earlier instant (NodaTime's lenient resolver).
/// </summary>
public sealed record SiteCalendar
{
    public SiteCalendar(string timeZoneId) => Zone = DateTimeZoneProviders.Tzdb[timeZoneId];

    public DateTimeZone Zone { get; }

    public static bool IsKnownZone(string? timeZoneId) => timeZoneId is not null && DateTimeZoneProviders.Tzdb.GetZoneOrNull(timeZoneId) is not null;

    public LocalDate DateOf(Instant instant) => instant.InZone(Zone).Date;

    public LocalDateTime LocalOf(Instant instant) => instant.InZone(Zone).LocalDateTime;

    public Instant At(LocalDateTime local) => Zone.ResolveLocal(local, Resolvers.LenientResolver).ToInstant();

    public Instant At(LocalDate date, int minuteOfDay) => At(date.AtMidnight().PlusMinutes(minuteOfDay));

    /// <summary>00:00 of the day, or the first instant after a gap that swallows midnight.</summary>
    public Instant StartOfDay(LocalDate date) => Zone.AtStartOfDay(date).ToInstant();

    /// <summary>
    /// The time as the clocks of the place show it: cut at every midnight and at every clock change, so that each part lasted as long
    /// as its times of day say. The hour that is repeated when clocks go back is there twice.
    /// </summary>
    public IEnumerable<DayPart> PartsOf(Interval time)
    {
        foreach (ZoneInterval zone in Zone.GetZoneIntervals(time))
        {
            LocalDateTime at = (zone.HasStart ? Instant.Max(zone.Start, time.Start) : time.Start).WithOffset(zone.WallOffset).LocalDateTime;
            LocalDateTime end = (zone.HasEnd ? Instant.Min(zone.End, time.End) : time.End).WithOffset(zone.WallOffset).LocalDateTime;
            for (; at.Date < end.Date; at = at.Date.PlusDays(1).AtMidnight())
            {
                yield return new DayPart(at.Date, at.TickOfDay, NodaConstants.TicksPerDay);
            }

            if (at < end)
            {
                yield return new DayPart(at.Date, at.TickOfDay, end.TickOfDay);
            }
        }
    }

    /// <summary>The next full local hour strictly later than <paramref name="now"/>.</summary>
    public Instant NextTopOfHour(Instant now)
    {
        LocalDateTime local = LocalOf(now);
        LocalDateTime top = local.Date.AtMidnight().PlusHours(local.Hour + 1);
        Instant candidate = At(top);
        // In the hour that is repeated when clocks go back, the lenient resolver names the first of the two.
        while (candidate <= now)
        {
            top = top.PlusHours(1);
            candidate = At(top);
        }

        return candidate;
    }
}

/// <summary>Part of a local day without a clock change in it.</summary>
/// <param name="From">In ticks of the day.</param>
/// <param name="Until">Exclusive; at most <see cref="NodaConstants.TicksPerDay"/>.</param>
public readonly record struct DayPart(LocalDate Date, long From, long Until)
{
    public long Ticks => Until - From;

    public bool IsWeekend => Date.DayOfWeek is IsoDayOfWeek.Saturday or IsoDayOfWeek.Sunday;
}

/// <summary>Monthly anchors: the n-th date is always computed from the first one, never from the previous, so 31 Jan gives 28 Feb and then 31 Mar.</summary>
public static class MonthAnchor
{
    /// <summary>The first date plus n months, clamped to the month's last day.</summary>
    public static LocalDate Nth(LocalDate first, int months) => first.PlusMonths(months);

    /// <summary>The first anchor date strictly after <paramref name="after"/>, in steps of <paramref name="intervalMonths"/>.</summary>
    public static LocalDate NextAfter(LocalDate first, int intervalMonths, LocalDate after)
    {
        int months = Math.Max(0, ((after.Year - first.Year) * 12) + after.Month - first.Month);
        int step = Math.Max(0, (months / intervalMonths) - 1);
        LocalDate candidate = Nth(first, step * intervalMonths);
        while (candidate <= after)
        {
            step++;
            candidate = Nth(first, step * intervalMonths);
        }

        return candidate;
    }
}
