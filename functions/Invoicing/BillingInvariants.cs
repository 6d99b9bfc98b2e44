using System.Globalization;

namespace Flex.Invoicing;

/// <summary>What must hold of all invoices, numbers, charges and attempts at any time.</summary>
public static class BillingInvariants
{
    /// <summary>One sentence per violation.</summary>
    public static IReadOnlyList<string> Check(BillingSnapshot billing) =>

        [
            .. Invoices(billing.Entries),
            .. Numbers("Invoice numbers", billing.Entries.Select(e => e.Invoice.Number), billing.Series),
            .. Numbers("Credit note numbers", billing.Notes.Select(n => n.Number), billing.NoteSeries),
            .. Charges(billing),
            .. Attempts(billing.Entries),
            .. Periods(billing.Entries),
            .. Credits(billing),
            .. Accounts(billing),
        ];

    private static IEnumerable<string> Invoices(IEnumerable<BookEntry> entries) => entries
        .Select(e => e.Invoice)
        .Where(i => !i.Holds())
        .Select(i => $"{i.Id} does not add up: {i.State} {i.Settlement}, paid {i.Paid} + credited {i.Credited} + due {i.Due}, total {i.Total}.");

    private static IEnumerable<string> Numbers(string what, IEnumerable<string?> numbers, IReadOnlyDictionary<int, long> series)
    {
        var byYear = numbers
            .Where(number => number is not null)
            .Select(number => InvoiceNumbers.Parse(number!))
            .GroupBy(n => n.Year, n => n.Number)
            .ToDictionary(g => g.Key, g => g.Order().ToArray());
        foreach ((int year, long next) in series)
        {
            long[] used = byYear.GetValueOrDefault(year, []);
            if (used.Length != next - 1 || used.Where((number, index) => number != index + 1).Any())
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{what} of {year} are not exactly 1 to {next - 1}: {used.Length} are used.");
            }
        }

        foreach (int year in byYear.Keys.Except(series.Keys))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{what} of {year} have no series.");
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

    /// <summary>
    /// No invoice is credited for more than it was, line by line and tax by tax; what its notes say went off the receivable or back is
    /// what the invoice and its refunds say.
    /// </summary>
    private static IEnumerable<string> Credits(BillingSnapshot billing)
    {
        ILookup<InvoiceId, CreditNote> byInvoice = billing.Notes.ToLookup(n => n.InvoiceId);
        foreach (BookEntry entry in billing.Entries)
        {
            Invoice invoice = entry.Invoice;
            CreditNote[] notes = [.. byInvoice[invoice.Id]];
            foreach (CreditNote note in notes.Where(n => !AddsUp(n)))
            {
                yield return $"{note.Number} does not add up to {note.Total}.";
            }

            if (notes.Sum(n => n.Total.Minor) > invoice.Total.Minor
                || notes.SelectMany(n => n.Lines).GroupBy(l => l.Line).Any(g => Math.Abs(g.Sum(l => l.Net.Minor)) > Math.Abs(invoice.Lines[g.Key].Net.Minor))
                || invoice.Taxes.Where((tax, i) => notes.Sum(n => n.Taxes[i].Amount.Minor) > tax.Amount.Minor).Any())
            {
                yield return $"{invoice.Id} of {invoice.Total} is credited for more than it was.";
            }

            if (notes.Sum(n => n.Settlement.Receivable.Minor) + invoice.FromAccount.Minor != invoice.Credited.Minor)
            {
                yield return $"{invoice.Id} says {invoice.Credited} credited; its notes and the account say otherwise.";
            }

            foreach (CreditNote note in notes.Where(n =>
                         entry.Refunds.Where(r => r.CreditNoteId == n.Id).Sum(r => r.Amount.Minor) < n.Settlement.Refund.Minor))
            {
                yield return $"{note.Number} refunds {note.Settlement.Refund}; its refunds are less.";
            }

            foreach (PaymentAttempt attempt in entry.Attempts.Where(a =>
                         entry.Refunds.Where(r => r.AttemptNo == a.No && r.State != RefundState.Failed).Sum(r => r.Amount.Minor) > a.Amount.Minor))
            {
                yield return $"{invoice.Id} gives more back of attempt {attempt.No} than it brought.";
            }
        }
    }

    private static bool AddsUp(CreditNote note) =>
        note.Total.IsPositive
        && note.Settlement.Receivable + note.Settlement.AccountCredit + note.Settlement.Refund == note.Total
        && note.Lines.Sum(l => l.Net.Minor) == note.Net.Minor
        && note.Lines.Sum(l => l.Taxes.Sum(t => t.Minor)) == note.Taxes.Sum(t => t.Amount.Minor)
        && note.Net.Minor + note.Taxes.Sum(t => t.Amount.Minor) == note.Total.Minor;

    /// <summary>
    /// An account credit is never overdrawn and is what its history says; what was granted came from credit notes or refunds that
    /// failed, what was applied is on invoices.
    /// </summary>
    private static IEnumerable<string> Accounts(BillingSnapshot billing)
    {
        foreach (AccountCredit account in billing.Accounts)
        {
            Currency currency = account.Granted.Currency;
            BookEntry[] own = [.. billing.Entries.Where(e => e.Invoice.CustomerId == account.CustomerId && e.Invoice.Total.Currency == currency)];
            HashSet<InvoiceId> ids = [.. own.Select(e => e.Invoice.Id)];
            AccountCreditEntry[] history = [.. billing.AccountEntries.Where(e => ids.Contains(e.InvoiceId))];
            long granted = billing.Notes.Where(n => ids.Contains(n.InvoiceId)).Sum(n => n.Settlement.AccountCredit.Minor)
                + own.SelectMany(e => e.Refunds.Select(r => Returned(r, billing.Notes))).Sum();
            if (account.Balance.Minor < 0
                || granted != account.Granted.Minor
                || own.Sum(e => e.Invoice.FromAccount.Minor) != account.Applied.Minor
                || history.Length != account.Entries
                || history.Sum(e => e.Amount.Minor) != account.Balance.Minor)
            {
                yield return $"{account.CustomerId} has {account.Granted} granted and {account.Applied} applied; notes, refunds, invoices or history say otherwise.";
            }
        }

        HashSet<CustomerId> known = [.. billing.Accounts.Select(a => a.CustomerId)];
        foreach (CreditNote note in billing.Notes.Where(n => n.Settlement.AccountCredit.IsPositive && !known.Contains(n.CustomerId)))
        {
            yield return $"{note.Number} is an account credit that {note.CustomerId} does not have.";
        }
    }

    /// <summary>What of a failed refund its note had promised.</summary>
    private static long Returned(Refund refund, IReadOnlyList<CreditNote> notes) =>
        refund is { State: RefundState.Failed, CreditNoteId: { } note }
            ? Math.Min(refund.Amount.Minor, notes.Single(n => n.Id == note).Settlement.Refund.Minor)
            : 0;

    /// <summary>At most one charge that succeeded and was not reversed, and one open invoice, per membership, period and generation.</summary>
    private static IEnumerable<string> Periods(IEnumerable<BookEntry> entries) => entries
        .Where(e => e.Invoice is { Period: not null, State: not (DocumentState.Closed or DocumentState.Voided) })
        .GroupBy(e => (e.Invoice.Period!.MembershipId, e.Invoice.Period.PeriodStart, e.Invoice.Period.Generation))
        .Where(g => g.Count() > 1)
        .Select(g => $"{g.Key.MembershipId} has {g.Count()} open or paid invoices for the period of {g.Key.PeriodStart}.");
}
