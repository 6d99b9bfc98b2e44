using Flex.Platform.Http;
using NodaTime;

namespace Flex.Invoicing;

/// <param name="Tax">The share of the line in the invoice's taxes; the shares sum to them.</param>
public sealed record InvoiceLineView(
    string Description, decimal Quantity, Money UnitPrice, Money Net, Money Tax, LocationId LocationId, ChargeId? ChargeId, LocalDate ServiceDate);

/// <summary>Money that has arrived for an invoice.</summary>
public sealed record InvoicePaymentView(int AttemptNo, Money Amount, Instant At);

/// <summary>An invoice as customers and staff see it.</summary>
/// <param name="Number">Null until it is given; <paramref name="Reference"/> names the invoice meanwhile.</param>
/// <param name="AlreadyPaid">A booking pass: paid as it was bought, never payable.</param>
/// <param name="Payments">None on an invoice that is already paid.</param>
/// <param name="Credited">Taken off what was due: by credit notes, and <paramref name="FromAccount"/> out of the customer's account credit.</param>
/// <param name="Overdue">Something is due and the due date has passed at the location.</param>
public sealed record InvoiceView(
    InvoiceId Id,
    InvoiceKind Kind,
    DocumentState DocumentState,
    Settlement Settlement,
    bool AlreadyPaid,
    bool Overdue,
    string? Number,
    string Reference,
    CustomerId CustomerId,
    MemberId? MemberId,
    LocationId LocationId,
    string CustomerName,
    string? PurchaseOrderNumber,
    IReadOnlyList<InvoiceLineView> Lines,
    IReadOnlyList<InvoicePaymentView> Payments,
    IReadOnlyList<TaxAmount> Taxes,
    Money Net,
    Money Total,
    Money Paid,
    Money Credited,
    Money FromAccount,
    Money Refunded,
    Money Due,
    LocalDate IssueDate,
    LocalDate DueDate,
    string CreatedBy,
    Instant CreatedAt,
    MembershipId? MembershipId,
    LocalDate? PeriodStart,
    int? AttemptNo,
    InvoiceId? Replaces,
    string? CloseReason,
    string? LastError,
    int AttemptCount,
    long Version) : IVersioned
{
    public static InvoiceView Of(BookEntry entry, LocalDate today)
    {
        Invoice invoice = entry.Invoice;
        bool alreadyPaid = invoice is { Kind: InvoiceKind.BookingPass, State: DocumentState.Issued, Due.IsZero: true };
        IReadOnlyList<Money> gross = InvoiceArithmetic.Gross(invoice);
        return new InvoiceView(
            invoice.Id,
            invoice.Kind,
            invoice.State,
            invoice.Settlement,
            alreadyPaid,
            invoice is { State: DocumentState.Issued, Due.IsPositive: true } && invoice.DueDate < today,
            invoice.Number,
            invoice.Reference,
            invoice.CustomerId,
            invoice.MemberId,
            invoice.LocationId,
            invoice.CustomerName,
            invoice.PurchaseOrderNumber,
            [.. invoice.Lines.Select((line, i) => new InvoiceLineView(
                line.Description,
                line.Quantity,
                line.UnitPrice,
                line.Net,
                gross[i] - line.Net,
                line.LocationId,
                line.ChargeId,
                line.ServiceDate))],
            alreadyPaid ? [] : [.. entry.Attempts
                .Where(a => a.State == AttemptState.Succeeded)
                .Select(a => new InvoicePaymentView(a.No, a.Amount, a.StateAt))],
            invoice.Taxes,
            invoice.Net,
            invoice.Total,
            invoice.Paid,
            invoice.Credited,
            invoice.FromAccount,
            invoice.Refunded,
            invoice.Due,
            invoice.IssueDate,
            invoice.DueDate,
            invoice.CreatedBy,
            invoice.CreatedAt,
            invoice.Period?.MembershipId,
            invoice.Period?.PeriodStart,
            invoice.Period?.AttemptNo,
            invoice.Replaces,
            invoice.CloseReason,
            DeclineCodes.Shown(invoice.LastError),
            invoice.AttemptCount,
            invoice.Version);
    }
}
