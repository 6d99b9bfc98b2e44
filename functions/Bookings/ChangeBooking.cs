using Flex.Catalogue;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <param name="ResourceId">At the same location; left out: where it is.</param>
/// <param name="Start">Left out: as it is.</param>
/// <param name="End">Left out: the booking keeps its length.</param>
/// <param name="QuoteId">Of a preview of this change: it is made at that price or refused as <c>quote_stale</c>.</param>
/// <param name="OverridePolicy">Staff only: sets the resource's policy aside, for the record.</param>
public sealed record ChangeBookingRequest(
    ResourceId? ResourceId = null, Instant? Start = null, Instant? End = null, string? QuoteId = null, bool OverridePolicy = false);

/// <summary>A booking after a change.</summary>
public sealed record BookingChangeView(BookingView Booking, ChangeSummary Summary) : IVersioned
{
    [System.Text.Json.Serialization.JsonIgnore]
    public long Version => Booking.Version;

    public static BookingChangeView Of(Booking booking, ChangeSummary summary, Instant now) => new(BookingView.Of(booking, now), summary);
}

/// <summary>What a change would cost; all amounts net.</summary>
/// <param name="RegularPrice">Of the new slot, of the minutes that neither credits nor passes cover.</param>
/// <param name="CreditMinutes">That it would take from credits, once it has returned what it takes now.</param>
/// <param name="QuoteId">Makes the change at this price, until <paramref name="QuoteExpiresAt"/>.</param>
public sealed record ChangePreview(
    BookingId BookingId,
    ResourceId ResourceId,
    Instant Start,
    Instant End,
    ChangeSummary Summary,
    Money RegularPrice,
    Money Discount,
    Money MoneyCredit,
    int CreditMinutes,
    int PassMinutes,
    string QuoteId,
    Instant QuoteExpiresAt);

/// <summary>A change that may be made, and what it costs.</summary>
internal sealed record PlannedChange(PricedWish Priced, ChangeSummary Summary, IReadOnlyList<PolicyOverride> Overrides);

