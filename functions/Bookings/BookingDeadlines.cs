using Flex.Platform.Messaging;

namespace Flex.Bookings;

/// <summary>
/// Handles <see cref="LookAtBooking"/>: ends holds that have run out, bookings that nobody has approved, and those nobody has checked in
/// to. The booking's own state and time decide, so that a message that is late, early or repeated does no harm.
/// </summary>
public sealed class LookAtBookingHandler(BookingCanceller canceller) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => LookAtBooking.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        canceller.EndAsync(envelope.Read<LookAtBooking>().BookingId, (booking, now) => booking.Expire(now), batchMore: null, cancellation);
}
