using System.Globalization;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;

namespace Flex.Invoicing;

/// <summary>An entry with the version it was read in; null when that is not known and a further change must read again.</summary>
public sealed record StoredEntry(BookEntry Entry, string? ETag)
{
    public Invoice Invoice => Entry.Invoice;
}

/// <summary>What is to be committed besides the entry itself.</summary>
/// <param name="InboxKey">Row key of the message or event this is the effect of; a repeat is <see cref="BookOutcome.Repeated"/>.</param>
/// <param name="NumberOnIssue">See <see cref="Settings.RenewalNumbering"/>.</param>
/// <param name="Note">A credit note to be issued with it, still without its number.</param>
/// <param name="Account">A change of the customer's account credit.</param>
public sealed record BookExtras(
    IReadOnlyList<OutboxMessage> Messages, string? InboxKey = null, bool NumberOnIssue = false, CreditNote? Note = null, AccountMove? Account = null)
{
    public static BookExtras None { get; } = new([]);
}

public enum BookOutcome
{
    Committed,

    /// <summary>Somebody else has changed or created it or what goes with it: read again and decide again.</summary>
    Changed,

    /// <summary>The message or event has had its effect before.</summary>
    Repeated,
}

public sealed record BookCommit(BookOutcome Outcome, StoredEntry? Entry)
{
    public bool IsCommitted => Outcome == BookOutcome.Committed;
}

/// <summary>
/// The operator's invoices: table <c>billing</c>, one partition <c>book</c>, so that number and invoice, attempt and settlement, and
/// credit note and invoice commit together. Keys: <c>I|{invoiceId}</c> invoice with its attempts and refunds,
/// <c>H|invoice|{year}</c> and <c>H|credit-note|{year}</c> numbering series, <c>X|{customerId}|{time}|{invoiceId}</c> a customer's
/// invoices, newest first, <c>D|{yyyyMMdd}|{invoiceId}</c> what may be collected automatically from that day,
/// <c>L|{chargeId}|{invoiceId}</c> the issued invoice of a charge, <c>N|{invoiceId}|{creditNoteId}</c> credit notes,
/// <c>B|{customerId}|{currency}</c> account credit and <c>E|{customerId}|{currency}|{number}</c> its history, newest first.
/// </summary>
public sealed class InvoiceBook(ITableStore tables, Committer committer) : IDisposable
{
    public const string Table = "billing";
    public const string Partition = "book";

    public const string InvoicePrefix = "I|";
    public const string SeriesPrefix = "H|invoice|";
    public const string NoteSeriesPrefix = "H|credit-note|";
    public const string NotePrefix = "N|";
    public const string AccountPrefix = "B|";
    public const string EntryPrefix = "E|";
    private const string ChargePrefix = "L|";
    private const string CustomerPrefix = "X|";
    private const string DuePrefix = "D|";

    /// <summary>Attempts to get a number while other processes take theirs; each lost one means that somebody else has won.</summary>
    private const int MaxNumberTries = 100;

    private static readonly LocalDatePattern Day = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");

    /// <summary>Numbers are taken one after the other within a process, so that only other processes can be in the way.</summary>
    private readonly SemaphoreSlim _numbering = new(1, 1);

    public async Task<StoredEntry?> FindAsync(InvoiceId id, CancellationToken cancellation) =>
        await tables.FindAsync(Table, Partition, InvoicePrefix + id, cancellation) is { } row
            ? new StoredEntry(row.As<BookEntry>(), row.ETag)
            : null;

    /// <summary>A customer's invoices, newest first, with the position to continue after.</summary>
    public async Task<IReadOnlyList<(string Position, BookEntry Entry)>> ListAsync(
        CustomerId customer, string? after, int limit, CancellationToken cancellation)
    {
        RowRange range = RowRange.Prefix($"{CustomerPrefix}{customer}|");
        if (after is not null)
        {
            range = range.After($"{CustomerPrefix}{customer}|{after}");
        }

        IReadOnlyList<TableRow> index = await tables.ReadAsync(Table, Partition, range, limit, cancellation);
        var invoices = new List<(string, BookEntry)>(index.Count);
        foreach (TableRow row in index)
        {
            InvoiceId id = IdOf(row);
            StoredEntry entry = await FindAsync(id, cancellation)
                ?? throw new DefectException($"{id} is in its customer's index and not in the book.");
            invoices.Add((row.Key[(CustomerPrefix.Length + customer.Value.Length + 1)..], entry.Entry));
        }

        return invoices;
    }

