using NodaTime;

namespace Flex.Invoicing;

/// <summary>What is credited of one line of the invoice.</summary>
/// <param name="Line">Its position in the invoice, from 0.</param>
/// <param name="Taxes">The tax that goes with it, one amount per tax component of the invoice and in their order.</param>
public sealed record CreditLine(int Line, string Description, ChargeId? ChargeId, Money Net, IReadOnlyList<Money> Taxes);

/// <summary>Where the amount of a credit note goes; the three sum to its total.</summary>
/// <param name="Receivable">Off what was still due on the invoice.</param>
/// <param name="AccountCredit">Kept for the customer's next invoices.</param>
/// <param name="Refund">Back to the payment method.</param>
public sealed record CreditSettlement(Money Receivable, Money AccountCredit, Money Refund);

/// <summary>Corrects an issued invoice, which itself never changes. Never counted as revenue.</summary>
/// <param name="Number">Of the credit notes' own series, given in the transaction that issues it.</param>
/// <param name="InvoiceNumber">Null when the invoice had none.</param>
/// <param name="Taxes">By component, those of the invoice; the taxable amount is the part credited.</param>
public sealed record CreditNote(
    CreditNoteId Id,
    string? Number,
    InvoiceId InvoiceId,
    string? InvoiceNumber,
    CustomerId CustomerId,
    IReadOnlyList<CreditLine> Lines,
    IReadOnlyList<TaxAmount> Taxes,
    Money Net,
    Money Total,
    CreditSettlement Settlement,
    string Reason,
    string CreatedBy,
    LocalDate IssueDate,
    Instant CreatedAt);
