using NodaTime;

namespace Flex.Settings;

/// <summary>When a place or a resource is open, on its own clock. A day may have several times; one that is not named is closed.</summary>
/// <param name="Times">Those of one day do not overlap.</param>
public sealed record OpeningHours(IReadOnlyList<OpeningTime> Times)
{
    /// <summary>What a day takes where no day has opening hours: 12 hours.</summary>
    private const int NeverOpenDayMinutes = 720;

    /// <summary>Monday to Friday, 09:00 to 18:00.</summary>
    public static OpeningHours Usual { get; } =
        new([.. Enumerable.Range(1, 5).Select(day => new OpeningTime((IsoDayOfWeek)day, new LocalTime(9, 0), new LocalTime(18, 0)))]);

    /// <summary>Opening minutes of the day by the clock, whatever a clock change makes of them; 0 when closed.</summary>
    public int MinutesOf(LocalDate date) => MinutesOf(date.DayOfWeek);

    /// <summary>
    /// What a whole day counts as, in minutes: its opening minutes, or those of the week's longest day for a day that is closed.
    /// Never 0.
    /// </summary>
    public int DayMinutes(LocalDate date) => MinutesOf(date) switch
    {
        > 0 and int open => open,
        _ => Times.Count == 0 ? NeverOpenDayMinutes : Times.Max(t => MinutesOf(t.Day)),
    };

    /// <summary>Whether the whole time lies in opening hours; a time that ends with the day and one that begins the next are one.</summary>
    public bool Covers(Interval time, SiteCalendar calendar) => calendar.PartsOf(time).All(p => OpenTicks(p) == p.Ticks);

    /// <summary>How much of the part is open, in ticks.</summary>
    public long OpenTicks(DayPart part) => Times
        .Where(t => t.Day == part.Date.DayOfWeek)
        .Sum(t => Math.Max(0, Math.Min(t.UntilTick, part.Until) - Math.Max(t.From.TickOfDay, part.From)));

    /// <summary>When it is open in a time, in order and as long as can be: a time that ends with the day and one that begins the next are one.</summary>
    public IReadOnlyList<Interval> Within(Interval time, SiteCalendar calendar)
    {
        var open = new List<Interval>();
        Instant at = time.Start;
        foreach (DayPart part in calendar.PartsOf(time))
        {
            foreach (OpeningTime opening in Times.Where(t => t.Day == part.Date.DayOfWeek).OrderBy(t => t.From))
            {
                long from = Math.Max(opening.From.TickOfDay, part.From);
                long until = Math.Min(opening.UntilTick, part.Until);
                if (from < until)
                {
                    var next = new Interval(at + Duration.FromTicks(from - part.From), at + Duration.FromTicks(until - part.From));
                    bool continues = open.Count > 0 && open[^1].End == next.Start;
                    if (continues)
                    {
                        open[^1] = new Interval(open[^1].Start, next.End);
                    }
                    else
                    {
                        open.Add(next);
                    }
                }
            }

            at += Duration.FromTicks(part.Ticks);
        }

        return open;
    }

    private int MinutesOf(IsoDayOfWeek day) =>
        (int)(Times.Where(t => t.Day == day).Sum(t => t.UntilTick - t.From.TickOfDay) / NodaConstants.TicksPerMinute);
}

/// <param name="Until">Exclusive; 00:00 is the end of the day.</param>
public sealed record OpeningTime(IsoDayOfWeek Day, LocalTime From, LocalTime Until)
{
    /// <summary>The end in ticks of the day; the end of the day is not 0 here.</summary>
    internal long UntilTick => Until == LocalTime.Midnight ? NodaConstants.TicksPerDay : Until.TickOfDay;
}
