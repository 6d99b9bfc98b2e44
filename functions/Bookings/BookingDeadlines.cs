using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Bookings;

/// <summary>
/// Handles <see cref="LookAtBooking"/>: finishes changes that were cut off, and ends holds that have run out, bookings that nobody has
/// approved, and those nobody has checked in to. The booking's own state and time decide, so that a message that is late, early or repeated does no harm.
/// </summary>
public sealed class LookAtBookingHandler(BookingStore bookings, BookingChanger changer, BookingCanceller canceller, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => LookAtBooking.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        LookAtBooking command = envelope.Read<LookAtBooking>();
        Stored<Booking> found = await bookings.RequireAsync(command.BookingId, cancellation);
        if (found.Value.Change is not null)
        {
            await changer.FinishAsync(found, cancellation);
            found = await bookings.RequireAsync(command.BookingId, cancellation);
        }

        if (found.Value.Expire(time.Now()) is not null)
        {
            await canceller.EndAsync(command.BookingId, (booking, now) => booking.Expire(now), batchMore: null, cancellation);
        }
    }
}
