using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Settings;
using NodaTime;

namespace Flex.Invoicing;

/// <summary>
/// Issues the invoice of a claim: number, invoice and index rows in one commit of the book. The invoice's own row is the guard against
/// a repeat, so no inbox row is needed.
/// </summary>
public sealed class IssueClaimedHandler(
    ChargeLedger ledger, InvoiceBook book, CustomerStore customers, InvoiceTerms terms, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Billing;

    public string Subject => IssueClaimedInvoice.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        IssueClaimedInvoice command = envelope.Read<IssueClaimedInvoice>();
        Claim claim = await ledger.FindClaimAsync(command.CustomerId, command.InvoiceId, cancellation)
            ?? throw new DefectException($"There is no claim for {command.InvoiceId}.");
        Customer customer = await customers.FindAsync(claim.CustomerId, cancellation)
            ?? throw new DefectException($"{claim.CustomerId} has charges and does not exist.");
        Instant now = time.Now();
        OperatorSettings settings = await terms.OperatorAsync(cancellation);
        LocalDate today = await terms.TodayAsync(claim.Charges[0].LocationId, cancellation);

        var draft = new InvoiceDraft(
            claim.InvoiceId,
            InvoiceKind.BillRun,
            customer.Id,
            OnlyMember(claim.Charges),
            claim.Charges[0].LocationId,
            customer.Name,
            customer.BillingEmail,
            customer.PurchaseOrderNumber,
            await LinesAsync(claim.Charges, cancellation),
            today,
            today.PlusDays(settings.InvoiceDueDays),
            "Bill Run");
        BookEntry entry = BookEntry.Issued(draft.Issue(now));
        BookExtras extras = settings.AutomaticCollection && entry.IsToBeCollected(today)
            ? new BookExtras([OutboxMessage.Create(
                $"collect-{entry.Invoice.Id}-issued", Queues.Billing, CollectInvoice.Subject, new CollectInvoice(entry.Invoice.Id))])
            : BookExtras.None;

        // Changed: an earlier delivery has issued it.
        await book.CommitAsync(null, entry, extras, cancellation);
    }

    private async Task<IReadOnlyList<InvoiceLine>> LinesAsync(IReadOnlyList<ChargeCreated> charges, CancellationToken cancellation)
    {
        var lines = new List<InvoiceLine>(charges.Count);
        foreach (ChargeCreated charge in charges)
        {
            TaxSnapshot? tax = await terms.TaxAsync(charge.TaxRateId, cancellation);
            lines.Add(new InvoiceLine(charge.Description, 1, charge.Net, charge.Net, charge.LocationId, tax, charge.ChargeId, charge.Source, charge.ServiceDate));
        }

        return lines;
    }

    private static MemberId? OnlyMember(IReadOnlyList<ChargeCreated> charges) =>
        charges.Select(c => c.MemberId).Distinct().ToArray() is [{ } only] ? only : null;
}
