namespace Flex.Invoicing;

/// <summary>What an invoice's lines add up to.</summary>
public sealed record InvoiceTotals(Money Net, IReadOnlyList<TaxAmount> Taxes, Money Total);

/// <summary>
/// Taxes of an invoice. Components are taxes owed to separate authorities, so each is rounded on its own, once, on the invoice's
/// net that it applies to; the tax total is the sum of the rounded components and never a rounded combined rate.
/// </summary>
public static class InvoiceArithmetic
{
    /// <summary>Net, taxes by component in the order they first occur, and total. All lines have the currency given.</summary>
    public static InvoiceTotals Totals(IReadOnlyList<InvoiceLine> lines, Currency currency)
    {
        Money net = lines.Aggregate(Money.Zero(currency), (sum, line) => sum + line.Net);
        TaxAmount[] taxes = Components(lines)
            .Select(component => Tax(component, lines, currency))
            .ToArray();
        return new InvoiceTotals(net, taxes, taxes.Aggregate(net, (sum, tax) => sum + tax.Amount));
    }

    /// <summary>
    /// One tax component spread over the lines so that the parts sum to its amount: the whole units each line owes, then one more
    /// for the largest remainders, ties to the earlier line. Lines without the component get zero.
    /// </summary>
    public static IReadOnlyList<Money> Spread(TaxAmount tax, IReadOnlyList<InvoiceLine> lines)
    {
        decimal[] exact = lines.Select(line => line.Net.Minor * Occurrences(line, tax.Name, tax.Percent) * tax.Percent / 100m).ToArray();
        long[] parts = exact.Select(value => (long)Math.Floor(value)).ToArray();
        long rest = tax.Amount.Minor - parts.Sum();
        foreach (int index in Enumerable.Range(0, parts.Length)
                     .OrderByDescending(i => exact[i] - parts[i])
                     .ThenBy(i => i)
                     .Take((int)rest))
        {
            parts[index]++;
        }

        return parts.Select(part => new Money(part, tax.Amount.Currency)).ToArray();
    }

    /// <summary>Each line with its share of the taxes: they sum to the total.</summary>
    public static IReadOnlyList<Money> Gross(Invoice invoice) =>
        [.. invoice.Taxes.Aggregate(
            invoice.Lines.Select(line => line.Net),
            (sums, tax) => sums.Zip(Spread(tax, invoice.Lines), (sum, part) => sum + part))];

    private static TaxAmount Tax((string Name, decimal Percent) component, IReadOnlyList<InvoiceLine> lines, Currency currency)
    {
        Money taxable = lines.Aggregate(
            Money.Zero(currency),
            (sum, line) => sum + new Money(line.Net.Minor * Occurrences(line, component.Name, component.Percent), currency));
        return new TaxAmount(component.Name, component.Percent, taxable, taxable.Times(component.Percent / 100m));
    }

    private static IEnumerable<(string Name, decimal Percent)> Components(IEnumerable<InvoiceLine> lines) => lines
        .SelectMany(line => line.Tax?.Components ?? [])
        .Select(component => (component.Name, component.Percent))
        .Distinct();

    private static int Occurrences(InvoiceLine line, string name, decimal percent) =>
        line.Tax?.Components.Count(c => c.Name == name && c.Percent == percent) ?? 0;
}
