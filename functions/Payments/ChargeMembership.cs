using System.Globalization;
using Flex.Invoicing;
using Flex.Members;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Payments;

/// <summary>
/// Charges a membership: invoice and attempt in one commit, then the gateway, then the outcome in one commit. The invoice's id is the
/// caller's, so a repeat finds it and goes on where it was cut off.
/// </summary>
public sealed class ChargeMembership(
    InvoiceBook book, CustomerStore customers, InvoiceTerms terms, IPaymentGateway gateway, PaymentRunner runner, TimeProvider time) : IMembershipBilling
{
    public async Task<ChargeOutcome> ChargeAsync(MembershipCharge charge, CancellationToken cancellation)
    {
        StoredEntry stored = await StartAsync(charge, cancellation);
        stored = await runner.SendAsync(stored, cancellation);
        return OutcomeOf(stored.Entry);
    }

    private async Task<StoredEntry> StartAsync(MembershipCharge charge, CancellationToken cancellation)
    {
        Customer customer = await customers.FindAsync(charge.CustomerId, cancellation)
            ?? throw new DefectException($"{charge.CustomerId} is to be charged and does not exist.");
        Instant now = time.Now();
        LocalDate today = await terms.TodayAsync(charge.LocationId, cancellation);
        Invoice invoice = Draft(charge, customer, await terms.TaxAsync(charge.TaxRateId, cancellation), today).Issue(now);
        (BookEntry entry, IReadOnlyList<OutboxMessage> messages) = Begin(charge, customer, invoice, today, now);
        var extras = new BookExtras(messages, null, await terms.NumbersMembershipsOnIssueAsync(cancellation));
        BookCommit commit = await book.CommitAsync(null, entry, extras, cancellation);
        if (commit.IsCommitted)
        {
            return commit.Entry!;
        }

        StoredEntry existing = await book.FindAsync(charge.InvoiceId, cancellation)
            ?? throw new TransientFaultException($"{charge.InvoiceId} could not be stored.");
        return existing.Invoice.Period == charge.Period
            ? existing
            : throw new DefectException($"{charge.InvoiceId} is the invoice of another charge.");
    }

    /// <summary>The first stored state: settled at once when nothing is due or there is nothing to charge, else with an attempt to be sent.</summary>
    private (BookEntry Entry, IReadOnlyList<OutboxMessage> Messages) Begin(
        MembershipCharge charge, Customer customer, Invoice invoice, LocalDate today, Instant now)
    {
        BookEntry issued = BookEntry.Issued(invoice);
        if (invoice.Due.IsZero)
        {
            return (issued, [PaymentConsequences.SettledWithoutAttempt(invoice, now)]);
        }

        var start = new AttemptStart(
            AttemptOrigin.Membership, KeyOf(charge), null, customer.GatewayCustomerId, customer.PaymentMethod?.Id, customer.PaymentMethod?.Kind);
        BookEntry started = issued.Start(start, now).Value;
        if (customer.PaymentMethod is null || customer.GatewayCustomerId is null)
        {
            BookEntry failed = started.Observe(1, new PaymentObservation(AttemptState.Failed, null, DeclineCodes.PaymentMethodRequired), today, now);
            return (failed, PaymentConsequences.Of(failed, 1));
        }

        if (!gateway.IsConnected)
        {
            // The operator's configuration, not the member's fault: no ladder may start from it.
            throw new TransientFaultException("No payment gateway is connected.");
        }

        // A renewal is repeated by its orchestration; a sign-up whose request dies has nobody, so it is looked after from the start.
        return (started, charge.Kind == InvoiceKind.SignUp ? [PaymentConsequences.Reconcile(invoice.Id, started.Attempt(1))] : []);
    }

    private static InvoiceDraft Draft(MembershipCharge charge, Customer customer, TaxSnapshot? tax, LocalDate today) => new(
        charge.InvoiceId,
        charge.Kind,
        customer.Id,
        charge.MemberId,
        charge.LocationId,
        customer.Name,
        customer.BillingEmail,
        customer.PurchaseOrderNumber,
        [new InvoiceLine(charge.Description, 1, charge.Net, charge.Net, charge.LocationId, tax, null, charge.Period.PeriodStart)],
        today,
        today,
        charge.Kind == InvoiceKind.SignUp ? "Sign-up" : "Renewal",
        charge.Period,
        charge.Replaces);

    private static string KeyOf(MembershipCharge charge) => string.Create(
        CultureInfo.InvariantCulture, $"renewal:{charge.Period.MembershipId}:{charge.Period.PeriodStart:uuuu-MM-dd}:{charge.Period.AttemptNo}");

    private static ChargeOutcome OutcomeOf(BookEntry entry) => entry.Attempts is [.., { } last]
        ? new ChargeOutcome(entry.Invoice.Id, PaymentConsequences.StateOf(last), last.FailureCode, last.StateAt)
        : new ChargeOutcome(entry.Invoice.Id, ChargeState.Succeeded, null, entry.Invoice.CreatedAt);
}
