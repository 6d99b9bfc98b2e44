using Flex.Catalogue;
using Flex.Platform.Http;
using Flex.Platform.Tables;

namespace Flex.Bookings;

/// <summary>
/// Cancels a booking (BKG-5, BKG-6). Three storage calls with warm caches, two more where the wallet may know the booking.
/// </summary>
public sealed class CancelBookingHandler(
    BookingStore bookings, BookingWishes wishes, BookingChanger changer, BookingCanceller canceller, TimeProvider time)
{
    public async Task<Reply<BookingView>> HandleAsync(
        BookingId id, CancelBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await bookings.ReadAsync(id, cancellation) is not { } found || !context.Caller.Reaches(found.Value.MemberId))
        {
            return Error.NotFound("The booking");
        }

        Result<Booking> ended = await EndAsync(found, request, context, cancellation);
        return ended.IsError
            ? await bookings.ReplayOrAsync<BookingView>(EntityId.Home(id), context, ended.Error, cancellation)
            : BookingView.Of(ended.Value, time.Now());
    }

    /// <summary>The cancelled booking. A change that was cut off is finished first, so that it is clear what the booking costs.</summary>
    public async Task<Result<Booking>> EndAsync(
        Stored<Booking> found, CancelBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            if (found.Value.Change is not null)
            {
                await changer.FinishAsync(found, cancellation);
                found = await bookings.RequireAsync(found.Value.Id, cancellation);
                continue;
            }

            Resource resource = await wishes.ResourceAsync(found.Value.ResourceId, cancellation);
            Result<Booking> decided = found.Value;
            bool isMoved = false;
            Booking after = await canceller.EndAsync(
                found,
                (booking, now) =>
                {
                    isMoved = booking.Change is not null || booking.ResourceId != resource.Id;
                    if (isMoved)
                    {
                        return null;
                    }

                    decided = context.CheckIfMatch(booking.Version) is { } stale
                        ? stale
                        : BookingCancellation.Decide(booking, resource.Terms, request, context.Caller, now);
                    return decided.IsError ? null : decided.Value;
                },
                (batch, ended) => batch.Remember(context, BookingView.Of(ended, time.Now()), time.Now()),
                cancellation);
            if (!isMoved)
            {
                return decided.IsError ? decided.Error : after;
            }

            found = await bookings.RequireAsync(found.Value.Id, cancellation);
        }

        throw new TransientFaultException($"{found.Value.Id} keeps changing.");
    }
}
