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
