using System.Globalization;
using Flex.Platform;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Invoicing;

/// <summary>
/// Command: issue a credit note for a charge that is on an invoice, or for all that is left of an invoice. Queue <c>billing</c>.
/// </summary>
/// <param name="NoteId">Follows from the cause, so that a repeat changes nothing.</param>
/// <param name="ChargeId">Null for all of <paramref name="InvoiceId"/>, which is then refunded.</param>
/// <param name="InvoiceId">Null for the invoice of the charge.</param>
/// <param name="Net">At most; null is all that is left.</param>
/// <param name="Step">How often it had to wait.</param>
public sealed record IssueCreditNote(CreditNoteId NoteId, ChargeId? ChargeId, InvoiceId? InvoiceId, Money? Net, string Reason, int Step)
{
    public const string Subject = "credit-note.issue.v1";

    [System.Text.Json.Serialization.JsonIgnore]
    public string MessageId => string.Create(CultureInfo.InvariantCulture, $"credit-{NoteId}-{Step}");
}

/// <summary>Command: have a refund made, or find out what became of it. Queue <c>billing</c>.</summary>
/// <param name="Seen">The state that caused it: once the refund has moved on, there is nothing to do.</param>
/// <param name="Step">How often it was looked at already; a repeat of an earlier step does nothing.</param>
public sealed record CompleteRefund(InvoiceId InvoiceId, int RefundNo, RefundState Seen, int Step)
{
    public const string Subject = "refund.complete.v1";

    /// <summary>At once; in doubt after 5 minutes, 1 hour, then daily. What is under way is looked at daily, in case its notice was lost.</summary>
    public static OutboxMessage Of(InvoiceId id, Refund refund)
    {
        var command = new CompleteRefund(id, refund.No, refund.State, refund.Looks);
        return OutboxMessage.Create(
            string.Create(CultureInfo.InvariantCulture, $"refund-{id}-{refund.No}-{refund.State}-{refund.Looks}"),
            Queues.Billing,
            Subject,
            command,
            (refund.State, refund.Looks) switch
            {
                (RefundState.Requested, 0) => null,
                (RefundState.Requested, 1) => Duration.FromMinutes(5),
                (RefundState.Requested, 2) => Duration.FromHours(1),
                _ => Duration.FromDays(1),
            });
    }
}

/// <summary>
/// Credit notes for what was invoiced and is not owed after all. Idempotent by the note's id. Waits while the charge's invoice is not
/// issued yet, or while a payment of it is under way: only its outcome says whether the receivable goes down or money goes back.
/// </summary>
public sealed class Credits(InvoiceBook book, InvoiceTerms terms, IMessagePublisher publisher, TimeProvider time)
{
    /// <summary>Re-reads after somebody else has written to the invoice or the account credit.</summary>
    private const int MaxRounds = 10;

    private const string CreatedBy = "Booking";

    public static OutboxMessage Of(ChargeCancelled cancelled) => Message(new IssueCreditNote(
        EntityId.Derive<CreditNoteId>($"cancelled|{cancelled.ChargeId}"), cancelled.ChargeId, null, null, cancelled.Reason, 0));

    public static OutboxMessage Of(ChargeReduced reduced) => Message(new IssueCreditNote(
        EntityId.Derive<CreditNoteId>($"reduced|{reduced.ChargeId}|{reduced.ReductionId}"), reduced.ChargeId, null, reduced.By, reduced.Reason, 0));

    public async Task IssueAsync(IssueCreditNote command, CancellationToken cancellation)
    {
        IReadOnlyList<InvoiceId> invoices = command.InvoiceId is { } id ? [id] : await book.InvoicesOfAsync(command.ChargeId!.Value, cancellation);
        bool mustWait = invoices.Count == 0;
        foreach (InvoiceId invoice in invoices)
        {
            mustWait |= !await IssueAsync(invoice, command, cancellation);
        }

        if (mustWait)
        {
            IssueCreditNote later = command with { Step = command.Step + 1 };
            await publisher.PublishAsync(
                Queues.Billing,
                new Envelope(later.MessageId, IssueCreditNote.Subject, StorageJson.Write(later), CorrelationScope.Current),
                command.Step == 0 ? Duration.FromMinutes(5) : Duration.FromHours(1),
                cancellation);
        }
    }

    /// <summary>False when a payment under way has to end first.</summary>
    private async Task<bool> IssueAsync(InvoiceId id, IssueCreditNote command, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            StoredEntry stored = await book.FindAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
            IReadOnlyList<CreditNote> before = await book.NotesAsync(id, cancellation);
            if (before.Any(note => note.Id == command.NoteId))
            {
                return true;
            }

            if (stored.Entry.InFlight is not null)
            {
                return false;
            }

            IReadOnlyList<CreditLine> lines = stored is { Invoice.State: DocumentState.Issued, Entry.Stands: true }
                ? Lines(stored.Invoice, before, command)
                : [];
            if (lines.Count == 0 || await CommitAsync(stored, before, lines, command, cancellation))
            {
                return true;
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    private async Task<bool> CommitAsync(
        StoredEntry stored,
        IReadOnlyList<CreditNote> before,
        IReadOnlyList<CreditLine> lines,
        IssueCreditNote command,
        CancellationToken cancellation)
    {
        Instant now = time.Now();
        bool refund = command.ChargeId is null || await terms.RefundsCancelledAsync(cancellation);
        LocalDate today = await terms.TodayAsync(stored.Invoice.LocationId, cancellation);
        (BookEntry next, CreditNote note) = CreditRules.Issue(
            stored.Entry, before, lines, new CreditTerms(command.NoteId, command.Reason, CreatedBy, refund), today, now);
        AccountMove? move = note.Settlement.AccountCredit.IsPositive
            ? await GrantAsync(next.Invoice, note.Settlement.AccountCredit, note.Reason, now, cancellation)
            : null;
        OutboxMessage[] refunds = [.. next.Refunds.Skip(stored.Entry.Refunds.Count).Select(r => CompleteRefund.Of(next.Invoice.Id, r))];
        BookCommit commit = await book.CommitAsync(stored, next, new BookExtras(refunds, Note: note, Account: move), cancellation);
        return commit.IsCommitted;
    }

    /// <summary>The customer's account credit with an amount put on it, as it was read now.</summary>
    public async Task<AccountMove> GrantAsync(Invoice invoice, Money amount, string reason, Instant now, CancellationToken cancellation)
    {
        (AccountCredit account, string? etag) = await book.AccountAsync(invoice.CustomerId, amount.Currency, cancellation);
        return account.Grant(amount, invoice.Id, reason, now) with { ETag = etag };
    }

    private static IReadOnlyList<CreditLine> Lines(Invoice invoice, IReadOnlyList<CreditNote> before, IssueCreditNote command)
    {
        if (command.ChargeId is not { } charge)
        {
            return CreditArithmetic.OfAll(invoice, before);
        }

        int line = invoice.Lines.TakeWhile(l => l.ChargeId != charge).Count();
        return CreditArithmetic.OfLine(invoice, before, line, command.Net);
    }

    private static OutboxMessage Message(IssueCreditNote command) =>
        OutboxMessage.Create(command.MessageId, Queues.Billing, IssueCreditNote.Subject, command);
}

public sealed class IssueCreditNoteHandler(Credits credits) : IMessageHandler
{
    public string Queue => Queues.Billing;

    public string Subject => IssueCreditNote.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        credits.IssueAsync(envelope.Read<IssueCreditNote>(), cancellation);
}