/// <summary>
/// Moves a booking to another time or resource of its location (BKG-7). Four storage calls with warm caches and one more where the wallet
/// can matter: the booking, the member, (the wallet,) the agendas, the commit, which frees the old slot and takes the new one. Where the
/// wallet is drawn on, before or after, the first commit keeps both slots and <see cref="BookingChanger"/> does the rest: nine calls.
/// </summary>
public sealed class ChangeBookingHandler(
    BookingStore bookings, BookingWishes wishes, BookingChanger changer, BookingQuotes quotes, AgendaGate gate, IIdSource ids, TimeProvider time)
{
    public async Task<Reply<BookingChangeView>> HandleAsync(
        BookingId id, ChangeBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            if (await bookings.ReadAsync(id, cancellation) is not { } found || !context.Caller.Reaches(found.Value.MemberId))
            {
                return Error.NotFound("The booking");
            }

            if (found.Value.Change is not null)
            {
                // One that was cut off, maybe of this very request: what becomes of it is seen when the booking is read again.
                await changer.FinishAsync(found, cancellation);
                continue;
            }

            if (context.Idempotency is { } key && found.Value.Changes.LastOrDefault(c => c.RequestKey == key.RowKey) is { } made)
            {
                return await bookings.FindReplayAsync<BookingChangeView>(EntityId.Home(id), context, cancellation)
                    ?? Repeat(found.Value, made, request);
            }

            Reply<BookingChangeView>? reply = await TryChangeAsync(found, request, context, cancellation);
            if (reply is { Error: { } refusal })
            {
                return await bookings.ReplayOrAsync<BookingChangeView>(EntityId.Home(id), context, refusal, cancellation);
            }

            if (reply is not null)
            {
                return reply;
            }
        }

        throw new TransientFaultException($"{id} or its agendas keep changing.");
    }

    /// <summary>The same checks and the same price, without any effect.</summary>
    public async Task<Reply<ChangePreview>> PreviewAsync(
        BookingId id, ChangeBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await bookings.ReadAsync(id, cancellation) is not { } found || !context.Caller.Reaches(found.Value.MemberId))
        {
            return Error.NotFound("The booking");
        }

        Instant now = time.Now();
        Result<PlannedChange> planned = await PlanAsync(found.Value, request, context.Caller, now, cancellation);
        if (planned.IsError)
        {
            return planned.Error;
        }

        BookingWish wish = planned.Value.Priced.Wish;
        KeptSlot wanted = WantedBy(id, wish);
        AgendaSheet sheet = await bookings.ReadAgendasAsync(wish.Location.Id, [.. wanted.Keys], cancellation);
        return sheet.ConflictOf(wanted.Resource, wanted.Slot) is { } conflict
            ? CreateBookingHandler.Conflict(conflict, context.Caller)
            : new ChangePreview(
                id,
                wish.Resource.Id,
                wish.Time.Start,
                wish.Time.End,
                planned.Value.Summary,
                planned.Value.Priced.Price.Regular,
                planned.Value.Priced.Price.Discount,
                planned.Value.Priced.Price.MoneyCredit,
                planned.Value.Priced.Price.CreditMinutes,
                planned.Value.Priced.Price.PassMinutes,
                quotes.Issue(planned.Value.Priced, now),
                now + BookingQuotes.Validity);
    }

    /// <summary>Null when somebody else was faster and everything has to be looked at again.</summary>
    private async Task<Reply<BookingChangeView>?> TryChangeAsync(
        Stored<Booking> found, ChangeBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        Instant now = time.Now();
        if (context.CheckIfMatch(found.Value.Version) is { } stale)
        {
            return stale;
        }

        Result<PlannedChange> planned = await PlanAsync(found.Value, request, context.Caller, now, cancellation);
        if (planned.IsError)
        {
            return planned.Error;
        }

        BookingWish wish = planned.Value.Priced.Wish;
        if (SlotOf(wish) == found.Value.Slot)
        {
            // Nothing happens, and a repetition is answered the same whatever has happened to the booking by then.
            BookingChangeView same = BookingChangeView.Of(found.Value, planned.Value.Summary, now);
            if (context.Idempotency is null)
            {
                return same;
            }

            TableBatch note = BookingStore.BatchFor(found.Value.LocationId).Remember(context, same, now);
            return context.Idempotency is null ? same : await bookings.ReplyAsync(note, await bookings.CommitAsync(note, cancellation), context, same, cancellation);
        }

        var change = new BookingChange(
            wish.Resource.Id,
            wish.Time.Start,
            wish.Time.End,
            Buffers.Of(wish.Resource),
            new FrozenRate(wish.Rate.Id, wish.Rate.TaxRateId),
            planned.Value.Overrides,
            request.QuoteId,
            context.Caller.Subject,
            now,
            Revision: found.Value.Version + 1,
            context.Idempotency?.RowKey);
        bool draws = found.Value.State == BookingState.Confirmed
            && (found.Value.Price.Takings.Count > 0 || planned.Value.Priced.Price.Takings.Count > 0);
        Booking after = draws
            ? found.Value.Begin(change)
            : found.Value.Apply(
                change, planned.Value.Priced.Price, EntityId.New<ChargeId>(ids, EntityId.Home(found.Value.CustomerId)), wish.Resource, now);

        // A key that has been used is noticed by the commit it is remembered with, which here would be the last one.
        return (draws ? await bookings.FindReplayAsync<BookingChangeView>(EntityId.Home(after.Id), context, cancellation) : null)
            ?? await TryCommitAsync(found, after, wish, context, now, cancellation);
    }

    /// <summary>The answer to the repetition of a request whose change somebody else has finished.</summary>
    private Reply<BookingChangeView> Repeat(Booking booking, BookingChanged made, ChangeBookingRequest request) =>
        TargetOf(made.From, request) == made.To
            ? BookingChangeView.Of(booking, made.Summary, time.Now())
            : Error.Invalid(ErrorCodes.IdempotencyKeyReuse, string.Empty, "This Idempotency-Key was used with another body.");

    /// <summary>The first commit, of the whole change or of its slot, and what follows.</summary>
    private async Task<Reply<BookingChangeView>?> TryCommitAsync(
        Stored<Booking> found, Booking after, BookingWish wish, RequestContext context, Instant now, CancellationToken cancellation)
    {
        KeptSlot wanted = WantedBy(after.Id, wish);
        AgendaKey[] keys = [.. AgendaSlot.AllOf(found.Value).Append(wanted).SelectMany(s => s.Keys).Distinct()];
        CommitResult result;
        TableBatch batch;
        using (IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(keys), cancellation))
        {
            AgendaSheet sheet = await bookings.ReadAgendasAsync(after.LocationId, keys, cancellation);
            if (sheet.ConflictOf(wanted.Resource, wanted.Slot) is { } conflict)
            {
                return CreateBookingHandler.Conflict(conflict, context.Caller);
            }

            batch = after.Change is null ? BookingChanger.Batch(found, after, wish, sheet, context, now) : Begin(found, after, wanted, sheet);
            result = await bookings.CommitAsync(batch, cancellation);
        }

        if (BookingStore.IsRace(result))
        {
            return null;
        }

        if (after.Change is null || !result.IsCommitted)
        {
            return await bookings.ReplyAsync(
                batch, result, context, BookingChangeView.Of(after, BookingChanges.Summarise(found.Value, after.Price.Fee), now), cancellation);
        }

        var pending = new Stored<Booking>(after, result.ETags is [{ } etag, ..] ? etag : (await bookings.RequireAsync(after.Id, cancellation)).ETag);
        Result<Booking> finished = await changer.FinishAsync(pending, wish, context, cancellation);
        return finished.IsError
            ? finished.Error
            : BookingChangeView.Of(finished.Value, finished.Value.Changes.Single(c => c.Revision == after.Change.Revision).Summary, now);
    }

    private static TableBatch Begin(Stored<Booking> found, Booking after, KeptSlot wanted, AgendaSheet sheet)
    {
        sheet.Take(wanted.Resource, wanted.Slot);
        return BookingStore.Put(BookingStore.Put(BookingStore.BatchFor(after.LocationId), after, found.ETag), sheet)
            .Send(BookingMessages.LookAtChange(after));
    }

    private async Task<Result<PlannedChange>> PlanAsync(
        Booking booking, ChangeBookingRequest request, Caller caller, Instant now, CancellationToken cancellation)
    {
        if (BookingChanges.Refuse(booking, (await wishes.ResourceAsync(booking.ResourceId, cancellation)).Terms, caller, now) is { } unchangeable)
        {
            return unchangeable;
        }

        BookedSlot target = TargetOf(booking.Slot, request);
        if (target == booking.Slot)
        {
            var same = new PricedWish(await wishes.OfAsync(booking, cancellation), booking.Price, null);
            return new PlannedChange(same, BookingChanges.Summarise(booking, booking.Price.Fee), []);
        }

        Result<BookingWish> prepared = await wishes.PrepareAsync(
            target.ResourceId, target.Start, target.End, booking.MemberId, caller, cancellation);
        if (prepared.IsError)
        {
            return prepared.Error;
        }

        BookingWish wish = prepared.Value;
        if (BookingChanges.RefuseTarget(booking, wish.Resource, caller) is { } elsewhere)
        {
            return elsewhere;
        }

        Result<IReadOnlyList<PolicyOverride>> allowed = BookingRules.Allow(wish, caller, request.OverridePolicy, now);
        if (allowed.IsError)
        {
            return allowed.Error;
        }

        Result<PricedWish> priced = booking.IsEstimated
            ? new PricedWish(wish, BookingPrice.Plain(RateRules.PriceOf(wish.Rated)), null)
            : await wishes.PriceAsync(wish, booking.State == BookingState.Confirmed ? booking.Price.Takings : [], cancellation);
        if (priced.IsError)
        {
            return priced.Error;
        }

        Money fee = priced.Value.Price.Fee;
        Error? refusal = request.QuoteId is { } quote && quotes.Refuse(quote, priced.Value, now) is { } stale
            ? stale
            : BookingRules.RefuseStanding(wish.Member, target.Start, BookingChanges.ToPay(booking, fee));
        return refusal is not null ? refusal : new PlannedChange(priced.Value, BookingChanges.Summarise(booking, fee), allowed.Value);
    }

    private static BookedSlot TargetOf(BookedSlot from, ChangeBookingRequest request)
    {
        Instant start = request.Start ?? from.Start;
        return new BookedSlot(request.ResourceId ?? from.ResourceId, start, request.End ?? start + (from.End - from.Start));
    }

    private static BookedSlot SlotOf(BookingWish wish) => new(wish.Resource.Id, wish.Time.Start, wish.Time.End);

    private static KeptSlot WantedBy(BookingId id, BookingWish wish) =>
        new(wish.Resource.Id, AgendaSlot.Of(id, wish.Time, Buffers.Of(wish.Resource)));
}
