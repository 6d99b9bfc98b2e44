using Flex.Catalogue;
using Flex.Payments;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

public enum BookingPaymentState
{
    /// <summary>Under way, or its outcome is not known yet.</summary>
    Processing,

    Succeeded,
    Failed,

    /// <summary>It succeeded when the slot was gone; the money went back.</summary>
    Refunded,

    /// <summary>The bank took it back.</summary>
    Reversed,
}

/// <summary>One try to pay a held booking at once. Written before the charge, so that whatever becomes of that finds its booking.</summary>
/// <param name="No">From 1; names invoice and charge.</param>
/// <param name="RequestKey">Idempotency key row of the request that pays: its repetition goes on with this try.</param>
/// <param name="Price">What was drawn and is charged.</param>
/// <param name="Gross">With tax.</param>
/// <param name="HeldUntil">When the hold runs out if nothing comes of it.</param>
public sealed record BookingPayment(
    int No,
    string RequestKey,
    InvoiceId InvoiceId,
    ChargeId ChargeId,
    BookingPrice Price,
    Money Gross,
    BookingPaymentState State,
    string? FailureCode,
    Instant HeldUntil,
    Instant At);

/// <summary>What payments do to bookings. Pure.</summary>
public static class BookingPayments
{
    /// <summary>So many declined tries end the hold: it is no place to try cards.</summary>
    public const int MaxFailures = 5;

    /// <summary>How long a bank may take; then the slot is free again, and a payment that comes later is given back.</summary>
    public static readonly Duration LongestPayment = Duration.FromDays(7);

    public static BookingPayment? PaymentUnderWay(this Booking b) => b.Payments.LastOrDefault(p => p.State == BookingPaymentState.Processing);

    public static bool HasFailedTooOften(this Booking b) => b.Payments.Count(p => p.State == BookingPaymentState.Failed) >= MaxFailures;

    /// <summary>Null when it can be paid now: it is held for that, and no payment is under way.</summary>
    public static Error? RefusePayment(this Booking b, Instant now) => b switch
    {
        { State: BookingState.Expired } => Gone(),
        { State: not BookingState.Held } or { RequestKey: not null } => BookingStates.Illegal(b, "paid", "held"),
        _ when b.PaymentUnderWay() is not null => Error.Refused(ErrorCodes.PaymentInProgress, "A payment for the booking is under way."),
        _ => b.ActBy <= now ? Gone() : null,
    };

    public static Error Gone() => Error.Refused(ErrorCodes.HoldExpired, "The slot was given up before it was paid.");

    /// <summary>A payment is about to be tried. The slot is kept ten minutes from now at least.</summary>
    public static Booking BeginPayment(this Booking b, string requestKey, BookingPrice price, Money gross, Instant now)
    {
        int no = b.Payments.Count + 1;
        string seed = $"booking|{b.Id}|{no}";
        Instant heldUntil = b.ActBy ?? now;
        var payment = new BookingPayment(
            no,
            requestKey,
            EntityId.Derive<InvoiceId>(seed),
            EntityId.Derive<ChargeId>(seed, EntityId.Home(b.CustomerId)),
            price,
            gross,
            BookingPaymentState.Processing,
            null,
            heldUntil,
            now);
        return b with
        {
            Price = price,
            Payments = [.. b.Payments, payment],
            ActBy = Instant.Max(heldUntil, now + BookingStates.HoldTime),
            Version = b.Version + 1,
        };
    }

