using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Payments;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Bookings;

/// <summary>Pays a held booking now (BKG-11, BKG-14). The request's key is kept with the try it made, so a repetition goes on with that.</summary>
public sealed class PayBookingHandler(BookingStore bookings, BookingPayer payer, TimeProvider time)
{
    /// <summary>The booking: confirmed, or held as long as the bank or the gateway owes the outcome.</summary>
    public async Task<Reply<BookingView>> HandleAsync(BookingId id, RequestContext context, CancellationToken cancellation)
    {
        if (await bookings.ReadAsync(id, cancellation) is not { } found || !context.Caller.Reaches(found.Value.MemberId))
        {
            return Error.NotFound("The booking");
        }

        Result<Booking> paid = await payer.PayAsync(found, context.Idempotency!.RowKey, cancellation);
        return paid.IsError ? paid.Error : BookingView.Of(paid.Value, time.Now());
    }
}

/// <summary>
/// Pays held bookings: draws from the wallet, notes the try on the booking, charges, applies the outcome. The booking's row decides
/// between a payment, the end of the hold and a cancellation; whatever comes too late is undone.
/// </summary>
public sealed class BookingPayer(
    BookingStore bookings,
    BookingWishes wishes,
    BookingSettler settler,
    BookingCanceller canceller,
    BookingTax tax,
    IImmediateBilling billing,
    AgendaGate gate,
    TimeProvider time)
{
    /// <summary>
    /// Refusals: <c>payment_failed</c>, <c>payment_in_progress</c>, <c>hold_expired</c>, <c>quote_stale</c> when it costs another amount
    /// than the hold shows, and those of the wallet, the membership and the customer's payment method.
    /// </summary>
    public async Task<Result<Booking>> PayAsync(Stored<Booking> found, string requestKey, CancellationToken cancellation)
    {
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            Booking booking = found.Value;
            if (booking.Payments.FirstOrDefault(p => p.RequestKey == requestKey) is { } begun)
            {
                return await ChargeAsync(booking, begun.No, cancellation);
            }

            if (booking is { State: BookingState.Confirmed, Price.Fee.IsZero: true })
            {
                return booking;
            }

            if (booking.RefusePayment(time.Now()) is { } refusal)
            {
                return refusal;
            }

            if (await BeginAsync(found, requestKey, cancellation) is { } error)
            {
                return error;
            }

            found = await bookings.RequireAsync(booking.Id, cancellation);
        }

        throw new TransientFaultException($"{found.Value.Id} keeps changing.");
    }

    /// <summary>Applies news of a payment; repeats and older news change nothing.</summary>
    public async Task<Booking> ApplyAsync(BookingId id, InvoiceId invoice, ChargeState news, string? code, CancellationToken cancellation)
    {
        for (int round = 0; round < CreateBookingHandler.MaxRounds; round++)
        {
            Stored<Booking> found = await bookings.RequireAsync(id, cancellation);
            BookingPayment payment = found.Value.Payments.FirstOrDefault(p => p.InvoiceId == invoice)
                ?? throw new DefectException($"{invoice} pays for {id}, which does not know of it.");
            Resource resource = await wishes.ResourceAsync(found.Value.ResourceId, cancellation);
            if (found.Value.ComesTooLate(payment, news))
            {
                if (await ReviveAsync(found, payment, resource, cancellation) is { } revived)
                {
                    return revived;
                }

                continue;
            }

            if (found.Value.Hear(payment, news, code, resource, time.Now()) is not { } next)
            {
                return found.Value;
            }

            if (await TryPutAsync(found, next, resource, cancellation))
            {
                return next;
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    /// <summary>Draws and notes the try. Null: go on with the booking as it is now.</summary>
    private async Task<Error?> BeginAsync(Stored<Booking> found, string requestKey, CancellationToken cancellation)
    {
        Booking booking = found.Value;
        BookingWish wish = await wishes.OfAsync(booking, cancellation);
        if (BookingRules.RefuseStanding(wish.Member, booking.Start, Money.Zero(booking.Price.Fee.Currency)) is { } ends)
        {
            return ends;
        }

        Result<BookingPrice> drawn = await settler.DrawAsync(booking, BookingSettler.FirstDraw, wish, known: null, cancellation);
        if (drawn.IsError)
        {
            return drawn.Error;
        }

        BookingPrice price = drawn.Value;
        Instant now = time.Now();
        if (!CostsTheSame(price, booking.Price))
        {
            Booking repriced = booking with { Price = price, Version = booking.Version + 1 };
            return await TryPutAsync(found, repriced, wish.Resource, cancellation) ? Repriced(price) : null;
        }

        if (price.Fee.IsZero)
        {
            ChargeId none = EntityId.Derive<ChargeId>(booking.Id.Value, EntityId.Home(booking.CustomerId));
            await TryPutAsync(found, booking.Confirm(price, none, wish.Resource, now), wish.Resource, cancellation);
            return null;
        }

        if (await billing.RefuseAsync(booking.CustomerId, cancellation) is { } refusal)
        {
            return refusal;
        }

        InvoiceTotals totals = await tax.OfAsync(
            price.Fee, booking.Rate.TaxRateId, booking.LocationId, wish.Location.Calendar.DateOf(booking.Start), cancellation);
        await TryPutAsync(found, booking.BeginPayment(requestKey, price, totals.Total, now), wish.Resource, cancellation);
        return null;
    }

    /// <summary>The second half: charge, unless the outcome is known or the hold has ended, and what follows from it.</summary>
    private async Task<Result<Booking>> ChargeAsync(Booking booking, int no, CancellationToken cancellation)
    {
        BookingPayment payment = booking.Payments[no - 1];
        if (payment.State == BookingPaymentState.Processing && booking.State == BookingState.Held)
        {
            Resource resource = await wishes.ResourceAsync(booking.ResourceId, cancellation);
            ChargeOutcome outcome = await billing.ChargeAsync(ChargeOf(booking, payment, resource), cancellation);
            booking = await ApplyAsync(booking.Id, outcome.InvoiceId, outcome.State, outcome.FailureCode, cancellation);
            payment = booking.Payments[no - 1];
        }

        if (payment.State == BookingPaymentState.Failed && booking.HasFailedTooOften())
        {
            await canceller.GiveUpAsync(booking.Id, cancellation);
        }

        return payment.State switch
        {
            BookingPaymentState.Failed => Declined(payment),
            BookingPaymentState.Refunded => BookingPayments.Gone(),
            BookingPaymentState.Processing when booking.State != BookingState.Held => BookingPayments.Gone(),
            _ => booking,
        };
    }

    /// <summary>
    /// A payment has succeeded for a hold that is over: the slot is taken again if it is free, else the money goes back (BKG-11). Null
    /// when somebody else was faster.
    /// </summary>
    private async Task<Booking?> ReviveAsync(Stored<Booking> found, BookingPayment payment, Resource resource, CancellationToken cancellation)
    {
        AgendaSlot slot = AgendaSlot.Of(found.Value);
        using IDisposable pass = await gate.EnterAsync(BookingStore.GateKeys(resource.Id, [slot]), cancellation);
        AgendaSheet sheet = await bookings.ReadAgendaAsync(found.Value.LocationId, resource.Id, [slot], cancellation);
        if (sheet.ConflictOf(resource.Id, slot) is null && found.Value.Revive(payment, resource, time.Now()) is { } revived)
        {
            sheet.Take(resource.Id, slot);
            return await TryPutAsync(found, revived, resource, cancellation, sheet) ? revived : null;
        }

        await billing.RefundAsync(payment.InvoiceId, "The slot was given up before it was paid.", cancellation);
        Booking refunded = found.Value.Refund(payment);
        return await TryPutAsync(found, refunded, resource, cancellation) ? refunded : null;
    }

    /// <summary>False when somebody else was faster: read again and decide again.</summary>
    private async Task<bool> TryPutAsync(
        Stored<Booking> found, Booking next, Resource resource, CancellationToken cancellation, AgendaSheet? sheet = null)
    {
        TableBatch batch = BookingStore.Put(BookingStore.BatchFor(next.LocationId), next, found.ETag);
        if (sheet is not null)
        {
            BookingStore.Put(batch, sheet);
        }

        bool stoodAlready = found.Value.State is BookingState.Confirmed or BookingState.CheckedIn;
        if (next.HoldsSlot() && !stoodAlready)
        {
            BookingSettler.Announce(batch, next, resource, time.Now(), isNew: false);
        }

        CommitResult result = await bookings.CommitAsync(batch, cancellation);
        if (BookingStore.IsRace(result))
        {
            return false;
        }

        result.Require();
        return true;
    }

    private static ImmediateCharge ChargeOf(Booking booking, BookingPayment payment, Resource resource) => new(
        payment.InvoiceId,
        ImmediatePurpose.Booking,
        booking.Id.Value,
        booking.CustomerId,
        booking.MemberId,
        booking.LocationId,
        booking.Describe(resource.Name),
        1,
        payment.Price.Fee,
        booking.Rate.TaxRateId,
        payment.ChargeId,
        new SiteCalendar(booking.TimeZone).DateOf(booking.Start));

    private static bool CostsTheSame(BookingPrice a, BookingPrice b) =>
        a.Fee == b.Fee && a.MoneyCredit == b.MoneyCredit && a.CreditMinutes == b.CreditMinutes && a.PassMinutes == b.PassMinutes;

    private static Error Repriced(BookingPrice price) =>
        Error.Refused(ErrorCodes.QuoteStale, "The booking costs another amount by now; the hold shows it. Pay again if that is right.") with
        {
            Extensions = new Dictionary<string, object?> { ["price"] = price.Fee },
        };

    private static Error Declined(BookingPayment payment) =>
        new(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "The payment was declined; the slot is kept until the hold runs out.")
        {
            Extensions = new Dictionary<string, object?> { ["declineCode"] = DeclineCodes.Shown(payment.FailureCode) },
        };
}

/// <summary>
/// Handles <see cref="ImmediatePaymentSettled"/>: what became of a payment for a booking or for booking passes, also where the request
/// that paid has seen it already.
/// </summary>
public sealed class ImmediatePaymentSettledHandler(
    BookingPayer payer, BookingCanceller canceller, PassPayments passes, TimeProvider time, ILogger<ImmediatePaymentSettledHandler> log) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => ImmediatePaymentSettled.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ImmediatePaymentSettled fact = envelope.Read<ImmediatePaymentSettled>();
        if (fact.Purpose == ImmediatePurpose.BookingPass)
        {
            await passes.SettleAsync(fact, cancellation);
            return;
        }

        Booking booking = await payer.ApplyAsync(
            EntityId.Parse<BookingId>(fact.Source), fact.InvoiceId, fact.State, fact.FailureCode, cancellation);
        if (fact.State == ChargeState.Reversed)
        {
            await TakeBackAsync(booking, fact, cancellation);
        }
    }

    /// <summary>What is not paid any more is not given: a booking that has not begun is cancelled; one that has stays, and is owed.</summary>
    private async Task TakeBackAsync(Booking booking, ImmediatePaymentSettled fact, CancellationToken cancellation)
    {
        log.LogWarning("The payment {InvoiceId} for {BookingId} was taken back ({Code}).", fact.InvoiceId, booking.Id, fact.FailureCode);
        if (booking.State == BookingState.Confirmed && booking.Start > time.Now() && booking.Charges.Any(c => c.InvoiceId == fact.InvoiceId))
        {
            await canceller.CancelAsync(booking.Id, BookingCancelReason.NotPaid, cancellation);
        }
    }
}
