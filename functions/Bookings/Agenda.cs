using System.Text.Json.Serialization;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// What is taken of one resource on one day, in the order of start. A booking stands in the agenda of every day it touches, always
/// with its whole interval. A day has 288 five-minute steps, so a full agenda is some 20,000 characters.
/// </summary>
public sealed record Agenda(IReadOnlyList<AgendaSlot> Slots)
{
    public static Agenda Empty { get; } = new([]);

    /// <summary>The first slot that shares time with the interval; slots are half-open, so back-to-back is no conflict.</summary>
    public AgendaSlot? ConflictWith(Instant start, Instant end)
    {
        foreach (AgendaSlot slot in Slots)
        {
            if (slot.Start < end && start < slot.End)
            {
                return slot;
            }
        }

        return null;
    }

    public Agenda With(AgendaSlot slot) => new([.. Slots.Append(slot).OrderBy(s => s.From)]);

    public Agenda Without(BookingId booking) => new([.. Slots.Where(s => s.Booking != booking)]);
}

/// <summary>A taken interval in minutes since 1970-01-01T00:00Z; every booking is on a grid of whole minutes.</summary>
public sealed record AgendaSlot(
    [property: JsonPropertyName("b")] BookingId Booking,
    [property: JsonPropertyName("f")] long From,
    [property: JsonPropertyName("u")] long Until)
{
    [JsonIgnore]
    public Instant Start => Instant.FromUnixTimeSeconds(From * 60);

    [JsonIgnore]
    public Instant End => Instant.FromUnixTimeSeconds(Until * 60);

    public static AgendaSlot Of(Booking booking) =>
        new(booking.Id, booking.Start.ToUnixTimeSeconds() / 60, booking.End.ToUnixTimeSeconds() / 60);
}

/// <summary>
/// The days that an interval touches. They are UTC days on purpose: which rows serialise the writers of an interval must not depend
/// on the time zone database or on a location's zone, both of which can change while bookings stand.
/// </summary>
public static class AgendaDays
{
    public static IReadOnlyList<LocalDate> Touched(Instant start, Instant end)
    {
        LocalDate first = start.InUtc().Date;
        LocalDate last = (end - Duration.Epsilon).InUtc().Date;
        return [.. Enumerable.Range(0, Period.DaysBetween(first, last) + 1).Select(first.PlusDays)];
    }
}
