using NodaTime;

namespace Flex.Bookings;

public enum BookingCancelReason
{
    ByMember,
    ByStaff,
    Downgraded,
}

/// <summary>Command: cancel every booking of the member that starts at or after an instant, without a fee. Queue <c>bookings</c>.</summary>
public sealed record CancelFutureBookings(MemberId MemberId, Instant From, BookingCancelReason Reason)
{
    public const string Subject = "bookings.cancel-future.v1";
}
