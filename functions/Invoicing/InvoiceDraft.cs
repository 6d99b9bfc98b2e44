using NodaTime;

namespace Flex.Invoicing;

/// <summary>All that decides an invoice before it is issued.</summary>
public sealed record InvoiceDraft(
    InvoiceId Id,
    InvoiceKind Kind,
    CustomerId CustomerId,
    MemberId? MemberId,
    LocationId LocationId,
    string CustomerName,
    string BillingEmail,
    string? PurchaseOrderNumber,
    IReadOnlyList<InvoiceLine> Lines,
    LocalDate IssueDate,
    LocalDate DueDate,
    string CreatedBy,
    MembershipPeriod? Period = null,
    InvoiceId? Replaces = null)
{
    /// <summary>The issued invoice, still without its number. A total of zero is paid already.</summary>
    public Invoice Issue(Instant now)
    {
        if (Lines.Count == 0)
        {
            throw new DefectException("An invoice has at least one line.");
        }

        Currency currency = Lines[0].Net.Currency;
        InvoiceTotals totals = InvoiceArithmetic.Totals(Lines, currency);
        if (totals.Total.Minor < 0)
        {
            throw new DefectException("An invoice's total is not negative.");
        }

        Money zero = Money.Zero(currency);
        return new Invoice(
            Id,
            Kind,
            DocumentState.Issued,
            totals.Total.IsZero ? Settlement.Paid : Settlement.Unpaid,
            null,
            InvoiceNumbers.Reference(Id),
            CustomerId,
            MemberId,
            LocationId,
            CustomerName,
            BillingEmail,
            PurchaseOrderNumber,
            Lines,
            totals.Taxes,
            totals.Net,
            totals.Total,
            zero,
            zero,
            zero,
            zero,
            totals.Total,
            IssueDate,
            DueDate,
            CreatedBy,
            now,
            Period,
            Replaces,
            null,
            null,
            0,
            0);
    }
}
