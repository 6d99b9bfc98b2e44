using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Flex.Catalogue;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// What is taken of one resource in one month, in the order of start. A booking stands in the agenda of every month it touches, always
/// with its whole time. A month has 8,928 five-minute steps, so a full agenda is some 420,000 characters.
/// </summary>
public sealed record Agenda(IReadOnlyList<AgendaSlot> Slots)
{
    public static Agenda Empty { get; } = new([]);

    /// <summary>The first slot of another booking that shares time with this one, buffers included; back-to-back is no conflict.</summary>
    public AgendaSlot? ConflictWith(AgendaSlot wanted)
    {
        foreach (AgendaSlot slot in Slots)
        {
            if (slot.OccupiedFrom < wanted.OccupiedUntil && wanted.OccupiedFrom < slot.OccupiedUntil && slot.Booking != wanted.Booking)
            {
                return slot;
            }
        }

        return null;
    }

    /// <summary>With the slot beside what its booking has already: a booking that is being moved stands in the agenda twice.</summary>
    public Agenda With(AgendaSlot slot) => new([.. Slots.Where(s => s != slot).Append(slot).OrderBy(s => s.From)]);

    public Agenda Without(BookingId booking) => new([.. Slots.Where(s => s.Booking != booking)]);
}

/// <summary>A taken time <c>[From, Until)</c> in minutes since 1970-01-01T00:00Z, and what is kept free before and after it.</summary>
/// <remarks>Stored as <c>{id without prefix}|{from}|{length}</c> and, where there are any, <c>|{before}|{after}</c>, so that a month fits a row.</remarks>
[JsonConverter(typeof(AgendaSlotConverter))]
public sealed record AgendaSlot(BookingId Booking, long From, long Until, int Before = 0, int After = 0)
{
    public Instant Start => Instant.FromUnixTimeSeconds(From * 60);

    public Instant End => Instant.FromUnixTimeSeconds(Until * 60);

    public long OccupiedFrom => From - Before;

    public long OccupiedUntil => Until + After;

    public static AgendaSlot Of(Booking booking) => Of(booking.Id, new Interval(booking.Start, booking.End), booking.Buffers);

    public static AgendaSlot Of(BookingId id, Interval time, Buffers buffers) =>
        new(id, time.Start.ToUnixTimeSeconds() / 60, time.End.ToUnixTimeSeconds() / 60, buffers.Before, buffers.After);

    /// <summary>All that a booking keeps: its slot and, while a change of it waits for the wallet, the new one.</summary>
    public static IReadOnlyList<KeptSlot> AllOf(Booking booking) => booking.Change is { } change
        ? [new(booking.ResourceId, Of(booking)), new(change.ResourceId, Of(booking.Id, new Interval(change.Start, change.End), change.Buffers))]
        : [new(booking.ResourceId, Of(booking))];

    /// <summary>
    /// The months whose agendas hold it. They are UTC months on purpose: which rows serialise the writers of a time must not depend on
    /// the time zone database or on a location's zone, both of which can change while bookings stand.
    /// </summary>
    public IEnumerable<YearMonth> Months() => Months(
        Instant.FromUnixTimeSeconds(OccupiedFrom * 60), Instant.FromUnixTimeSeconds(OccupiedUntil * 60));

    /// <summary>The months that a half-open time touches.</summary>
    public static IEnumerable<YearMonth> Months(Instant start, Instant end)
    {
        YearMonth last = (end - Duration.Epsilon).InUtc().Date.ToYearMonth();
        for (YearMonth month = start.InUtc().Date.ToYearMonth(); month.CompareTo(last) <= 0; month = month.PlusMonths(1))
        {
            yield return month;
        }
    }
}

/// <summary>A slot with the resource it is of.</summary>
public readonly record struct KeptSlot(ResourceId Resource, AgendaSlot Slot)
{
    /// <summary>The agendas that hold it.</summary>
    public IEnumerable<AgendaKey> Keys
    {
        get
        {
            ResourceId resource = Resource;
            return Slot.Months().Select(month => new AgendaKey(month, resource));
        }
    }
}

/// <summary>Minutes kept free before and after a booking, as they were when it was made.</summary>
public sealed record Buffers(int Before, int After)
{
    public static Buffers None { get; } = new(0, 0);

    public static Buffers Of(Resource resource) => new(resource.Terms.BufferBeforeMinutes, resource.Terms.BufferAfterMinutes);
}

internal sealed class AgendaSlotConverter : JsonConverter<AgendaSlot>
{
    private static readonly string Prefix = BookingId.Prefix + "_";

    public override AgendaSlot Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string[] parts = reader.GetString()!.Split('|');
        long from = long.Parse(parts[1], CultureInfo.InvariantCulture);
        return new AgendaSlot(
            EntityId.Parse<BookingId>(Prefix + parts[0]),
            from,
            from + long.Parse(parts[2], CultureInfo.InvariantCulture),
            parts.Length > 3 ? int.Parse(parts[3], CultureInfo.InvariantCulture) : 0,
            parts.Length > 3 ? int.Parse(parts[4], CultureInfo.InvariantCulture) : 0);
    }

    public override void Write(Utf8JsonWriter writer, AgendaSlot value, JsonSerializerOptions options)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{value.Booking.Value[Prefix.Length..]}|{value.From}|{value.Until - value.From}");
        writer.WriteStringValue(value is { Before: 0, After: 0 } ? text : string.Create(CultureInfo.InvariantCulture, $"{text}|{value.Before}|{value.After}"));
    }
}
