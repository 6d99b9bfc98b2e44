using Flex.Invoicing;
using Flex.Members;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Payments;

/// <summary>An invoice that is charged as it is made.</summary>
/// <param name="Line">The only line, still without its tax.</param>
/// <param name="Key">The gateway key; null for the attempt's own.</param>
/// <param name="IsLookedAfter">Whether somebody repeats the charge when it is cut off; else the reconciliation does.</param>
public sealed record AtOnce(
    InvoiceId InvoiceId,
    InvoiceKind Kind,
    CustomerId CustomerId,
    MemberId MemberId,
    LocationId LocationId,
    InvoiceLine Line,
    TaxRateId? TaxRateId,
    string CreatedBy,
    MembershipPeriod? Period,
    InvoiceId? Replaces,
    AttemptOrigin Origin,
    string? Key,
    bool IsLookedAfter);

/// <summary>
/// Charges what is given only against payment: invoice and attempt in one commit, then the gateway, then the outcome in one commit. The
/// invoice's id is the caller's, so a repeat finds it and goes on where it was cut off.
/// </summary>
public sealed class ChargeAtOnce(
    InvoiceBook book, CustomerStore customers, InvoiceTerms terms, IPaymentGateway gateway, PaymentRunner runner, TimeProvider time)
{
    /// <exception cref="TransientFaultException">Nothing is known to have been charged and nothing is in doubt; repeat.</exception>
    public async Task<ChargeOutcome> RunAsync(AtOnce charge, CancellationToken cancellation)
    {
        StoredEntry stored = await StartAsync(charge, cancellation);
        stored = await runner.SendAsync(stored, cancellation);
        return OutcomeOf(stored.Entry);
    }

    private async Task<StoredEntry> StartAsync(AtOnce charge, CancellationToken cancellation)
    {
        Customer customer = await customers.FindAsync(charge.CustomerId, cancellation)
            ?? throw new DefectException($"{charge.CustomerId} is to be charged and does not exist.");
        Instant now = time.Now();
        LocalDate today = await terms.TodayAsync(charge.LocationId, cancellation);
        Invoice invoice = Draft(charge, customer, await terms.TaxAsync(charge.TaxRateId, cancellation), today).Issue(now);
        (BookEntry entry, IReadOnlyList<OutboxMessage> messages) = Begin(charge, customer, invoice, today, now);
        var extras = new BookExtras(messages, null, await terms.NumbersOnIssueAsync(cancellation));
        BookCommit commit = await book.CommitAsync(null, entry, extras, cancellation);
        if (commit.IsCommitted)
        {
            return commit.Entry!;
        }

        StoredEntry existing = await book.FindAsync(charge.InvoiceId, cancellation)
            ?? throw new TransientFaultException($"{charge.InvoiceId} could not be stored.");
        return existing.Invoice.Kind == charge.Kind && existing.Invoice.Period == charge.Period && existing.Invoice.Lines[0].Source == charge.Line.Source
            ? existing
            : throw new DefectException($"{charge.InvoiceId} is the invoice of another charge.");
    }

    /// <summary>The first stored state: settled at once when nothing is due or there is nothing to charge, else with an attempt to be sent.</summary>
    private (BookEntry Entry, IReadOnlyList<OutboxMessage> Messages) Begin(
        AtOnce charge, Customer customer, Invoice invoice, LocalDate today, Instant now)
    {
        BookEntry issued = BookEntry.Issued(invoice);
        if (invoice.Due.IsZero)
        {
            return (issued, [PaymentConsequences.SettledWithoutAttempt(invoice, now)]);
        }

        var start = new AttemptStart(
            charge.Origin, charge.Key, null, customer.GatewayCustomerId, customer.PaymentMethod?.Id, customer.PaymentMethod?.Kind);
        BookEntry started = issued.Start(start, now).Value;
        if (customer.PaymentMethod is null || customer.GatewayCustomerId is null)
        {
            BookEntry failed = started.Observe(1, new PaymentObservation(AttemptState.Failed, null, DeclineCodes.PaymentMethodRequired), today, now);
            return (failed, PaymentConsequences.Of(failed, 1));
        }

        if (!gateway.IsConnected)
        {
            // The operator's configuration, not the member's fault: nothing may follow from it.
            throw new TransientFaultException("No payment gateway is connected.");
        }

        return (started, charge.IsLookedAfter ? [] : [PaymentConsequences.Reconcile(invoice.Id, started.Attempt(1))]);
    }

    private static InvoiceDraft Draft(AtOnce charge, Customer customer, TaxSnapshot? tax, LocalDate today) => new(
        charge.InvoiceId,
        charge.Kind,
        customer.Id,
        charge.MemberId,
        charge.LocationId,
        customer.Name,
        customer.BillingEmail,
        customer.PurchaseOrderNumber,
        [charge.Line with { Tax = tax }],
        today,
        today,
        charge.CreatedBy,
        charge.Period,
        charge.Replaces);

    private static ChargeOutcome OutcomeOf(BookEntry entry) => entry.Attempts is [.., { } last]
        ? new ChargeOutcome(entry.Invoice.Id, PaymentConsequences.StateOf(last), last.FailureCode, last.StateAt)
        : new ChargeOutcome(entry.Invoice.Id, ChargeState.Succeeded, null, entry.Invoice.CreatedAt);
}
