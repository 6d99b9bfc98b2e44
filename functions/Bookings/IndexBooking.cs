using Flex.Members;
using Flex.Platform.Messaging;

namespace Flex.Bookings;

/// <summary>
/// Handles <see cref="BookingConfirmed"/>: makes the booking findable by its member, then looks at the member once more. A downgrade that
/// came between the booking's look at the member and its commit could not find the booking; this finds the downgrade. Two storage
/// calls.
/// </summary>
public sealed class IndexBooking(BookingStore bookings, MemberStore members, BookingCanceller canceller, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => BookingConfirmed.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        BookingConfirmed fact = envelope.Read<BookingConfirmed>();
        await bookings.IndexAsync(fact, cancellation);
        Member member = await members.FindAsync(fact.MemberId, cancellation)
            ?? throw new DefectException($"{fact.BookingId} is for {fact.MemberId}, who does not exist.");
        if (fact.Start >= time.Now() && MemberStanding.IsDowngraded(member))
        {
            await canceller.CancelAsync(fact.BookingId, BookingCancelReason.Downgraded, cancellation);
        }
    }
}
