namespace Flex.Invoicing;

/// <summary>What an invoice list sums up to.</summary>
public static class ListTotals
{
    /// <summary>
    /// Gross minus refunds of the issued invoices that are not fully refunded, per currency in the order of first occurrence. Drafts,
    /// closed attempts and voided invoices do not count.
    /// </summary>
    public static IReadOnlyList<Money> Of(IEnumerable<Invoice> invoices) =>
        [.. invoices
            .Where(i => i.State == DocumentState.Issued && i.Settlement != Settlement.Refunded)
            .GroupBy(i => i.Total.Currency)
            .Select(group => group.Aggregate(Money.Zero(group.Key), (sum, i) => sum + i.Total - i.Refunded))];
}
