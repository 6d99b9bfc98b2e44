using System.Globalization;

namespace Flex.Invoicing;

/// <summary>What must hold of all invoices, numbers, charges and attempts at any time.</summary>
public static class BillingInvariants
{
    /// <summary>One sentence per violation.</summary>
    public static IReadOnlyList<string> Check(BillingSnapshot billing) =>
        [.. Invoices(billing.Entries), .. Numbers(billing), .. Charges(billing), .. Attempts(billing.Entries), .. Periods(billing.Entries)];

    private static IEnumerable<string> Invoices(IEnumerable<BookEntry> entries) => entries
        .Select(e => e.Invoice)
        .Where(i => !i.Holds())
        .Select(i => $"{i.Id} does not add up: {i.State} {i.Settlement}, paid {i.Paid} + credited {i.Credited} + due {i.Due}, total {i.Total}.");

    private static IEnumerable<string> Numbers(BillingSnapshot billing)
    {
        var byYear = billing.Entries
            .Where(e => e.Invoice.Number is not null)
            .Select(e => InvoiceNumbers.Parse(e.Invoice.Number!))
            .GroupBy(n => n.Year, n => n.Number)
            .ToDictionary(g => g.Key, g => g.Order().ToArray());
        foreach ((int year, long next) in billing.Series)
        {
            long[] used = byYear.GetValueOrDefault(year, []);
            if (used.Length != next - 1 || used.Where((number, index) => number != index + 1).Any())
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"Numbers of {year} are not exactly 1 to {next - 1}: {used.Length} are used.");
            }
        }

        foreach (int year in byYear.Keys.Except(billing.Series.Keys))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"There are numbers of {year} and no series.");
        }
    }

    private static IEnumerable<string> Charges(BillingSnapshot billing)
    {
        var lines = billing.Entries
            .Where(e => e.Invoice.State is not (DocumentState.Voided or DocumentState.Closed))
            .SelectMany(e => e.Invoice.Lines.Where(l => l.ChargeId is not null).Select(l => (Charge: l.ChargeId!.Value, e.Invoice.Id, e.Invoice.Kind)))
            .ToArray();
        foreach (var twice in lines.GroupBy(l => l.Charge).Where(g => g.Count() > 1))
        {
            yield return $"{twice.Key} is on {twice.Count()} invoices.";
        }

        var claimed = new HashSet<ChargeId>();
        foreach (ChargeId charge in billing.Claims.SelectMany(c => c.Charges).Select(c => c.ChargeId).Where(c => !claimed.Add(c)))
        {
            yield return $"{charge} is claimed twice.";
        }

        foreach (ChargeId charge in billing.OpenCharges.Where(claimed.Contains))
        {
            yield return $"{charge} is claimed and still open.";
        }

        foreach (var stray in lines.Where(l => l.Kind == InvoiceKind.BillRun && !claimed.Contains(l.Charge)))
        {
            yield return $"{stray.Charge} is on {stray.Id} without a claim.";
        }
    }

    private static IEnumerable<string> Attempts(IEnumerable<BookEntry> entries)
    {
        foreach (BookEntry entry in entries)
        {
            Invoice invoice = entry.Invoice;
            if (entry.Attempts.Where((a, i) => a.No != i + 1).Any() || entry.Attempts.Count != invoice.AttemptCount)
            {
                yield return $"{invoice.Id} counts {invoice.AttemptCount} attempts and has {entry.Attempts.Count}.";
            }

            if (entry.Attempts.SkipLast(1).Any(a => a.InFlight))
            {
                yield return $"{invoice.Id} has an attempt under way that is not its last.";
            }

            if ((entry.InFlight is not null) != (invoice.Settlement == Settlement.Processing))
            {
                string last = entry.Attempts.Count == 0 ? "missing" : entry.Attempts[^1].State.ToString();
                yield return $"{invoice.Id} is {invoice.Settlement} with its last attempt {last}.";
            }

            long received = entry.Attempts.Where(a => a.State == AttemptState.Succeeded).Sum(a => a.Amount.Minor);
            if (received != invoice.Paid.Minor)
            {
                yield return $"{invoice.Id} says {invoice.Paid} paid; its attempts brought {new Money(received, invoice.Total.Currency)}.";
            }
        }
    }

    /// <summary>At most one charge that succeeded and was not reversed, and one open invoice, per membership, period and generation.</summary>
    private static IEnumerable<string> Periods(IEnumerable<BookEntry> entries) => entries
        .Where(e => e.Invoice is { Period: not null, State: not (DocumentState.Closed or DocumentState.Voided) })
        .GroupBy(e => (e.Invoice.Period!.MembershipId, e.Invoice.Period.PeriodStart, e.Invoice.Period.Generation))
        .Where(g => g.Count() > 1)
        .Select(g => $"{g.Key.MembershipId} has {g.Count()} open or paid invoices for the period of {g.Key.PeriodStart}.");
}
