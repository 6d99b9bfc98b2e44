using Flex.Bookings;
using Flex.Catalogue;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.CalendarFeeds;

/// <summary>What a calendar shows of a booking.</summary>
/// <param name="ChangedAt">When the version was made.</param>
public sealed record FeedBooking(
    BookingId Id, ResourceId ResourceId, LocationId LocationId, Instant Start, Instant End, EventStatus Status, Instant ChangedAt, long Version)
{
    public static FeedBooking Of(Booking booking) => new(
        booking.Id,
        booking.ResourceId,
        booking.LocationId,
        booking.Start,
        booking.End,
        booking.State switch
        {
            BookingState.Confirmed or BookingState.CheckedIn => EventStatus.Confirmed,
            BookingState.Held or BookingState.Tentative => EventStatus.Tentative,
            _ => EventStatus.Cancelled,
        },
        booking.CancelledAt ?? booking.CheckedInAt ?? (booking.Changes.Count > 0 ? booking.Changes[^1].At : (Instant?)null) ?? booking.Approval?.At ?? booking.CreatedAt,
        booking.Version);
}

/// <summary>
/// The bookings of a feed in the order of their start: those that start in <c>[now − <see cref="Back"/>, now + <see cref="Ahead"/>)</c>.
/// Each is read by its id, <see cref="AtOnce"/> side by side.
/// </summary>
public sealed class FeedBookings(BookingStore bookings)
{
    public static readonly Duration Back = Duration.FromDays(60);

    /// <summary>Never less than 13 months.</summary>
    public static readonly Duration Ahead = Duration.FromDays(400);

    /// <summary>Of the past and again of the future. Whoever has more sees the later ones when their time comes nearer.</summary>
    public const int MaxEvents = TableLimits.MaxPage;

    private const int AtOnce = 100;

    /// <summary>Cancelled ones too, so that programs that have them take them out.</summary>
    public async Task<IReadOnlyList<FeedBooking>> OfMemberAsync(MemberId member, Instant now, CancellationToken cancellation)
    {
        IReadOnlyList<BookingEntry>[] found = await Task.WhenAll(
            bookings.PageByMemberAsync(member, now - Back, now, null, MaxEvents, cancellation),
            bookings.PageByMemberAsync(member, now, now + Ahead, null, MaxEvents, cancellation));
        return await ReadAsync([.. found.SelectMany(entries => entries)], cancellation);
    }

    /// <summary>What holds a slot there.</summary>
    public async Task<IReadOnlyList<FeedBooking>> OfResourceAsync(Resource resource, Instant now, CancellationToken cancellation)
    {
        AgendaKey[] keys = [.. AgendaSlot.Months(now - Back, now + Ahead).Select(month => new AgendaKey(month, resource.Id))];
        AgendaSheet sheet = await bookings.ReadAgendasAsync(resource.LocationId, keys, cancellation);
        AgendaSlot[] slots = [.. sheet.SlotsOf(resource.Id).Where(s => now - Back <= s.Start && s.Start < now + Ahead)];
        IEnumerable<AgendaSlot> past = slots.Where(s => s.Start < now).TakeLast(MaxEvents);
        IEnumerable<AgendaSlot> future = slots.Where(s => s.Start >= now).Take(MaxEvents);
        IReadOnlyList<FeedBooking> read = await ReadAsync(
            [.. past.Concat(future).Select(s => new BookingEntry(BookingStore.Position(s.Start, s.Booking), s.Booking)).Distinct()], cancellation);
        return [.. read.Where(b => b.Status != EventStatus.Cancelled && b.ResourceId == resource.Id)];
    }

    /// <summary>Each where it is now, and not where it was before it was moved.</summary>
    private async Task<IReadOnlyList<FeedBooking>> ReadAsync(IReadOnlyList<BookingEntry> entries, CancellationToken cancellation)
    {
        var read = new List<FeedBooking>(entries.Count);
        foreach (BookingEntry[] some in entries.Chunk(AtOnce))
        {
            Stored<Booking>?[] found = await Task.WhenAll(some.Select(e => bookings.ReadAsync(e.BookingId, cancellation)));
            read.AddRange(found.Zip(some).Where(f => f.First is not null && f.Second.IsOf(f.First.Value)).Select(f => FeedBooking.Of(f.First!.Value)));
        }

        return read;
    }
}
