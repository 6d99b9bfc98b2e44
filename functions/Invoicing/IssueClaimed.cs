using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Settings;
using NodaTime;

namespace Flex.Invoicing;

/// <summary>
/// Issues the invoice of a claim: number, invoice, index rows and what it takes from the customer's account credit in one commit of the
/// book. The invoice's own row is the guard against
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
        Invoice invoice = draft.Issue(now);
        (AccountCredit account, string? etag) = await book.AccountAsync(customer.Id, invoice.Total.Currency, cancellation);
        AccountMove? move = null;
        if (invoice.Due.IsPositive && account.Balance.IsPositive)
        {
            Money taken = account.Balance < invoice.Due ? account.Balance : invoice.Due;
            move = account.Apply(taken, invoice.Id, now) with { ETag = etag };
            invoice = invoice.TakeFromAccount(taken);
        }

        BookEntry entry = BookEntry.Issued(invoice);
        OutboxMessage[] collect = settings.AutomaticCollection && entry.IsToBeCollected(today)
            ? [OutboxMessage.Create($"collect-{invoice.Id}-issued", Queues.Billing, CollectInvoice.Subject, new CollectInvoice(invoice.Id))]
            : [];
        BookCommit commit = await book.CommitAsync(null, entry, new BookExtras(collect, Account: move), cancellation);
        if (!commit.IsCommitted && await book.FindAsync(invoice.Id, cancellation) is null)
        {
            // No earlier delivery has issued it: the account credit has changed.
            throw new TransientFaultException($"{invoice.Id} could not be issued.");
        }
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
