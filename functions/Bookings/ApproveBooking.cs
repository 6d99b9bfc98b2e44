using Flex.Catalogue;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// Staff's decision on a tentative booking (BKG-10). Approval looks at everything again: that it still waits for it and its slot is its
/// own, the member's standing, the wallet. The booking's version is the lock: slot and booking change in one commit only. Four storage
/// calls with warm caches, two more where the wallet can matter: the booking, the member, the agenda, (the wallet,) the commit.
/// </summary>
public sealed class ApproveBookingHandler(
    BookingStore bookings, BookingWishes wishes, BookingCanceller canceller, WalletLedger ledger, IIdSource ids, TimeProvider time)
{
    public async Task<Reply<BookingView>> ApproveAsync(BookingId id, RequestContext context, CancellationToken cancellation)
    {
        if (await bookings.ReadAsync(id, cancellation) is not { } found)
        {
            return Error.NotFound("The booking");
        }

        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            Instant now = time.Now();
            BookingWish wish = await wishes.OfAsync(found.Value, cancellation);
            Result<BookingPrice> price = await PriceAsync(found.Value, wish, context, now, cancellation);
            if (price.IsError)
            {
                Stored<Booking> again = await bookings.RequireAsync(id, cancellation);
                if (again.ETag == found.ETag)
                {
                    return await bookings.ReplayOrAsync<BookingView>(EntityId.Home(id), context, price.Error, cancellation);
                }

                found = again;
                continue;
            }

            ChargeId chargeId = EntityId.New<ChargeId>(ids, EntityId.Home(found.Value.CustomerId));
            Booking approved = found.Value.Confirm(price.Value, chargeId, wish.Resource, now) with { Approval = new BookingApproval(context.Caller.Subject, now) };
            BookingView view = BookingView.Of(approved, now);
            TableBatch batch = BookingStore.Put(BookingStore.BatchFor(approved.LocationId), approved, found.ETag).Remember(context, view, now);
            BookingSettler.Announce(batch, approved, wish.Resource, now, isNew: false);
            CommitResult result = await bookings.CommitAsync(batch, cancellation);
            if (!BookingStore.IsRace(result))
            {
                return await bookings.ReplyAsync(batch, result, context, view, cancellation);
            }

            // What was drawn stays with the booking: it is drawn anew with its next version, or goes back with its end.
            found = await bookings.RequireAsync(id, cancellation);
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    /// <summary>Three storage calls and two for the wallet, which an approval that was cut off may have drawn on.</summary>
    public async Task<Reply<BookingView>> RejectAsync(BookingId id, RequestContext context, CancellationToken cancellation)
    {
        if (await bookings.ReadAsync(id, cancellation) is not { } found)
        {
            return Error.NotFound("The booking");
        }

        Error? refusal = null;
        Booking after = await canceller.EndAsync(
            found,
            (booking, now) =>
            {
                refusal = context.CheckIfMatch(booking.Version) ?? booking.RefuseDecision(now);
                return refusal is not null ? null : booking.Cancel(BookingCancelReason.Rejected, now)! with { CancelledBy = context.Caller.Subject };
            },
            (batch, ended) => batch.Remember(context, BookingView.Of(ended, time.Now()), time.Now()),
            cancellation);
        return refusal is not null
            ? await bookings.ReplayOrAsync<BookingView>(EntityId.Home(id), context, refusal, cancellation)
            : BookingView.Of(after, time.Now());
    }

    /// <summary>
    /// What it costs, once everything else is in order; then it is drawn. Drawn with the booking's version, so that two approvals draw
    /// once, and one of a booking that was moved after an approval was cut off draws anew.
    /// </summary>
    private async Task<Result<BookingPrice>> PriceAsync(
        Booking booking, BookingWish wish, RequestContext context, Instant now, CancellationToken cancellation)
    {
        if ((context.CheckIfMatch(booking.Version) ?? booking.RefuseDecision(now)) is { } refusal)
        {
            return refusal;
        }

        AgendaSlot slot = AgendaSlot.Of(booking);
        AgendaSheet sheet = await bookings.ReadAgendaAsync(booking.LocationId, booking.ResourceId, [slot], cancellation);
        if (sheet.ConflictOf(booking.ResourceId, slot) is { } conflict)
        {
            return CreateBookingHandler.Conflict(conflict, context.Caller);
        }

        Error? Standing(BookingPrice price) => BookingRules.RefuseStanding(wish.Member, booking.Start, price.Fee);
        if (wish.Rate.IsFree || !wish.Terms.MayDraw(wish.Resource, booking.Start))
        {
            BookingPrice plain = BookingPrice.Plain(RateRules.PriceOf(wish.Rated));
            return Standing(plain) is { } broke ? broke : plain;
        }

        var draw = new DrawRequest(booking.Id, booking.Version, booking.ResourceId, wish.Rated) { Refuse = Standing };
        return (await ledger.DrawAsync(wish.Terms, null, [draw], DrawMode.AllOrNothing, cancellation))[0];
    }
}
