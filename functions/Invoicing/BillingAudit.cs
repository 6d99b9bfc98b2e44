using Flex.Platform.Tables;

namespace Flex.Invoicing;

/// <summary>Everything of the billing table that its invariants speak of.</summary>
/// <param name="Series">Next number by year.</param>
public sealed record BillingSnapshot(
    IReadOnlyList<BookEntry> Entries, IReadOnlyList<Claim> Claims, IReadOnlyList<ChargeId> OpenCharges, IReadOnlyDictionary<int, long> Series);

/// <summary>Reads the whole billing table for audits. Never on a request's path.</summary>
public sealed class BillingAudit(ITableScanner scanner)
{
    public async Task<BillingSnapshot> ReadAsync(CancellationToken cancellation)
    {
        var entries = new List<BookEntry>();
        var claims = new List<Claim>();
        var open = new List<ChargeId>();
        var series = new Dictionary<int, long>();
        await foreach (TableRow row in scanner.ScanAsync(InvoiceBook.Table, cancellation))
        {
            if (row.Partition == InvoiceBook.Partition)
            {
                if (Has(row, InvoiceBook.InvoicePrefix))
                {
                    entries.Add(row.As<BookEntry>());
                }
                else if (Has(row, InvoiceBook.SeriesPrefix))
                {
                    int year = int.Parse(row.Key.AsSpan(InvoiceBook.SeriesPrefix.Length), System.Globalization.CultureInfo.InvariantCulture);
                    series.Add(year, row.As<NumberSeries>().Next);
                }
            }
            else if (Has(row, ChargeLedger.ClaimPrefix))
            {
                claims.Add(row.As<Claim>());
            }
            else if (Has(row, ChargeLedger.ChargePrefix) && row.As<LedgerCharge>() is { Cancelled: false, Charge: { } charge })
            {
                open.Add(charge.ChargeId);
            }
        }

        return new BillingSnapshot(entries, claims, open, series);
    }

    /// <summary>What is wrong in the table; empty when nothing is. Holds between any two commits, so also while messages are under way.</summary>
    public async Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellation) => BillingInvariants.Check(await ReadAsync(cancellation));

    private static bool Has(TableRow row, string prefix) => row.Key.StartsWith(prefix, StringComparison.Ordinal);
}
