using Flex.Platform.Tables;

namespace Flex.Invoicing;

/// <summary>Everything of the billing table that its invariants speak of.</summary>
/// <param name="Series">Next number of invoices by year.</param>
/// <param name="NoteSeries">Next number of credit notes by year.</param>
/// <param name="AccountEntries">The history of every account credit.</param>
public sealed record BillingSnapshot(
    IReadOnlyList<BookEntry> Entries,
    IReadOnlyList<Claim> Claims,
    IReadOnlyList<ChargeId> OpenCharges,
    IReadOnlyDictionary<int, long> Series,
    IReadOnlyList<CreditNote> Notes,
    IReadOnlyDictionary<int, long> NoteSeries,
    IReadOnlyList<AccountCredit> Accounts,
    IReadOnlyList<AccountCreditEntry> AccountEntries);

/// <summary>Reads the whole billing table for audits. Never on a request's path.</summary>
public sealed class BillingAudit(ITableScanner scanner)
{
    public async Task<BillingSnapshot> ReadAsync(CancellationToken cancellation)
    {
        var entries = new List<BookEntry>();
        var claims = new List<Claim>();
        var open = new List<ChargeId>();
        var series = new Dictionary<int, long>();
        var notes = new List<CreditNote>();
        var noteSeries = new Dictionary<int, long>();
        var accounts = new List<AccountCredit>();
        var moves = new List<AccountCreditEntry>();
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
                    series.Add(YearOf(row), row.As<NumberSeries>().Next);
                }
                else if (Has(row, InvoiceBook.NoteSeriesPrefix))
                {
                    noteSeries.Add(YearOf(row), row.As<NumberSeries>().Next);
                }
                else if (Has(row, InvoiceBook.NotePrefix))
                {
                    notes.Add(row.As<CreditNote>());
                }
                else if (Has(row, InvoiceBook.AccountPrefix))
                {
                    accounts.Add(row.As<AccountCredit>());
                }
                else if (Has(row, InvoiceBook.EntryPrefix))
                {
                    moves.Add(row.As<AccountCreditEntry>());
                }
            }
            else if (Has(row, ChargeLedger.ClaimPrefix))
            {
                claims.Add(row.As<Claim>());
            }
            else if (Has(row, ChargeLedger.ChargePrefix) && row.As<LedgerCharge>().Open() is { } charge)
            {
                open.Add(charge.ChargeId);
            }
        }

        return new BillingSnapshot(entries, claims, open, series, notes, noteSeries, accounts, moves);
    }

    /// <summary>What is wrong in the table; empty when nothing is. Holds between any two commits, so also while messages are under way.</summary>
    public async Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellation) => BillingInvariants.Check(await ReadAsync(cancellation));

    private static int YearOf(TableRow series) =>
        int.Parse(series.Key.AsSpan(series.Key.LastIndexOf('|') + 1), System.Globalization.CultureInfo.InvariantCulture);

    private static bool Has(TableRow row, string prefix) => row.Key.StartsWith(prefix, StringComparison.Ordinal);
}
