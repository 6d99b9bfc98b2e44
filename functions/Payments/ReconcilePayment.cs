using System.Globalization;
using Flex.Invoicing;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Payments;

/// <summary>Command: find out what became of an attempt. Queue <c>billing</c>, delayed.</summary>
/// <param name="Seen">The state that caused it: once the attempt has moved on, there is nothing to do.</param>
/// <param name="Step">How often it was looked at already; a repeat of an earlier step does nothing.</param>
public sealed record ReconcilePayment(InvoiceId InvoiceId, int AttemptNo, AttemptState Seen, int Step)
{
    public const string Subject = "payment.reconcile.v1";

    [System.Text.Json.Serialization.JsonIgnore]
    public string MessageId => string.Create(CultureInfo.InvariantCulture, $"reconcile-{InvoiceId}-{AttemptNo}-{Seen}-{Step}");

    /// <summary>
    /// In doubt: 5 minutes, 1 hour, then daily. A bank debit under way is looked at daily, in case its notice was lost.
    /// </summary>
    public static Duration DelayOf(AttemptState state, int step) => (state, step) switch
    {
        (AttemptState.Processing, _) => Duration.FromDays(1),
        (_, 0) => Duration.FromMinutes(5),
        (_, 1) => Duration.FromHours(1),
        _ => Duration.FromDays(1),
    };
}

/// <summary>
/// Resolves attempts whose outcome is not known. Never charges blindly: see <see cref="PaymentRunner.LookUpAsync"/>. As long as there is no
/// answer it comes back; after seven days it says so in the log.
/// </summary>
public sealed class ReconcilePaymentHandler(
    InvoiceBook book, PaymentRunner runner, TimeProvider time, ILogger<ReconcilePaymentHandler> log) : IMessageHandler
{
    private static readonly Duration Overdue = Duration.FromDays(7);

    public string Queue => Queues.Billing;

    public string Subject => ReconcilePayment.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ReconcilePayment command = envelope.Read<ReconcilePayment>();
        StoredEntry stored = await book.FindAsync(command.InvoiceId, cancellation)
            ?? throw new DefectException($"{command.InvoiceId} does not exist.");
        PaymentAttempt attempt = stored.Entry.Attempt(command.AttemptNo);
        if (attempt.State != command.Seen || attempt.Looks != command.Step)
        {
            return;
        }

        if (await LookUpAsync(stored.Invoice, attempt, cancellation) is { } seen)
        {
            stored = await runner.RecordAsync(stored, attempt.No, seen, null, CancellationToken.None);
        }

        if (stored.Entry.Attempt(attempt.No).State == command.Seen)
        {
            await ComeBackAsync(stored, attempt, cancellation);
        }
    }

    /// <summary>Null while the gateway cannot be asked: the next look is soon enough, and redelivering would only end the message.</summary>
    private async Task<PaymentObservation?> LookUpAsync(Invoice invoice, PaymentAttempt attempt, CancellationToken cancellation)
    {
        try
        {
            return await runner.LookUpAsync(invoice, attempt, cancellation);
        }
        catch (TransientFaultException fault)
        {
            log.LogWarning(fault, "Payment attempt {AttemptNo} of {InvoiceId} could not be looked up.", attempt.No, invoice.Id);
            return null;
        }
    }

    /// <summary>The count and the next look in one commit, so that a repeated command does not start a second series.</summary>
    private async Task ComeBackAsync(StoredEntry stored, PaymentAttempt attempt, CancellationToken cancellation)
    {
        PaymentMetrics.CountFruitlessLook(attempt, time.Now());
        Duration age = time.Now() - attempt.CreatedAt;
        if (age >= Overdue)
        {
            log.LogWarning(
                "Payment attempt {AttemptNo} of {InvoiceId} has been {State} for {Days} days.", attempt.No, stored.Invoice.Id, attempt.State, age.Days);
        }

        BookEntry next = stored.Entry.Looked(attempt.No);
        BookCommit commit = await book.CommitAsync(
            stored, next, new BookExtras([PaymentConsequences.Reconcile(next.Invoice.Id, next.Attempt(attempt.No))]), cancellation);
        if (!commit.IsCommitted)
        {
            throw new TransientFaultException($"{stored.Invoice.Id} changed while it was looked at.");
        }
    }
}
