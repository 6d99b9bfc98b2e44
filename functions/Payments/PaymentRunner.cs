using System.Globalization;
using Flex.Invoicing;
using Flex.Members;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Payments;

/// <summary>
/// Carries one recorded attempt through the gateway and writes down what came of it. The attempt is committed before the call and the
/// outcome after it, so a crash at any instant leaves something that a repeat, a webhook or the reconciliation completes.
/// </summary>
public sealed class PaymentRunner(
    InvoiceBook book, IPaymentGateway gateway, InvoiceTerms terms, TimeProvider time, ILogger<PaymentRunner> log)
{
    /// <summary>Re-reads after somebody else has written: webhook, reconciliation and answer are all that can meet.</summary>
    private const int MaxRounds = 10;

    /// <summary>Slack for the gateway's clock when payments are listed by time.</summary>
    private static readonly Duration ClockSlack = Duration.FromHours(1);

    /// <summary>
    /// Completes an attempt that is Created: sends it, or finds out what an earlier, cut-off sending has done when its key has
    /// expired. Does nothing in any other state.
    /// </summary>
    /// <exception cref="TransientFaultException">Nothing was charged; the attempt stays Created and the same call may be repeated.</exception>
    public async Task<StoredEntry> SendAsync(StoredEntry stored, CancellationToken cancellation)
    {
        if (stored.Entry.InFlight is not { State: AttemptState.Created } attempt)
        {
            return stored;
        }

        PaymentObservation seen = attempt.MayBeSentAgain(time.Now())
            ? await gateway.ChargeAsync(ChargeOf(stored.Invoice, attempt), cancellation)
            : await LookUpAsync(stored.Invoice, attempt, cancellation);

        // The gateway has answered: that must be written down even if the caller has gone.
        return await RecordAsync(stored, attempt.No, seen, null, CancellationToken.None);
    }

    /// <summary>
    /// What the gateway knows of an attempt: by its id, by our reference among the customer's payments, or, while the key still
    /// protects from charging twice, by sending it again. When the key has expired and the gateway has no such payment, it was
    /// never made.
    /// </summary>
    public async Task<PaymentObservation> LookUpAsync(Invoice invoice, PaymentAttempt attempt, CancellationToken cancellation)
    {
        var reference = new PaymentReference(invoice.Id, attempt.No);
        GatewayPayment? found = attempt.GatewayPaymentId is { } id
            ? await gateway.FindPaymentAsync(id, cancellation)
            : await gateway.FindPaymentAsync(attempt.GatewayCustomerId!, reference, attempt.CreatedAt - ClockSlack, cancellation);
        if (found is not null)
        {
            return found.Observation;
        }

        return attempt.MayBeSentAgain(time.Now())
            ? await gateway.ChargeAsync(ChargeOf(invoice, attempt), cancellation)
            : new PaymentObservation(AttemptState.Failed, FailureCode: "not_processed");
    }

    /// <summary>
    /// Applies an observation, forward only, with the messages that follow from it, in one commit; meets others who write by
    /// reading again. Returns the entry as it is then stored.
    /// </summary>
    public async Task<StoredEntry> RecordAsync(
        StoredEntry stored, int attemptNo, PaymentObservation seen, string? inboxKey, CancellationToken cancellation)
    {
        LocalDate today = await terms.TodayAsync(stored.Invoice.LocationId, cancellation);
        bool numberOnIssue = await terms.NumbersOnIssueAsync(cancellation);
        for (int round = 0; round < MaxRounds; round++)
        {
            Instant now = time.Now();
            BookEntry next = stored.Entry.Observe(attemptNo, seen, today, now);
            if (ReferenceEquals(next, stored.Entry))
            {
                return stored;
            }

            var extras = new BookExtras(PaymentConsequences.Of(next, attemptNo), inboxKey, numberOnIssue);
            BookCommit commit = await book.CommitAsync(stored, next, extras, cancellation);
            if (commit.IsCommitted)
            {
                PaymentAttempt attempt = next.Attempt(attemptNo);
                PaymentMetrics.Count(stored.Entry.Attempt(attemptNo), attempt);
                log.LogInformation(
                    "Payment attempt {AttemptNo} of {InvoiceId} is {State} {FailureCode}.", attemptNo, stored.Invoice.Id, attempt.State, attempt.FailureCode);
                return commit.Entry!;
            }

            stored = await book.FindAsync(stored.Invoice.Id, cancellation) ?? throw new DefectException($"{stored.Invoice.Id} has vanished.");
            if (commit.Outcome == BookOutcome.Repeated)
            {
                return stored;
            }
        }

        throw new TransientFaultException($"{stored.Invoice.Id} keeps changing.");
    }

    private static GatewayCharge ChargeOf(Invoice invoice, PaymentAttempt attempt)
    {
        var metadata = new Dictionary<string, string>
        {
            ["invoice_id"] = invoice.Id.Value,
            ["attempt_no"] = attempt.No.ToString(CultureInfo.InvariantCulture),
            ["customer_id"] = invoice.CustomerId.Value,
        };
        if (invoice.Period is { } period)
        {
            metadata["membership_id"] = period.MembershipId.Value;
            metadata["period_start"] = period.PeriodStart.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
            metadata["generation"] = period.Generation.ToString(CultureInfo.InvariantCulture);
            metadata["membership_attempt_no"] = period.AttemptNo.ToString(CultureInfo.InvariantCulture);
        }

        return new GatewayCharge(
            new PaymentReference(invoice.Id, attempt.No),
            attempt.Key,
            attempt.Amount,
            attempt.GatewayCustomerId!,
            attempt.PaymentMethodId!,
            attempt.MethodKind ?? PaymentMethodKind.Card,
            $"{invoice.Lines[0].Description} ({invoice.Reference})",
            metadata);
    }
}
