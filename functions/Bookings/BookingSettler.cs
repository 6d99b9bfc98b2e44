using Flex.Catalogue;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// Makes a booking stand that has its slot: takes from the wallet what it draws, idempotent by the booking, then commits it with its
/// price, charge and the answer. What is cut off in between is gone on with by the request's repetition or ends with its hold.
/// </summary>
public sealed class BookingSettler(
    BookingStore bookings, BookingCanceller canceller, BookingQuotes quotes, WalletLedger ledger, IIdSource ids, TimeProvider time)
{
    /// <summary>The revision of a booking's first draw; changes count on from its version.</summary>
    public const long FirstDraw = 1;

    /// <summary>Goes on with a booking whose request has been here before.</summary>
    public async Task<Reply<BookingView>> ResumeAsync(
        BookingId id, BookingWish wish, CreateBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        Stored<Booking> found = await bookings.RequireAsync(id, cancellation);
        bool isSame = found.Value.ResourceId == wish.Resource.Id && found.Value.MemberId == wish.Member.Id
            && found.Value.Start == wish.Time.Start && found.Value.End == wish.Time.End;
        if (found.Value is { State: BookingState.Held, RequestKey: not null } && isSame)
        {
            return await FinishAsync(found, wish, known: null, request.QuoteId, context, cancellation);
        }

        Error refusal = isSame
            ? Error.Refused(ErrorCodes.HoldExpired, "The first try of this request was cut off and its slot has been given up; send a new request.")
            : Error.Invalid(ErrorCodes.IdempotencyKeyReuse, string.Empty, "This Idempotency-Key was used with another body.");
        return await bookings.ReplayOrAsync<BookingView>(EntityId.Home(id), context, refusal, cancellation);
    }

    /// <summary>The second half of a booking that draws. When it cannot have what it was promised, the slot is given up.</summary>
    public async Task<Reply<BookingView>> FinishAsync(
        Stored<Booking> kept, BookingWish wish, StoredWallet? known, string? quote, RequestContext context, CancellationToken cancellation)
    {
        Result<BookingPrice> price = await DrawAsync(kept.Value, FirstDraw, wish, known, cancellation);
        Error? refusal = price.IsError ? price.Error
            : quote is not null && quotes.Refuse(quote, new PricedWish(wish, price.Value, null), time.Now()) is { } stale ? stale
            : BookingRules.RefuseStanding(wish.Member, kept.Value.Start, price.Value.Fee);
        if (refusal is not null)
        {
            await canceller.GiveUpAsync(kept.Value.Id, cancellation);
            return refusal;
        }

        return await ConfirmAsync(kept, price.Value, wish.Resource, context, cancellation);
    }

    /// <summary>Takes what the booking draws and says what it costs. Nothing is taken when it is refused.</summary>
    public async Task<Result<BookingPrice>> DrawAsync(
        Booking booking, long revision, BookingWish wish, StoredWallet? known, CancellationToken cancellation)
    {
        if (wish.Rate.IsFree || !wish.Terms.MayDraw(wish.Resource, wish.Time.Start))
        {
            return BookingPrice.Plain(RateRules.PriceOf(wish.Rated));
        }

        var request = new DrawRequest(booking.Id, revision, wish.Resource.Id, wish.Rated);
        return (await ledger.DrawAsync(wish.Terms, known, [request], DrawMode.AllOrNothing, cancellation))[0];
    }

    /// <summary>Commits the booking as confirmed, with the answer to the request.</summary>
    public async Task<Reply<BookingView>> ConfirmAsync(
        Stored<Booking> kept, BookingPrice price, Resource resource, RequestContext context, CancellationToken cancellation)
    {
        Instant now = time.Now();
        Booking confirmed = kept.Value.Confirm(price, EntityId.New<ChargeId>(ids, EntityId.Home(kept.Value.CustomerId)), resource, now) with
        {
            RequestKey = null,
        };
        BookingView view = BookingView.Of(confirmed, now);
        TableBatch batch = BookingStore.Put(BookingStore.BatchFor(confirmed.LocationId), confirmed, kept.ETag).Remember(context, view, now);
        Announce(batch, confirmed, resource, now, isNew: kept.Value.State == BookingState.Held);
        CommitResult result = await bookings.CommitAsync(batch, cancellation);
        if (result.Kind != CommitKind.Stale)
        {
            return await bookings.ReplyAsync(batch, result, context, view, cancellation);
        }

        // Somebody else was faster: its own repetition, which answers for both, or the end of the hold, which returns what was taken.
        return await bookings.ReplayOrAsync<BookingView>(
            EntityId.Home(confirmed.Id),
            context,
            Error.Refused(ErrorCodes.HoldExpired, "The slot was given up meanwhile."),
            cancellation);
    }

    /// <summary>The messages of a booking's commit: its charges, unless they are on an invoice, when to look at it again and, for a new one, that it exists.</summary>
    public static void Announce(TableBatch batch, Booking booking, Resource resource, Instant now, bool isNew)
    {
        if (booking.State == BookingState.Confirmed)
        {
            batch.Send(booking.Charges.Where(c => c.InvoiceId is null).Select(c => BookingMessages.Charged(booking, c, resource.Name)));
        }

        if (isNew)
        {
            batch.Send(BookingMessages.Made(booking));
        }

        if (BookingMessages.Look(booking, now) is { } look)
        {
            batch.Send(look);
        }
    }
}