    /// <summary>Invoices whose day of collection is not after <paramref name="until"/>, earliest first.</summary>
    public async IAsyncEnumerable<InvoiceId> CollectableAsync(
        LocalDate until, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var range = new RowRange(DuePrefix, DuePrefix + Day.Format(until.PlusDays(1)));
        await foreach (TableRow row in tables.ReadAllAsync(Table, Partition, range, cancellation))
        {
            yield return IdOf(row);
        }
    }

    /// <summary>The issued invoices that the charge is on: none or one, unless it was paid twice.</summary>
    public async Task<IReadOnlyList<InvoiceId>> InvoicesOfAsync(ChargeId charge, CancellationToken cancellation) =>
        [.. (await tables.ReadAsync(Table, Partition, RowRange.Prefix($"{ChargePrefix}{charge}|"), TableLimits.MaxPage, cancellation)).Select(IdOf)];

    /// <summary>The credit notes of an invoice in the order they were issued.</summary>
    public async Task<IReadOnlyList<CreditNote>> NotesAsync(InvoiceId id, CancellationToken cancellation)
    {
        var notes = new List<CreditNote>();
        await foreach (TableRow row in tables.ReadAllAsync(Table, Partition, RowRange.Prefix($"{NotePrefix}{id}|"), cancellation))
        {
            notes.Add(row.As<CreditNote>());
        }

        return [.. notes.OrderBy(n => n.CreatedAt).ThenBy(n => n.Number, StringComparer.Ordinal)];
    }

    public async Task<(AccountCredit Account, string? ETag)> AccountAsync(CustomerId customer, Currency currency, CancellationToken cancellation) =>
        await tables.FindAsync(Table, Partition, AccountKey(customer, currency), cancellation) is { } row
            ? (row.As<AccountCredit>(), row.ETag)
            : (AccountCredit.None(customer, currency), null);

    /// <summary>The customer's account credits, one per currency.</summary>
    public async Task<IReadOnlyList<AccountCredit>> AccountsAsync(CustomerId customer, CancellationToken cancellation) =>
        [.. (await tables.ReadAsync(Table, Partition, RowRange.Prefix($"{AccountPrefix}{customer}|"), TableLimits.MaxPage, cancellation))
            .Select(row => row.As<AccountCredit>())];

    /// <summary>The latest entries of one account credit, newest first.</summary>
    public async Task<IReadOnlyList<AccountCreditEntry>> AccountEntriesAsync(
        CustomerId customer, Currency currency, int limit, CancellationToken cancellation) =>
        [.. (await tables.ReadAsync(Table, Partition, RowRange.Prefix($"{EntryPrefix}{customer}|{currency.Code}|"), limit, cancellation))
            .Select(row => row.As<AccountCreditEntry>())];

    /// <summary>
    /// Writes the entry in place of the one read (null: a new one), gives it or its credit note a number if it is time for one,
    /// keeps the indexes and tells bookings what has become of their charges. One commit; before it a read of the series when a
    /// number is given and one of the index row when the day of collection changes.
    /// </summary>
    public async Task<BookCommit> CommitAsync(StoredEntry? before, BookEntry after, BookExtras extras, CancellationToken cancellation)
    {
        if (before is { ETag: null })
        {
            return new BookCommit(BookOutcome.Changed, null);
        }

        BookEntry next = after with { Invoice = after.Invoice with { Version = (before?.Invoice.Version ?? 0) + 1 } };
        if (!next.Invoice.Holds())
        {
            throw new DefectException($"{next.Invoice.Id} would not add up: {next.Invoice.State}, {next.Invoice.Settlement}.");
        }

        bool isNumbered = next.NeedsNumber(extras.NumberOnIssue);
        if (!isNumbered && extras.Note is null)
        {
            return Outcome(next, await CommitAsync(await BatchAsync(before, next, extras, cancellation), cancellation));
        }

        await _numbering.WaitAsync(cancellation);
        try
        {
            return isNumbered
                ? await CommitNumberedAsync(
                    SeriesKey(SeriesPrefix, next.Invoice.IssueDate),
                    number => (next with { Invoice = next.Invoice with { Number = InvoiceNumbers.Format(next.Invoice.IssueDate.Year, number) } }, extras),
                    before,
                    cancellation)
                : await CommitNumberedAsync(
                    SeriesKey(NoteSeriesPrefix, extras.Note!.IssueDate),
                    number => (next, extras with { Note = extras.Note with { Number = InvoiceNumbers.FormatCreditNote(extras.Note.IssueDate.Year, number) } }),
                    before,
                    cancellation);
        }
        finally
        {
            _numbering.Release();
        }
    }