    /// <summary>
    /// What news of a payment makes of the booking; null when it changes nothing by itself. A payment that succeeds when nothing is held
    /// any more is left to <see cref="Revive"/> and <see cref="Refund"/>.
    /// </summary>
    public static Booking? Hear(this Booking b, BookingPayment payment, ChargeState news, string? code, Resource resource, Instant now)
    {
        bool isHeld = b.State == BookingState.Held;
        return (news, payment.State) switch
        {
            (ChargeState.Succeeded, BookingPaymentState.Processing or BookingPaymentState.Failed) when isHeld => b.Paid(payment, resource, now),
            (ChargeState.Failed, BookingPaymentState.Processing) => b.Drop(payment, BookingPaymentState.Failed, code),
            (ChargeState.Processing or ChargeState.Unknown, BookingPaymentState.Processing) when isHeld => b.Await(payment),
            (ChargeState.Reversed, BookingPaymentState.Succeeded) => b.Reverse(payment, code),
            (ChargeState.Reversed, BookingPaymentState.Processing or BookingPaymentState.Failed) => b.Drop(payment, BookingPaymentState.Reversed, code),
            _ => null,
        };
    }

    /// <summary>True for a success that has come too late for the hold and has not been dealt with.</summary>
    public static bool ComesTooLate(this Booking b, BookingPayment payment, ChargeState news) =>
        news == ChargeState.Succeeded && b.State != BookingState.Held && payment.State is BookingPaymentState.Processing or BookingPaymentState.Failed;

    /// <summary>
    /// A hold that has run out, as it stands if its slot is still free; null when it cannot stand: it has begun, it was given up for
    /// another reason, or it had taken from the wallet, which never takes twice for one booking.
    /// </summary>
    public static Booking? Revive(this Booking b, BookingPayment payment, Resource resource, Instant now) =>
        b.State == BookingState.Expired && b.Start > now && payment.Price.Takings.Count == 0 ? b.Paid(payment, resource, now) : null;

    /// <summary>The money of a payment that came too late has gone back.</summary>
    public static Booking Refund(this Booking b, BookingPayment payment) => b.Mark(payment with { State = BookingPaymentState.Refunded });

    /// <summary>Whoever is confirmed when the start has passed has as long to check in as the others.</summary>
    private static Booking Paid(this Booking b, BookingPayment payment, Resource resource, Instant now)
    {
        var charge = new BookingCharge(payment.ChargeId, payment.Price.Fee, payment.At)
        {
            InvoiceId = payment.InvoiceId,
            Gross = payment.Gross,
            IsPaid = true,
        };
        Booking paid = b.ConfirmPaid(payment.Price, charge, resource);
        return paid with
        {
            Payments = Marked(b, payment with { State = BookingPaymentState.Succeeded, FailureCode = null }),
            CancelReason = null,
            CancelledAt = null,
            ActBy = paid.ActBy is { } due && now > b.Start ? due + (now - b.Start) : paid.ActBy,
        };
    }

    /// <summary>Nothing comes of it; the hold runs on as if it had not been tried.</summary>
    private static Booking Drop(this Booking b, BookingPayment payment, BookingPaymentState state, string? code) =>
        b.Mark(payment with { State = state, FailureCode = code }) with { ActBy = b.State == BookingState.Held ? payment.HeldUntil : b.ActBy };

    /// <summary>The slot is kept until the bank says, a week at most; not past its start, for nobody uses what is not paid.</summary>
    private static Booking? Await(this Booking b, BookingPayment payment)
    {
        Instant until = Instant.Max(payment.At + BookingStates.HoldTime, Instant.Min(payment.At + LongestPayment, b.Start));
        return b.ActBy == until ? null : b with { ActBy = until, Version = b.Version + 1 };
    }

    /// <summary>The invoice is owed again.</summary>
    private static Booking Reverse(this Booking b, BookingPayment payment, string? code) =>
        b.Mark(payment with { State = BookingPaymentState.Reversed, FailureCode = code }) with
        {
            Charges = [.. b.Charges.Select(c => c.Id == payment.ChargeId ? c with { IsPaid = false } : c)],
            Accounting = b.Accounting == BookingAccounting.Paid ? BookingAccounting.Invoiced : b.Accounting,
        };

    private static Booking Mark(this Booking b, BookingPayment payment) => b with { Payments = Marked(b, payment), Version = b.Version + 1 };

    private static BookingPayment[] Marked(Booking b, BookingPayment payment) => [.. b.Payments.Select(p => p.No == payment.No ? payment : p)];
}
