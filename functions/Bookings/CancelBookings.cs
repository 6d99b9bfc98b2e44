using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <summary>
/// Ends bookings: the slot is free, charges are withdrawn, what was taken from the wallet goes back. The slot and the charges in one
/// commit, the wallet right after it and, should that be cut off, by message. Repeats change nothing.
/// </summary>
public sealed class BookingCanceller(BookingStore bookings, MemberStore members, WalletLedger ledger, AgendaGate gate, TimeProvider time)
{
    /// <summary>Cancels in full. Three storage calls, two more with a wallet; one when there is nothing to do.</summary>
    public Task CancelAsync(BookingId id, BookingCancelReason reason, CancellationToken cancellation) =>
        EndAsync(id, (booking, now) => booking.Cancel(reason, now), batchMore: null, cancellation);

    /// <summary>
    /// Ends a hold that came to nothing; not while a payment for it is under way. The wallet is told after the slot is free: a draw that
    /// comes before is returned with the rest, one that comes later is refused.
    /// </summary>
    public Task<Booking> GiveUpAsync(BookingId id, CancellationToken cancellation) => EndAsync(
        id,
        (booking, now) => booking.State == BookingState.Held && booking.PaymentUnderWay() is null ? (booking with { ActBy = now }).Expire(now) : null,
        batchMore: null,
        cancellation);

    /// <summary>
    /// Ends a booking as <paramref name="end"/> says; null is nothing to do, then the booking is returned as it is. Frees what it keeps,
    /// drops the charges that the end has cancelled and returns what was taken, if it ends as cancelled or expired; a held booking may have
    /// taken what its row does not know of.
    /// </summary>
    /// <param name="batchMore">What else commits with it; null is nothing.</param>
    public async Task<Booking> EndAsync(
        BookingId id, Func<Booking, Instant, Booking?> end, Action<TableBatch, Booking>? batchMore, CancellationToken cancellation) =>
        await EndAsync(await bookings.RequireAsync(id, cancellation), end, batchMore, cancellation);

    /// <summary>As before, of a booking just read: one storage call less.</summary>
    public async Task<Booking> EndAsync(
        Stored<Booking> found, Func<Booking, Instant, Booking?> end, Action<TableBatch, Booking>? batchMore, CancellationToken cancellation)
    {
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            Instant now = time.Now();
            if (end(found.Value, now) is not { } ended)
            {
                return found.Value;
            }

            IReadOnlyList<KeptSlot> slots = AgendaSlot.AllOf(found.Value);
            AgendaKey[] keys = [.. slots.SelectMany(s => s.Keys).Distinct()];
            using IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(keys), cancellation);
            AgendaSheet sheet = await bookings.ReadAgendasAsync(ended.LocationId, keys, cancellation);
            sheet.Free(slots);
            bool returns = ended.State is BookingState.Cancelled or BookingState.Expired && found.Value.MayHaveDrawn;
            TableBatch batch = BookingStore.Put(BookingStore.Put(BookingStore.BatchFor(ended.LocationId), ended, found.ETag), sheet);
            batch.Send(BookingMessages.OfCharges(found.Value, ended, resourceName: string.Empty));
            if (returns)
            {
                batch.Send(BookingMessages.Return(ended));
            }

            batchMore?.Invoke(batch, ended);
            CommitResult result = await bookings.CommitAsync(batch, cancellation);
            if (BookingStore.IsRace(result))
            {
                found = await bookings.RequireAsync(found.Value.Id, cancellation);
                continue;
            }

            result.Require();
            if (returns)
            {
                await ledger.ReleaseAsync(ended.MemberId, [ended.Id], cancellation);
            }

            return ended;
        }

        throw new TransientFaultException($"{found.Value.Id} or its agenda keeps changing.");
    }

    /// <summary>
    /// Cancels what the member booked from an instant on, except what outlives the loss of a membership then. One read per booking that
    /// starts after it, besides the cancellations.
    /// </summary>
    public async Task CancelFromAsync(MemberId memberId, Instant from, BookingCancelReason reason, CancellationToken cancellation)
    {
        bool? hasPaid = null;
        await foreach (BookingEntry entry in bookings.ListByMemberAsync(memberId, from, until: null, cancellation))
        {
            Stored<Booking> found = await bookings.RequireAsync(entry.BookingId, cancellation);
            hasPaid ??= await members.FindAsync(memberId, cancellation) is { } member && MemberStanding.HasPaid(member);
            if (entry.IsOf(found.Value) && !BookingRules.Survives(found.Value, from, hasPaid.Value))
            {
                await CancelAsync(entry.BookingId, reason, cancellation);
            }
        }
    }
}

/// <summary>Handles <see cref="CancelFutureBookings"/>. State decides what is left to do, hence no inbox row.</summary>
public sealed class CancelFutureBookingsHandler(BookingCanceller canceller) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => CancelFutureBookings.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        CancelFutureBookings command = envelope.Read<CancelFutureBookings>();
        return canceller.CancelFromAsync(command.MemberId, command.From, command.Reason, cancellation);
    }
}

/// <summary>
/// Handles <see cref="MemberDowngraded"/>, which follows the member's record: catches what was booked between the downgrade and the
/// record. What is committed later still is caught by <see cref="IndexBookings"/>.
/// </summary>
public sealed class CancelAfterDowngrade(BookingCanceller canceller, MemberStore members) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => MemberDowngraded.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        MemberDowngraded fact = envelope.Read<MemberDowngraded>();
        if (await members.FindAsync(fact.MemberId, cancellation) is { } member && !MemberStanding.HasPaid(member))
        {
            await canceller.CancelFromAsync(fact.MemberId, fact.At, BookingCancelReason.Downgraded, cancellation);
        }
    }
}

/// <summary>Handles <see cref="ReturnToWallet"/>: what a cancellation that was cut off has left undone.</summary>
public sealed class ReturnToWalletHandler(WalletLedger ledger) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => ReturnToWallet.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ReturnToWallet command = envelope.Read<ReturnToWallet>();
        return ledger.ReleaseAsync(command.MemberId, command.BookingIds, cancellation);
    }
}
