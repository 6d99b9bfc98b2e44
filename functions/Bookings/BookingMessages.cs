using NodaTime;

namespace Flex.Bookings;

public enum BookingCancelReason
{
    ByMember,
    ByStaff,
    Downgraded,
}

/// <summary>Fact: a booking holds its slot. Queue <c>bookings</c>.</summary>
public sealed record BookingConfirmed(BookingId BookingId, ResourceId ResourceId, MemberId MemberId, Instant Start)
{
    public const string Subject = "booking.confirmed.v1";
}

/// <summary>
/// Command: cancel every booking of the member that starts at or after an instant, without a fee. Queue <c>bookings</c>. Bookings made
/// after that instant stay if the member may book again, so that a late or repeated delivery does no harm.
/// </summary>
public sealed record CancelFutureBookings(MemberId MemberId, Instant From, BookingCancelReason Reason)
{
    public const string Subject = "bookings.cancel-future.v1";
}
