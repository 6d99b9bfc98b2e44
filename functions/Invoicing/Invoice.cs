using NodaTime;

namespace Flex.Invoicing;

public enum InvoiceKind
{
    Manual,
    BillRun,

    /// <summary>One renewal attempt of a membership; closed when the attempt fails.</summary>
    Renewal,

    /// <summary>The first payment of a membership; voided when it is declined.</summary>
    SignUp,

    /// <summary>A booking pass, paid as it is bought; voided when the payment is declined.</summary>
    BookingPass,

    /// <summary>A booking that is paid before it is confirmed; voided when the payment is declined.</summary>
    Booking,
}

public enum DocumentState
{
    Draft,
    Issued,
    Closed,
    Voided,
}

public enum Settlement
{
    Unpaid,
    Processing,
    PartiallyPaid,
    Paid,
    PartiallyRefunded,
    Refunded,
}

/// <summary>Which charge of which membership an invoice is for.</summary>
/// <param name="PeriodStart">Local date on which the period begins.</param>
/// <param name="Generation">Goes up only when staff move the renewal date; a period is paid once per generation.</param>
/// <param name="AttemptNo">Counts every gateway call of the membership, from 1, never reused.</param>
/// <param name="Rung">Which rung of the ladder (1 to 4), or 0 for a charge outside it.</param>
public sealed record MembershipPeriod(MembershipId MembershipId, LocalDate PeriodStart, int Generation, int AttemptNo, int Rung);

/// <summary>A line. Net is final: quantity and unit price are for print.</summary>
/// <param name="Source">What was sold, e.g. a booking's or a booking pass's id; null for memberships.</param>
public sealed record InvoiceLine(
    string Description,
    decimal Quantity,
    Money UnitPrice,
    Money Net,
    LocationId LocationId,
    TaxSnapshot? Tax,
    ChargeId? ChargeId,
    string? Source,
    LocalDate ServiceDate);

/// <summary>The tax rate as it was when the line was made.</summary>
public sealed record TaxSnapshot(TaxRateId TaxRateId, string Name, IReadOnlyList<Settings.TaxComponent> Components);

/// <summary>The tax of one component over all its lines: components with the same name and percent are one.</summary>
public sealed record TaxAmount(string Name, decimal Percent, Money Taxable, Money Amount);

/// <summary>
/// An invoice: document state and settlement are two things. For an Issued one, paid + credited + due = total;
/// Closed and Voided owe nothing.
/// </summary>
/// <param name="Number">Gapless within its series, given in the transaction that issues (or, for renewals, settles) it.</param>
/// <param name="Reference">Internal reference of an invoice that has no number (yet).</param>
/// <param name="CreatedBy">A staff subject, "Bill Run", "Renewal", "Sign-up", "Booking" or "Booking pass".</param>
/// <param name="Credited">Taken off what was due, by credit notes and out of the customer's account credit.</param>
/// <param name="FromAccount">The part of <paramref name="Credited"/> that was account credit.</param>
/// <param name="Replaces">The closed invoice of the attempt before.</param>
/// <param name="LastError">Code of the last failed payment.</param>
public sealed record Invoice(
    InvoiceId Id,
    InvoiceKind Kind,
    DocumentState State,
    Settlement Settlement,
    string? Number,
    string Reference,
    CustomerId CustomerId,
    MemberId? MemberId,
    LocationId LocationId,
    string CustomerName,
    string BillingEmail,
    string? PurchaseOrderNumber,
    IReadOnlyList<InvoiceLine> Lines,
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
    MembershipPeriod? Period,
    InvoiceId? Replaces,
    string? CloseReason,
    string? LastError,
    int AttemptCount,
    long Version);
