using Flex.Invoicing;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Payments;

/// <summary>Writes down what becomes of refunds, our own and those that somebody makes at the gateway.</summary>
public sealed class RefundRunner(InvoiceBook book, Credits credits, InvoiceTerms terms, TimeProvider time, ILogger<RefundRunner> log)
{
    private const int MaxRounds = 10;

    /// <summary>
    /// Applies an observation, forward only. What cannot be sent back becomes account credit in the same commit. Returns the entry as it
    /// is then stored.
    /// </summary>
    public async Task<StoredEntry> RecordAsync(StoredEntry stored, int refundNo, RefundObservation seen, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            Instant now = time.Now();
            BookEntry next = stored.Entry.ObserveRefund(refundNo, seen, now);
            if (ReferenceEquals(next, stored.Entry))
            {
                return stored;
            }

            Refund refund = next.Refunds[refundNo - 1];
            AccountMove? move = refund is { State: RefundState.Failed, CreditNoteId: { } note }
                ? await InsteadAsync(next.Invoice, refund, note, now, cancellation)
                : null;
            OutboxMessage[] later = refund.State == RefundState.Processing ? [CompleteRefund.Of(next.Invoice.Id, refund)] : [];
            BookCommit commit = await book.CommitAsync(stored, next, new BookExtras(later, Account: move), cancellation);
            if (commit.IsCommitted)
            {
                log.LogInformation(
                    "Refund {RefundNo} of {InvoiceId} is {State} {FailureCode}.", refundNo, next.Invoice.Id, refund.State, refund.FailureCode);
                return commit.Entry!;
            }

            stored = await AgainAsync(stored.Invoice.Id, cancellation);
        }

        throw new TransientFaultException($"{stored.Invoice.Id} keeps changing.");
    }

    /// <summary>
    /// Brings the refunds of one payment in step with the gateway's. One that is not ours was made there by staff: it fulfils a refund
    /// that waits to be sent, or is recorded with a credit note of its own.
    /// </summary>
    public async Task FollowAsync(StoredEntry stored, int attemptNo, IReadOnlyList<GatewayRefund> seen, CancellationToken cancellation)
    {
        foreach (GatewayRefund refund in seen)
        {
            stored = Find(stored.Entry, refund, seen) is { } own
                ? await RecordAsync(stored, own.No, refund.Observation, cancellation)
                : await AdoptAsync(stored, attemptNo, refund, cancellation);
        }
    }

    private async Task<StoredEntry> AdoptAsync(StoredEntry stored, int attemptNo, GatewayRefund seen, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            if (seen.Observation.State == RefundState.Failed || stored.Entry.Refunds.Any(r => r.GatewayRefundId == seen.Id))
            {
                return stored;
            }

            Instant now = time.Now();
            LocalDate today = await terms.TodayAsync(stored.Invoice.LocationId, cancellation);
            IReadOnlyList<CreditNote> before = await book.NotesAsync(stored.Invoice.Id, cancellation);
            var refund = new Refund(
                stored.Entry.Refunds.Count + 1,
                attemptNo,
                stored.Entry.Attempt(attemptNo).GatewayPaymentId!,
                seen.Amount,
                seen.Observation.State,
                "gateway:" + seen.Id,
                seen.Id,
                null,
                null,
                now,
                now);
            var note = new CreditTerms(EntityId.Derive<CreditNoteId>("gateway|" + seen.Id), "refunded_at_gateway", "Payment gateway", Refund: true);
            (BookEntry next, CreditNote? document) = CreditRules.Adopt(stored.Entry, before, refund, note, today, now);
            if (document is null)
            {
                log.LogError("{RefundId} gives back of {InvoiceId} what was credited before.", seen.Id, stored.Invoice.Id);
            }

            OutboxMessage[] later = refund.State == RefundState.Processing ? [CompleteRefund.Of(stored.Invoice.Id, refund)] : [];
            BookCommit commit = await book.CommitAsync(stored, next, new BookExtras(later, Note: document), cancellation);
            if (commit.IsCommitted)
            {
                return commit.Entry!;
            }

            stored = await AgainAsync(stored.Invoice.Id, cancellation);
        }

        throw new TransientFaultException($"{stored.Invoice.Id} keeps changing.");
    }

    /// <summary>Account credit instead of a refund that has failed: what its note promised of it.</summary>
    private async Task<AccountMove?> InsteadAsync(Invoice invoice, Refund refund, CreditNoteId note, Instant now, CancellationToken cancellation)
    {
        Money promised = (await book.NotesAsync(invoice.Id, cancellation)).Single(n => n.Id == note).Settlement.Refund;
        return await credits.GrantAsync(invoice, refund.Amount < promised ? refund.Amount : promised, "refund_failed", now, cancellation);
    }

    private async Task<StoredEntry> AgainAsync(InvoiceId id, CancellationToken cancellation) =>
        await book.FindAsync(id, cancellation) ?? throw new DefectException($"{id} has vanished.");

    private static Refund? Find(BookEntry entry, GatewayRefund seen, IReadOnlyList<GatewayRefund> all) =>
        entry.Refunds.FirstOrDefault(r => r.GatewayRefundId == seen.Id || seen.Reference == new RefundReference(entry.Invoice.Id, r.No))
        ?? (seen.Reference is null
            ? entry.Refunds.FirstOrDefault(r => r is { State: RefundState.Requested }
                && r.Amount == seen.Amount
                && all.All(other => other.Reference != new RefundReference(entry.Invoice.Id, r.No)))
            : null);
}
