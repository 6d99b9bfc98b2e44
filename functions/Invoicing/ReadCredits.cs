using Flex.Members;
using Flex.Platform.Http;
using NodaTime;

namespace Flex.Invoicing;

/// <param name="Tax">The tax that goes with the line.</param>
public sealed record CreditNoteLineView(string Description, Money Net, Money Tax, ChargeId? ChargeId);

/// <summary>A credit note as customers and staff see it.</summary>
/// <param name="Settlement">Where its total went.</param>
public sealed record CreditNoteView(
    CreditNoteId Id,
    string Number,
    InvoiceId InvoiceId,
    string? InvoiceNumber,
    CustomerId CustomerId,
    IReadOnlyList<CreditNoteLineView> Lines,
    IReadOnlyList<TaxAmount> Taxes,
    Money Net,
    Money Total,
    CreditSettlement Settlement,
    string Reason,
    string CreatedBy,
    LocalDate IssueDate,
    Instant CreatedAt)
{
    public static CreditNoteView Of(CreditNote note) => new(
        note.Id,
        note.Number!,
        note.InvoiceId,
        note.InvoiceNumber,
        note.CustomerId,
        [.. note.Lines.Select(line => new CreditNoteLineView(
            line.Description,
            line.Net,
            line.Taxes.Aggregate(Money.Zero(line.Net.Currency), (sum, tax) => sum + tax),
            line.ChargeId))],
        note.Taxes,
        note.Net,
        note.Total,
        note.Settlement,
        note.Reason,
        note.CreatedBy,
        note.IssueDate,
        note.CreatedAt);
}

/// <summary>The credit notes of an invoice in the order they were issued.</summary>
public sealed record CreditNotesView(IReadOnlyList<CreditNoteView> Results);

/// <param name="Entries">The latest hundred, newest first.</param>
public sealed record AccountCreditBalanceView(Money Balance, IReadOnlyList<AccountCreditEntry> Entries);

/// <summary>What a customer has to their credit, one balance per currency; none when there never was any.</summary>
public sealed record AccountCreditView(IReadOnlyList<AccountCreditBalanceView> Results);

/// <summary>Reads of credit notes and account credits, for whoever reaches the customer.</summary>
public sealed class CreditReader(InvoiceBook book, InvoiceReader invoices, MemberReader reader, CustomerStore customers)
{
    private const int MaxEntries = 100;

    public async Task<Reply<CreditNotesView>> NotesAsync(InvoiceId id, RequestContext context, CancellationToken cancellation)
    {
        Result<StoredEntry> found = await invoices.FindAsync(id, context, cancellation);
        return found.IsError
            ? found.Error
            : new CreditNotesView([.. (await book.NotesAsync(id, cancellation)).Select(CreditNoteView.Of)]);
    }

    public async Task<Reply<AccountCreditView>> AccountAsync(CustomerId id, RequestContext context, CancellationToken cancellation)
    {
        if (!await reader.ReachesAsync(context, id, cancellation) || await customers.FindAsync(id, cancellation) is null)
        {
            return Error.NotFound("The customer");
        }

        var balances = new List<AccountCreditBalanceView>();
        foreach (AccountCredit account in await book.AccountsAsync(id, cancellation))
        {
            balances.Add(new AccountCreditBalanceView(
                account.Balance, await book.AccountEntriesAsync(id, account.Granted.Currency, MaxEntries, cancellation)));
        }

        return new AccountCreditView(balances);
    }
}
