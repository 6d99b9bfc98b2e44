using NodaTime;

namespace Flex.Invoicing;

/// <summary>
/// Fact: something was used and is to be paid with the customer's next invoice. Queue <c>billing</c>. The price is final:
/// whoever publishes it has frozen it.
/// </summary>
/// <param name="Source">What it is for, e.g. a booking's id; printed and searched, never parsed.</param>
public sealed record ChargeCreated(
    ChargeId ChargeId,
    CustomerId CustomerId,
    MemberId? MemberId,
    LocationId LocationId,
    string Source,
    string Description,
    Money Net,
    TaxRateId? TaxRateId,
    LocalDate ServiceDate,
    Instant CreatedAt)
{
    public const string Subject = "charge.created.v1";
}

/// <summary>Fact: the charge is not owed after all. Before it is invoiced it disappears; afterwards a credit note is due. Queue <c>billing</c>.</summary>
public sealed record ChargeCancelled(ChargeId ChargeId, CustomerId CustomerId, string Reason)
{
    public const string Subject = "charge.cancelled.v1";
}

/// <summary>
/// Fact: a part of the charge is not owed after all. Before it is invoiced its price goes down; afterwards a credit note is due. Queue
/// <c>billing</c>.
/// </summary>
/// <param name="ReductionId">Names this reduction, so that a repeat changes nothing.</param>
/// <param name="By">Net, positive.</param>
public sealed record ChargeReduced(ChargeId ChargeId, CustomerId CustomerId, string ReductionId, Money By, string Reason)
{
    public const string Subject = "charge.reduced.v1";
}

/// <summary>Fact: charges are on an issued invoice. Queue <c>bookings</c>.</summary>
public sealed record ChargesInvoiced(InvoiceId InvoiceId, IReadOnlyList<InvoicedCharge> Charges)
{
    public const string Subject = "charges.invoiced.v1";
}

/// <summary>Fact: the invoice that the charges are on is paid. Queue <c>bookings</c>.</summary>
public sealed record ChargesPaid(InvoiceId InvoiceId, IReadOnlyList<InvoicedCharge> Charges)
{
    public const string Subject = "charges.paid.v1";
}

/// <summary>A charge as its invoice line shows it.</summary>
/// <param name="Source">As in <see cref="ChargeCreated"/>.</param>
public sealed record InvoicedCharge(ChargeId ChargeId, string Source, Money Net, Money Gross);
