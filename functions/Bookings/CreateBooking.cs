using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Bookings;

/// <param name="MemberId">Who uses it; staff must say, members book for themselves and may leave it out.</param>
/// <param name="Start">RFC 3339, on the 5-minute grid of the location's clock, not in the past.</param>
/// <param name="End">Exclusive; at most 31 days after the start.</param>
/// <param name="QuoteId">Of a preview: it is booked at that price or refused as <c>quote_stale</c>.</param>
/// <param name="Hold">True keeps the slot for ten minutes, to be paid meanwhile (POST /bookings/{id}/pay).</param>
/// <param name="OverridePolicy">Staff only: sets the resource's policy aside, for the record.</param>
public sealed record CreateBookingRequest(
    ResourceId ResourceId,
    Instant Start,
    Instant End,
    MemberId? MemberId = null,
    string? QuoteId = null,
    bool Hold = false,
    bool OverridePolicy = false);

/// <summary>
/// Books a resource. Three storage calls with warm caches: the member, the agenda, the commit. Whoever commits first has the slot
/// (BKG-2); the others read again and find it taken. A booking that takes from the wallet keeps its slot first, then takes, then
/// stands: six calls.
/// </summary>
public sealed class CreateBookingHandler(
    BookingWishes wishes, BookingStore bookings, BookingSettler settler, BookingQuotes quotes, AgendaGate gate, IIdSource ids, TimeProvider time)
{
    /// <summary>
    /// Within one process the gate lets one writer through at a time, so a round is lost only to another process: each lost round means
    /// that somebody else's booking or cancellation went through.
    /// </summary>
    public const int MaxRounds = 100;

    /// <summary>A refusal is answered only after looking whether this very request has succeeded before; a success costs no extra read.</summary>
    public async Task<Reply<BookingView>> HandleAsync(CreateBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        Result<BookingWish> wish = await wishes.PrepareAsync(
            request.ResourceId, request.Start, request.End, request.MemberId, context.Caller, cancellation);
        if (wish.IsError)
        {
            return wish.Error;
        }

        Reply<BookingView> reply = await BookAsync(request, wish.Value, context, cancellation);
        return reply.Error is { } refusal
            ? await bookings.ReplayOrAsync<BookingView>(EntityId.Home(wish.Value.Location.Id), context, refusal, cancellation)
            : reply;
    }

    private async Task<Reply<BookingView>> BookAsync(
        CreateBookingRequest request, BookingWish wish, RequestContext context, CancellationToken cancellation)
    {
        Instant now = time.Now();
        Result<IReadOnlyList<PolicyOverride>> allowed = BookingRules.Allow(wish, context.Caller, request.OverridePolicy, now);
        if (allowed.IsError)
        {
            return allowed.Error;
        }

        Result<PricedWish> priced = await wishes.PriceAsync(wish, cancellation);
        if (priced.IsError)
        {
            return priced.Error;
        }

        if (request.QuoteId is { } quote && quotes.Refuse(quote, priced.Value, now) is { } stale)
        {
            return stale;
        }

        Money later = request.Hold ? Money.Zero(priced.Value.Price.Fee.Currency) : priced.Value.Price.Fee;
        if (BookingRules.RefuseStanding(wish.Member, wish.Time.Start, later) is { } refusal)
        {
            return refusal;
        }

        // The same request makes the same booking, so that a repetition finds what the first one has begun.
        string home = EntityId.Home(wish.Location.Id);
        BookingId id = context.Idempotency is { } key
            ? EntityId.Derive<BookingId>("booking|" + key.RowKey, home)
            : EntityId.New<BookingId>(ids, home);
        Booking wished = Booking.Wish(id, wish, priced.Value.Price, context.Caller.Subject, now) with { Overrides = allowed.Value };
        return await PlaceAsync(request, wished, priced.Value, context, cancellation);
    }

    /// <summary>The first commit: of the whole booking, or of its slot where something else has to happen before it stands.</summary>
    public async Task<Reply<BookingView>> PlaceAsync(
        CreateBookingRequest request, Booking wished, PricedWish priced, RequestContext context, CancellationToken cancellation)
    {
        BookingWish wish = priced.Wish;
        Instant now = wished.CreatedAt;
        bool needsApproval = wish.Resource.Terms.RequiresApproval && !context.Caller.IsStaff;
        bool takes = priced.Price.Takings.Count > 0;
        bool unfinished = takes && !needsApproval && !request.Hold;
        Booking placed = needsApproval ? wished.AwaitApproval(wish.Resource)
            : request.Hold ? wished.Hold(now)
            : takes ? wished.Hold(now) with { RequestKey = context.Idempotency?.RowKey }
            : wished.Confirm(priced.Price, EntityId.New<ChargeId>(ids, EntityId.Home(wished.CustomerId)), wish.Resource, now);
        AgendaSlot slot = AgendaSlot.Of(placed);
        BookingView view = BookingView.Of(placed, now);

        using IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(placed.ResourceId, [slot]), cancellation);
        for (int round = 0; round < MaxRounds; round++)
        {
            AgendaSheet sheet = await bookings.ReadAgendaAsync(placed.LocationId, placed.ResourceId, [slot], cancellation);
            if (sheet.ConflictOf(placed.ResourceId, slot) is { } conflict)
            {
                return Conflict(conflict, context.Caller);
            }

            sheet.Take(placed.ResourceId, slot);
            TableBatch batch = BookingStore.Put(BookingStore.Put(BookingStore.BatchFor(placed.LocationId), placed, etag: null), sheet);
            BookingSettler.Announce(batch, placed, wish.Resource, now, isNew: !unfinished);
            if (!unfinished)
            {
                batch.Remember(context, view, now);
            }

            CommitResult result = await bookings.CommitAsync(batch, cancellation);
            if (BookingStore.IsRace(result))
            {
                continue;
            }

            // What follows may end the hold, which goes through the gate itself.
            pass.Dispose();
            if (BookingStore.IsRepeat(result))
            {
                return await settler.ResumeAsync(placed.Id, wish, request, context, cancellation);
            }

            if (!unfinished || !result.IsCommitted)
            {
                return await bookings.ReplyAsync(batch, result, context, view, cancellation);
            }

            var kept = new Stored<Booking>(placed, result.ETags is [{ } etag, ..] ? etag : (await bookings.RequireAsync(placed.Id, cancellation)).ETag);
            return await settler.FinishAsync(kept, wish, priced.Wallet, request.QuoteId, context, cancellation);
        }

        throw new TransientFaultException("The resource's agenda keeps changing.");
    }

    /// <summary>Everybody may know when the resource is taken; whose booking it is, only staff.</summary>
    public static Error Conflict(AgendaSlot slot, Caller caller)
    {
        var conflict = new Dictionary<string, object?> { ["start"] = slot.Start, ["end"] = slot.End };
        if (caller.IsStaff)
        {
            conflict["bookingId"] = slot.Booking;
        }

        return Error.Refused(ErrorCodes.BookingConflict, "The resource is taken at that time.") with
        {
            Extensions = new Dictionary<string, object?> { ["conflict"] = conflict },
        };
    }
}
