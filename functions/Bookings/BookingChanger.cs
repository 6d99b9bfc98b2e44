using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// Finishes a change that has its new slot beside the old one: draws for it in one commit of the wallet, which returns what the old slot
/// took, then commits the booking at its new place, or where it was when the wallet or the quote refuses. Whoever finds a change under way
/// may finish it, and several may at once: the draw is one and the same for all of them, and so is its refusal.
/// </summary>
public sealed class BookingChanger(
    BookingStore bookings, BookingWishes wishes, BookingQuotes quotes, WalletLedger ledger, AgendaGate gate, IIdSource ids, TimeProvider time)
{
    /// <summary>Finishes one that was cut off. Five storage calls: the member, two for the wallet, the agendas, the commit.</summary>
    public async Task FinishAsync(Stored<Booking> pending, CancellationToken cancellation) =>
        await FinishAsync(pending, await wishes.OfAsync(pending.Value, pending.Value.Change!, cancellation), context: null, cancellation);

    /// <summary>The booking as it is afterwards, or why it stayed where it was.</summary>
    /// <param name="context">Of the request that is answered with it; null: nobody waits for the answer.</param>
    public async Task<Result<Booking>> FinishAsync(
        Stored<Booking> pending, BookingWish wish, RequestContext? context, CancellationToken cancellation)
    {
        BookingChange change = pending.Value.Change!;
        var draw = new DrawRequest(pending.Value.Id, change.Revision, change.ResourceId, wish.Rated)
        {
            Keeps = pending.Value.Price,
            Refuse = price => Refuse(pending.Value, change, wish, price),
        };
        Result<BookingPrice> price = (await ledger.DrawAsync(wish.Terms, null, [draw], DrawMode.Each, cancellation))[0];
        ChargeId chargeId = EntityId.New<ChargeId>(ids, EntityId.Home(pending.Value.CustomerId));
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            Instant now = time.Now();
            Booking after = price.IsError ? pending.Value.Withdraw() : pending.Value.Apply(change, price.Value, chargeId, wish.Resource, now);
            CommitResult result = await CommitAsync(pending, after, wish, price.IsError ? null : context, now, cancellation);
            if (result.IsCommitted)
            {
                return price.IsError ? price.Error : after;
            }

            if (!BookingStore.IsRace(result))
            {
                result.Require();
            }

            pending = await bookings.RequireAsync(after.Id, cancellation);
            if (pending.Value.Change?.Revision != change.Revision)
            {
                // Somebody else has finished it, and it may have been changed again since.
                return pending.Value.Changes.Any(c => c.Revision == change.Revision) ? pending.Value
                    : price.Error ?? BookingStates.Illegal(pending.Value, "changed", "confirmed or tentative, and ahead");
            }
        }

        throw new TransientFaultException($"{pending.Value.Id} or its agendas keep changing.");
    }

    /// <summary>What a change commits: the booking, its slot instead of all it kept, the messages and the answer.</summary>
    public static TableBatch Batch(
        Stored<Booking> before, Booking after, BookingWish wish, AgendaSheet sheet, RequestContext? context, Instant now)
    {
        sheet.Free(AgendaSlot.AllOf(before.Value));
        sheet.Take(after.ResourceId, AgendaSlot.Of(after));
        TableBatch batch = BookingStore.Put(BookingStore.Put(BookingStore.BatchFor(after.LocationId), after, before.ETag), sheet);
        batch.Send(BookingMessages.OfCharges(before.Value, after, wish.Resource.Name));
        if (after.Start != before.Value.Start)
        {
            batch.Send(BookingMessages.Made(after));
        }

        if (BookingMessages.Look(after, now) is { } look)
        {
            batch.Send(look);
        }

        return context is null ? batch : batch.Remember(context, BookingChangeView.Of(after, after.Changes[^1].Summary, now), now);
    }

    private async Task<CommitResult> CommitAsync(
        Stored<Booking> before, Booking after, BookingWish wish, RequestContext? context, Instant now, CancellationToken cancellation)
    {
        AgendaKey[] keys = [.. AgendaSlot.AllOf(before.Value).SelectMany(s => s.Keys).Distinct()];
        using IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(keys), cancellation);
        AgendaSheet sheet = await bookings.ReadAgendasAsync(after.LocationId, keys, cancellation);
        return await bookings.CommitAsync(Batch(before, after, wish, sheet, context, now), cancellation);
    }

    private Error? Refuse(Booking booking, BookingChange change, BookingWish wish, BookingPrice price) =>
        change.QuoteId is { } quote && quotes.Refuse(quote, new PricedWish(wish, price, null), time.Now()) is { } stale
            ? stale
            : BookingRules.RefuseStanding(wish.Member, change.Start, BookingChanges.ToPay(booking, price.Fee));
}