    public void Dispose() => _numbering.Dispose();

    private async Task<BookCommit> CommitNumberedAsync(
        string seriesKey, Func<long, (BookEntry Entry, BookExtras Extras)> numbered, StoredEntry? before, CancellationToken cancellation)
    {
        for (int tries = 0; tries < MaxNumberTries; tries++)
        {
            TableRow? row = await tables.FindAsync(Table, Partition, seriesKey, cancellation);
            NumberSeries series = row?.As<NumberSeries>() ?? NumberSeries.Fresh;
            (BookEntry next, BookExtras extras) = numbered(series.Next);
            TableBatch batch = await BatchAsync(before, next, extras, cancellation);
            batch.Put(seriesKey, series with { Next = series.Next + 1 }, row?.ETag);
            CommitResult result = await CommitAsync(batch, cancellation);
            if (result.IsCommitted || result.Key != seriesKey)
            {
                return Outcome(next, result);
            }
        }

        throw new TransientFaultException("The numbering series is busy.");
    }

    /// <summary>The entry is the first operation: <see cref="Outcome"/> relies on it.</summary>
    private async Task<TableBatch> BatchAsync(StoredEntry? before, BookEntry next, BookExtras extras, CancellationToken cancellation)
    {
        Invoice invoice = next.Invoice;
        TableBatch batch = new TableBatch(Table, Partition).Put(InvoicePrefix + invoice.Id, next, before?.ETag);
        if (before is null)
        {
            // Inverted, so that the newest comes first.
            long time = 9_999_999_999_999 - invoice.CreatedAt.ToUnixTimeMilliseconds();
            batch.Insert(string.Create(CultureInfo.InvariantCulture, $"{CustomerPrefix}{invoice.CustomerId}|{time:D13}|{invoice.Id}"), new IndexRow());
        }

        if (before?.Entry.CollectOn != next.CollectOn)
        {
            if (before?.Entry.CollectOn is { } old && await tables.FindAsync(Table, Partition, DueKey(old, invoice.Id), cancellation) is { } row)
            {
                batch.Delete(row.Key, row.ETag);
            }

            if (next.CollectOn is { } day)
            {
                batch.Insert(DueKey(day, invoice.Id), new IndexRow());
            }
        }

        if (extras.InboxKey is { } inbox)
        {
            batch.Insert(inbox, new IndexRow());
        }

        foreach (ChargeId charge in ChargeFacts.Invoiced(before?.Entry, next))
        {
            batch.Insert($"{ChargePrefix}{charge}|{invoice.Id}", new IndexRow());
        }

        if (extras.Note is { } note)
        {
            batch.Insert($"{NotePrefix}{note.InvoiceId}|{note.Id}", note);
        }

        if (extras.Account is { Account: { } account } move)
        {
            // Inverted, so that the newest comes first.
            string entry = string.Create(
                CultureInfo.InvariantCulture, $"{EntryPrefix}{account.CustomerId}|{account.Granted.Currency.Code}|{99_999_999 - account.Entries:D8}");
            batch.Put(AccountKey(account.CustomerId, account.Granted.Currency), account, move.ETag).Insert(entry, move.Entry);
        }

        return batch.Send([.. extras.Messages, .. ChargeFacts.Of(before?.Entry, next)]);
    }

    private async Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation)
    {
        CommitResult result = await committer.CommitAsync(batch, cancellation);
        return result.Kind == CommitKind.Invalid ? throw new DefectException($"Commit refused: {result.Detail}") : result;
    }

    private static BookCommit Outcome(BookEntry next, CommitResult result) => result switch
    {
        { IsCommitted: true } => new BookCommit(BookOutcome.Committed, new StoredEntry(next, result.ETags.Count > 0 ? result.ETags[0] : null)),
        _ when result.IsDuplicateOf(RowKeys.Inbox) => new BookCommit(BookOutcome.Repeated, null),
        _ => new BookCommit(BookOutcome.Changed, null),
    };

    private static string SeriesKey(string prefix, LocalDate issued) => prefix + issued.Year.ToString(CultureInfo.InvariantCulture);

    private static string AccountKey(CustomerId customer, Currency currency) => $"{AccountPrefix}{customer}|{currency.Code}";

    private static InvoiceId IdOf(TableRow row) => EntityId.Parse<InvoiceId>(row.Key[(row.Key.LastIndexOf('|') + 1)..]);

    private static string DueKey(LocalDate day, InvoiceId id) => $"{DuePrefix}{Day.Format(day)}|{id}";

    private sealed record IndexRow;
}
