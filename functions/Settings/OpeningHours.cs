using NodaTime;

namespace Flex.Settings;

/// <summary>When a place or a resource is open, on its own clock. A day may have several times; one that is not named is closed.</summary>
public sealed record OpeningHours(IReadOnlyList<OpeningTime> Times)
{
    /// <summary>Monday to Friday, 09:00 to 18:00.</summary>
    public static OpeningHours Usual { get; } =
        new([.. Enumerable.Range(1, 5).Select(day => new OpeningTime((IsoDayOfWeek)day, new LocalTime(9, 0), new LocalTime(18, 0)))]);
}

/// <param name="Until">Exclusive; 00:00 is the end of the day.</param>
public sealed record OpeningTime(IsoDayOfWeek Day, LocalTime From, LocalTime Until);
