namespace Flex.Invoicing;

/// <summary>
/// The invoice's state machine. Every transition keeps <see cref="Holds"/>: paid + credited + due = total while Issued, nothing
/// due once Closed or Voided.
/// </summary>
public static class InvoiceStates
{
    public const string ClosedByFailure = "payment_failed";
    public const string ClosedByReversal = "reversed";

    /// <summary>True for invoices of what is given only against payment: a failed payment closes or voids them.</summary>
    public static bool IsPaidAtOnce(this Invoice invoice) => invoice.Period is not null || invoice.IsPurchase();

    /// <summary>True for what was bought and paid in one step: a booking pass or a booking.</summary>
    public static bool IsPurchase(this Invoice invoice) => invoice.Kind is InvoiceKind.BookingPass or InvoiceKind.Booking;

    public static bool Holds(this Invoice invoice) => invoice.State switch
    {
        DocumentState.Issued => invoice.Paid + invoice.Credited + invoice.Due == invoice.Total
            && invoice.Due.Minor >= 0
            && invoice.Refunded <= invoice.Paid
            && (invoice.Settlement != Settlement.Paid || invoice.Due.IsZero)
            && (invoice.Settlement != Settlement.Unpaid || invoice.Due.IsPositive),
        DocumentState.Closed or DocumentState.Voided => invoice.Due.IsZero,
        _ => invoice.Number is null,
    };

    /// <summary>Takes the payment lease: one attempt at a time.</summary>
    public static Result<Invoice> StartPayment(this Invoice invoice) => invoice switch
    {
        { State: DocumentState.Closed } => Error.Refused(ErrorCodes.InvoiceClosed, "The invoice is closed and cannot be collected."),
        { State: not DocumentState.Issued } => NotNow(invoice),
        { Settlement: Settlement.Processing } => Error.Refused(ErrorCodes.PaymentInProgress, "A payment of this invoice is under way."),
        { Due.IsPositive: false } => NotNow(invoice),
        _ => invoice with { Settlement = Settlement.Processing, AttemptCount = invoice.AttemptCount + 1 },
    };

    /// <summary>
    /// Money has arrived. It is booked whatever the invoice's state was: a closed or voided invoice whose payment turns out to have
    /// succeeded is open and paid again, because the money is there. More than is due stays with the attempt.
    /// </summary>
    public static Invoice Succeed(this Invoice invoice, Money amount)
    {
        Invoice open = invoice.State is DocumentState.Closed or DocumentState.Voided
            ? invoice with { State = DocumentState.Issued, CloseReason = null, Due = invoice.Total - invoice.Paid - invoice.Credited }
            : invoice;
        Money taken = amount < open.Due ? amount : open.Due;
        Money due = open.Due - taken;
        return open with
        {
            Paid = open.Paid + taken,
            Due = due,
            Settlement = due.IsZero ? Settlement.Paid : Settlement.PartiallyPaid,
            LastError = null,
        };
    }

    /// <summary>
    /// The attempt under way has failed. An invoice that stands stays payable; else a renewal's is closed for good, a sign-up's and a
    /// purchase's voided.
    /// </summary>
    /// <param name="stands">See <see cref="BookEntry.Stands"/>.</param>
    public static Invoice Fail(this Invoice invoice, string code, bool stands)
    {
        if (invoice.State != DocumentState.Issued || invoice.Due.IsZero)
        {
            return invoice;
        }

        Invoice failed = invoice with { Settlement = Open(invoice.Paid), LastError = code };
        return stands
            ? failed
            : failed with
            {
                State = invoice.Kind == InvoiceKind.Renewal ? DocumentState.Closed : DocumentState.Voided,
                Due = Nothing(invoice),
                CloseReason = ClosedByFailure,
            };
    }

    /// <summary>
    /// A payment that had succeeded was taken back. A membership's invoice is closed, because the ladder makes new ones; any other
    /// is owed again.
    /// </summary>
    public static Invoice Reverse(this Invoice invoice, Money amount, string code)
    {
        Money back = amount < invoice.Paid ? amount : invoice.Paid;
        Money paid = invoice.Paid - back;
        Invoice reversed = invoice with { Paid = paid, LastError = code };
        return invoice.Period is not null
            ? reversed with { State = DocumentState.Closed, Settlement = Settlement.Unpaid, Due = Nothing(invoice), CloseReason = ClosedByReversal }
            : reversed with { Due = invoice.Due + back, Settlement = Open(paid) };
    }

    /// <summary>A credit note has taken an amount off what is due.</summary>
    public static Invoice Credit(this Invoice invoice, Money amount) =>
        (invoice with { Credited = invoice.Credited + amount, Due = invoice.Due - amount }).Settle(invoice.Refunded);

    /// <summary>The customer's account credit has paid an amount of what is due.</summary>
    public static Invoice TakeFromAccount(this Invoice invoice, Money amount) =>
        invoice.Credit(amount) with { FromAccount = invoice.FromAccount + amount };

    /// <summary>The settlement that follows from the amounts, unless a payment is under way.</summary>
    /// <param name="refunded">All that has gone back of what was paid.</param>
    public static Invoice Settle(this Invoice invoice, Money refunded)
    {
        Invoice next = invoice with { Refunded = refunded };
        return next is { State: DocumentState.Issued, Settlement: not Settlement.Processing } ? next with { Settlement = Settled(next) } : next;
    }

    private static Settlement Settled(Invoice invoice) => invoice switch
    {
        { Due.IsPositive: true } => Open(invoice.Paid),
        { Refunded.IsZero: true } => Settlement.Paid,
        _ => invoice.Refunded == invoice.Paid ? Settlement.Refunded : Settlement.PartiallyRefunded,
    };

    private static Error NotNow(Invoice invoice) => Error.Refused(ErrorCodes.InvalidTransition, "There is nothing to pay on this invoice.") with
    {
        Extensions = new Dictionary<string, object?> { ["state"] = invoice.State.ToString(), ["settlement"] = invoice.Settlement.ToString() },
    };

    private static Settlement Open(Money paid) => paid.IsZero ? Settlement.Unpaid : Settlement.PartiallyPaid;

    private static Money Nothing(Invoice invoice) => Money.Zero(invoice.Total.Currency);
}
