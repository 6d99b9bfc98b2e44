using NodaTime;

namespace Flex.Invoicing;

/// <summary>Which open charges go on which invoice.</summary>
public static class ClaimPlan
{
    /// <summary>Charges per invoice: with the claim and its message they fit one table transaction of 100 operations.</summary>
    public const int MaxCharges = 90;

    /// <summary>
    /// One invoice per currency, several if there are more than <see cref="MaxCharges"/> charges, in order of service. An invoice's id
    /// follows from its charges, so that whoever claims the same charges means the same invoice. Charges that together
    /// would make a negative invoice wait for more.
    /// </summary>
    public static IReadOnlyList<Claim> For(CustomerId customer, IEnumerable<ChargeCreated> open, BillRunId run, Instant now) =>
        [.. open
            .OrderBy(c => c.ServiceDate)
            .ThenBy(c => c.CreatedAt)
            .ThenBy(c => c.ChargeId.Value, StringComparer.Ordinal)
            .GroupBy(c => c.Net.Currency)
            .SelectMany(group => group.Chunk(MaxCharges))
            .Where(charges => charges.Aggregate(0L, (sum, c) => checked(sum + c.Net.Minor)) >= 0)
            .Select(charges => new Claim(InvoiceOf(charges), customer, run, charges, now))];

    private static InvoiceId InvoiceOf(IEnumerable<ChargeCreated> charges) =>
        EntityId.Derive<InvoiceId>("bill-run|" + string.Join('|', charges.Select(c => c.ChargeId.Value)));
}
