using Flex.Invoicing;
using Flex.Members;
using NodaTime;

namespace Flex.Payments;

/// <summary>Puts a new attempt on an issued invoice: the payment lease and the attempt in one commit, before any call.</summary>
public sealed class StartPayment(InvoiceBook book, CustomerStore customers, IPaymentGateway gateway, TimeProvider time)
{
    /// <summary>Why the customer cannot be charged (<c>gateway_not_connected</c>, <c>payment_method_required</c>); null when they can.</summary>
    public static Error? Refuse(IPaymentGateway gateway, Customer customer) => (gateway.IsConnected, customer) switch
    {
        (false, _) => Error.Refused(ErrorCodes.GatewayNotConnected, "Connect a payment gateway before anything can be paid online."),
        (_, { PaymentMethod: not null, GatewayCustomerId: not null }) => null,
        _ => Error.Refused(ErrorCodes.PaymentMethodRequired, "The customer has no payment method on file."),
    };

    /// <summary>
    /// The entry with its attempt Created, or why there can be none: <c>gateway_not_connected</c>, <c>payment_method_required</c>,
    /// <c>payment_in_progress</c>, <c>invoice_closed</c>, <c>invalid_transition</c>. Null when somebody else has changed the
    /// invoice meanwhile: read again and decide again.
    /// </summary>
    public async Task<Result<StoredEntry>?> StartAsync(
        StoredEntry stored, AttemptOrigin origin, string? requestKey, CancellationToken cancellation)
    {
        Result<Invoice> payable = stored.Invoice.StartPayment();
        if (payable.IsError)
        {
            return payable.Error;
        }

        Customer customer = await customers.FindAsync(stored.Invoice.CustomerId, cancellation)
            ?? throw new DefectException($"{stored.Invoice.CustomerId} is to be charged and does not exist.");
        if (Refuse(gateway, customer) is { } refused)
        {
            return refused;
        }

        Instant now = time.Now();
        var attempt = new AttemptStart(
            origin, null, requestKey, customer.GatewayCustomerId, customer.PaymentMethod?.Id, customer.PaymentMethod?.Kind);
        BookEntry started = stored.Entry.Start(attempt, now).Value;

        // Nobody may come back for an attempt that is cut off here, so it is looked after from the start.
        var extras = new BookExtras([PaymentConsequences.Reconcile(stored.Invoice.Id, started.Attempt(started.Attempts.Count))]);
        BookCommit commit = await book.CommitAsync(stored, started, extras, cancellation);
        return commit.IsCommitted ? (Result<StoredEntry>?)commit.Entry! : null;
    }
}
