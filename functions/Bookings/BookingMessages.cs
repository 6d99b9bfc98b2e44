using Flex.Invoicing;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Bookings;

public enum BookingCancelReason
{
    ByMember,
    ByStaff,

    /// <summary>The space cannot give what was booked: everything comes back.</summary>
    BySpace,

    Downgraded,
    NotApproved,
    Rejected,
    NotPaid,

    /// <summary>An occurrence could not be accounted in time.</summary>
    NotAccounted,

    /// <summary>Its day was left out of the series, or the series could not be booked.</summary>
    SeriesNotMade,
}

/// <summary>Fact: bookings of a member exist. Queue <c>bookings</c>.</summary>
public sealed record BookingsMade(MemberId MemberId, IReadOnlyList<MadeBooking> Bookings)
{
    public const string Subject = "bookings.made.v1";
}

public sealed record MadeBooking(BookingId BookingId, Instant Start);

/// <summary>Command: what cancelled bookings took from the wallet goes back. Queue <c>bookings</c>.</summary>
public sealed record ReturnToWallet(MemberId MemberId, IReadOnlyList<BookingId> BookingIds)
{
    public const string Subject = "booking.return-to-wallet.v1";
}

/// <summary>Command: something may be due for the booking by now. Queue <c>bookings</c>; comes late or twice without harm.</summary>
public sealed record LookAtBooking(BookingId BookingId)
{
    public const string Subject = "booking.look.v1";
}

/// <summary>
/// Command: cancel every booking of the member that starts at or after an instant, without a fee. Queue <c>bookings</c>. Bookings made
/// after that instant stay if the member may book again, so that a late or repeated delivery does no harm.
/// </summary>
public sealed record CancelFutureBookings(MemberId MemberId, Instant From, BookingCancelReason Reason)
{
    public const string Subject = "bookings.cancel-future.v1";
}

/// <summary>The messages that commit with a booking. Ids follow from the booking and what is meant, so a repeat repeats them.</summary>
public static class BookingMessages
{
    public static OutboxMessage Made(Booking booking) => Made([booking]);

    /// <summary>At least one booking, of one member.</summary>
    public static OutboxMessage Made(IReadOnlyList<Booking> bookings) => OutboxMessage.Create(
        $"{bookings[0].Id}.{bookings[0].Version}.made",
        Queues.Bookings,
        BookingsMade.Subject,
        new BookingsMade(bookings[0].MemberId, [.. bookings.Select(b => new MadeBooking(b.Id, b.Start))]));

    public static OutboxMessage Charged(Booking booking, BookingCharge charge, string resourceName) => OutboxMessage.Create(
        $"{charge.Id}.created", Queues.Billing, ChargeCreated.Subject, booking.Announce(charge, resourceName));

    public static OutboxMessage ChargeDropped(Booking booking, BookingCharge charge) => OutboxMessage.Create(
        $"{charge.Id}.cancelled",
        Queues.Billing,
        ChargeCancelled.Subject,
        new ChargeCancelled(charge.Id, booking.CustomerId, booking.CancelReason?.ToString() ?? "Changed"));

    public static OutboxMessage ChargeLowered(Booking booking, BookingCharge charge, Money by) => OutboxMessage.Create(
        $"{charge.Id}.{booking.Version}.reduced",
        Queues.Billing,
        ChargeReduced.Subject,
        new ChargeReduced(charge.Id, booking.CustomerId, $"{booking.Id}.{booking.Version}", by, "Changed"));

    /// <summary>What billing must hear of charges that a new version of the booking has dropped, lowered or added.</summary>
    public static IEnumerable<OutboxMessage> OfCharges(Booking before, Booking after, string resourceName)
    {
        foreach (BookingCharge charge in after.Charges)
        {
            BookingCharge? known = before.Charges.FirstOrDefault(c => c.Id == charge.Id);
            if (known is null)
            {
                yield return Charged(after, charge, resourceName);
            }
            else if (charge.CancelledAt is not null && known.CancelledAt is null)
            {
                yield return ChargeDropped(after, charge);
            }
            else if (charge.Owed < known.Owed)
            {
                yield return ChargeLowered(after, charge, known.Owed - charge.Owed);
            }
        }
    }

    public static OutboxMessage Return(Booking booking) => Return([booking]);

    /// <summary>At least one booking, of one member.</summary>
    public static OutboxMessage Return(IReadOnlyList<Booking> bookings) => OutboxMessage.Create(
        $"{bookings[0].Id}.return",
        Queues.Bookings,
        ReturnToWallet.Subject,
        new ReturnToWallet(bookings[0].MemberId, [.. bookings.Select(b => b.Id)]));

    /// <summary>Comes a minute after a change began, for the case that it was cut off.</summary>
    public static OutboxMessage LookAtChange(Booking booking) => OutboxMessage.Create(
        $"{booking.Id}.{booking.Version}.change", Queues.Bookings, LookAtBooking.Subject, new LookAtBooking(booking.Id), Duration.FromMinutes(1));

    /// <summary>Comes when the booking is due to change by itself; null when it is not.</summary>
    public static OutboxMessage? Look(Booking booking, Instant now) => booking.ActBy is { } due
        ? OutboxMessage.Create(
            $"{booking.Id}.{booking.Version}.look",
            Queues.Bookings,
            LookAtBooking.Subject,
            new LookAtBooking(booking.Id),
            due > now ? due - now : null)
        : null;
}
