namespace Flex.Invoicing;

/// <summary>
/// What a credit note takes from each line of its invoice, tax by component. No sequence of notes takes more than there was, and the
/// note that completes a line, or the invoice, takes exactly what is left of it.
/// </summary>
public static class CreditArithmetic
{
    /// <summary>Everything that is not credited yet; no lines when nothing is left.</summary>
    public static IReadOnlyList<CreditLine> OfAll(Invoice invoice, IReadOnlyList<CreditNote> before) => Lines(invoice, Rest(invoice, before));

    /// <summary>A part of one line's net with its tax, at most what is left of the line; no lines when nothing is.</summary>
    /// <param name="net">Null is all that is left.</param>
    public static IReadOnlyList<CreditLine> OfLine(Invoice invoice, IReadOnlyList<CreditNote> before, int line, Money? net)
    {
        long[][] rest = Rest(invoice, before);
        long[] left = rest[line];
        long[] taken = net is { } part && part.Minor < left[0] ? Part(invoice, line, left, part.Minor) : left;
        if (taken[0] <= 0)
        {
            return [];
        }

        // Lines of negative net make the invoice worth less than its other lines: no more than that is ever given back.
        return taken.Sum() >= Sum(rest)
            ? Lines(invoice, rest)
            : Lines(invoice, [.. rest.Select((_, i) => i == line ? taken : new long[left.Length])]);
    }

    /// <summary>
    /// An amount with tax, at most what is left. All such amounts so far, cumulated, are split over the invoice's net and components
    /// by largest remainder; what was credited before is taken off, and the net goes to the lines by what is left of them.
    /// </summary>
    public static IReadOnlyList<CreditLine> OfGross(Invoice invoice, IReadOnlyList<CreditNote> before, Money gross)
    {
        long[][] rest = Rest(invoice, before);
        long left = Sum(rest);
        if (gross.Minor >= left)
        {
            return Lines(invoice, rest);
        }

        Currency currency = invoice.Total.Currency;
        long[] open = [.. Enumerable.Range(0, rest[0].Length).Select(part => rest.Sum(line => line[part]))];
        long[] whole = [invoice.Net.Minor, .. invoice.Taxes.Select(tax => tax.Amount.Minor)];
        long[] upTo = Allocate(currency, invoice.Total.Minor - left + gross.Minor, whole);
        long[] parts = [.. upTo.Select((amount, part) => amount - (whole[part] - open[part]))];

        // Notes for single lines have other shares than the invoice: then what is left decides.
        if (parts.Where((amount, part) => amount < 0 || amount > open[part]).Any())
        {
            parts = Allocate(currency, gross.Minor, open);
        }

        long[][] spread = [.. parts.Select((amount, part) => Allocate(currency, amount, [.. rest.Select(line => line[part])]))];
        return Lines(invoice, [.. rest.Select((_, line) => spread.Select(part => part[line]).ToArray())]);
    }

    /// <summary>By line: what is left of its net, then of each component's tax.</summary>
    private static long[][] Rest(Invoice invoice, IReadOnlyList<CreditNote> before)
    {
        long[][] rest = Whole(invoice);
        foreach (CreditLine credited in before.SelectMany(note => note.Lines))
        {
            rest[credited.Line][0] -= credited.Net.Minor;
            for (int tax = 0; tax < credited.Taxes.Count; tax++)
            {
                rest[credited.Line][tax + 1] -= credited.Taxes[tax].Minor;
            }
        }

        return rest;
    }

    private static long[][] Whole(Invoice invoice)
    {
        IReadOnlyList<Money>[] spread = [.. invoice.Taxes.Select(tax => InvoiceArithmetic.Spread(tax, invoice.Lines))];
        return [.. invoice.Lines.Select((line, i) => (long[])[line.Net.Minor, .. spread.Select(tax => tax[i].Minor)])];
    }

    /// <summary>The tax of all parts of the line so far, cumulated, less what was credited before.</summary>
    private static long[] Part(Invoice invoice, int line, long[] left, long net)
    {
        long[] whole = Whole(invoice)[line];
        long upTo = whole[0] - left[0] + net;
        return [net, .. Enumerable.Range(1, whole.Length - 1).Select(tax => Math.Clamp(
            new Money(whole[tax], invoice.Total.Currency).Times(upTo, whole[0]).Minor - (whole[tax] - left[tax]), 0, left[tax]))];
    }

    private static long[] Allocate(Currency currency, long amount, IReadOnlyList<long> weights) =>
        [.. new Money(amount, currency).Allocate([.. weights.Select(weight => Math.Max(weight, 0))]).Select(part => part.Minor)];

    private static long Sum(long[][] amounts) => amounts.Sum(line => line.Sum());

    private static IReadOnlyList<CreditLine> Lines(Invoice invoice, long[][] amounts)
    {
        Currency currency = invoice.Total.Currency;
        return Sum(amounts) <= 0
            ? []
            : [.. amounts
                .Select((parts, i) => new CreditLine(
                    i, invoice.Lines[i].Description, invoice.Lines[i].ChargeId, new Money(parts[0], currency), [.. parts.Skip(1).Select(p => new Money(p, currency))]))
                .Where(line => !line.Net.IsZero || line.Taxes.Any(tax => !tax.IsZero))];
    }
}
