using Flex.Platform.Http;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// Checks in to a booking (BKG-13). Repeats change nothing. Two storage calls. What nobody checks in to by then is a no-show: its slot is
/// free again, what it cost stays; see <see cref="LookAtBookingHandler"/>.
/// </summary>
public sealed class CheckInBookingHandler(BookingStore bookings, BookingChanger changer, TimeProvider time)
{
    public async Task<Reply<BookingView>> HandleAsync(BookingId id, RequestContext context, CancellationToken cancellation)
    {
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            if (await bookings.ReadAsync(id, cancellation) is not { } found || !context.Caller.Reaches(found.Value.MemberId))
            {
                return Error.NotFound("The booking");
            }

            if (found.Value.Change is not null)
            {
                await changer.FinishAsync(found, cancellation);
                continue;
            }

            Instant now = time.Now();
            Result<Booking> checkedIn = context.CheckIfMatch(found.Value.Version) is { } stale ? stale : found.Value.CheckIn(now);
            if (checkedIn.IsError)
            {
                return await bookings.ReplayOrAsync<BookingView>(EntityId.Home(id), context, checkedIn.Error, cancellation);
            }

            BookingView view = BookingView.Of(checkedIn.Value, now);
            if (ReferenceEquals(checkedIn.Value, found.Value))
            {
                return view;
            }

            TableBatch batch = BookingStore.Put(BookingStore.BatchFor(found.Value.LocationId), checkedIn.Value, found.ETag).Remember(context, view, now);
            CommitResult result = await bookings.CommitAsync(batch, cancellation);
            if (!BookingStore.IsRace(result))
            {
                return await bookings.ReplyAsync(batch, result, context, view, cancellation);
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }
}
