using Flex.Members;
using Flex.Platform.Messaging;

namespace Flex.Bookings;

/// <summary>
/// Handles <see cref="BookingsMade"/>: makes bookings findable by their member, then looks at the member once more. A downgrade that
/// came between the booking's look at the member and its commit could not find the booking; this finds the downgrade. Two storage
/// calls.
/// </summary>
public sealed class IndexBookings(BookingStore bookings, MemberStore members, BookingCanceller canceller, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => BookingsMade.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        BookingsMade fact = envelope.Read<BookingsMade>();
        await bookings.IndexAsync(fact, cancellation);
        Member member = await members.FindAsync(fact.MemberId, cancellation)
            ?? throw new DefectException($"{fact.Bookings[0].BookingId} is for {fact.MemberId}, who does not exist.");
        if (!MemberStanding.IsDowngraded(member))
        {
            return;
        }

        foreach (MadeBooking made in fact.Bookings.Where(b => b.Start >= time.Now()))
        {
            await canceller.EndAsync(
                made.BookingId,
                (booking, now) => booking.OnMembership ? booking.Cancel(BookingCancelReason.Downgraded, now) : null,
                batchMore: null,
                cancellation);
        }
    }
}
