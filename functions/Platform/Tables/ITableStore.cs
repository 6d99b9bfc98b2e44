namespace Flex.Platform.Tables;

/// <summary>
/// The port to table storage. Two adapters, Azure and memory, pass one contract suite. There is no upsert and no
/// unconditional write: a caller either inserts what must not exist or names the version it has read.
/// </summary>
public interface ITableStore
{
    /// <summary>One point read; null when there is no such row.</summary>
    Task<TableRow?> FindAsync(string table, string partition, string key, CancellationToken cancellation);

    /// <summary>
    /// Rows of one partition in ordinal key order, at most <paramref name="limit"/> (1 to 1,000: the service's page size).
    /// A full page may be followed by more: continue with <see cref="RowRange.After"/>.
    /// </summary>
    Task<IReadOnlyList<TableRow>> ReadAsync(string table, string partition, RowRange range, int limit, CancellationToken cancellation);

    /// <summary>
    /// Commits the batch as one entity group transaction: all of it or nothing. An answer that was lost on the way is looked
    /// up; only when storage stays out of reach does <see cref="TransientFaultException"/> leave open whether it is there. A
    /// lone delete whose answer was lost may show as Stale: either way the version that was read is gone.
    /// </summary>
    Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation);
}

/// <summary>Whole-table reads for audits, exports and the local host's start. Never on a request's path.</summary>
public interface ITableScanner
{
    /// <summary>
    /// Every row, ordered by partition and key, in the pages of at most <see cref="TableLimits.MaxPage"/> rows that storage answers;
    /// one may be empty. What a page holds of a partition is of one instant, because no query sees half a transaction; a partition
    /// that goes on in the next page may have changed in between.
    /// Source: learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions (snapshot isolation).
    /// </summary>
    IAsyncEnumerable<IReadOnlyList<TableRow>> ScanPagesAsync(string table, CancellationToken cancellation);

    /// <summary>Names of the tables that exist.</summary>
    Task<IReadOnlyList<string>> TablesAsync(CancellationToken cancellation);
}

/// <summary>A stored row: keys, a JSON document (at most <see cref="TableLimits.MaxDataChars"/> characters) and its version.</summary>
public sealed record TableRow(string Partition, string Key, string Data, string ETag)
{
    public T As<T>() => StorageJson.Read<T>(Data);
}

/// <summary>A half-open range of row keys, ordinal: <c>From &lt;= key &lt; Until</c>. Null <c>Until</c> is open.</summary>
public readonly record struct RowRange(string From, string? Until)
{
    /// <summary>No key contains it, so a key followed by it lies between this key and the next one.</summary>
    internal const char AfterMark = '\u0001';

    public static RowRange All => new(string.Empty, null);

    /// <summary>All keys that start with the prefix.</summary>
    public static RowRange Prefix(string prefix) => prefix.Length == 0 ? All : new(prefix, Next(prefix));

    /// <summary>
    /// The rest of this range after a key; all of it when the key lies before. A range never grows, because keys come from cursors, which
    /// a caller may have made up.
    /// </summary>
    public RowRange After(string key) => string.CompareOrdinal(key, From) < 0 ? this : this with { From = key + AfterMark };

    public bool Contains(string key) =>
        string.CompareOrdinal(key, From) >= 0 && (Until is null || string.CompareOrdinal(key, Until) < 0);

    private static string Next(string prefix) => prefix[..^1] + (char)(prefix[^1] + 1);
}

public static class TableStoreExtensions
{
    /// <summary>Every row, ordered by partition and key.</summary>
    public static async IAsyncEnumerable<TableRow> ScanAsync(
        this ITableScanner scanner, string table, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (IReadOnlyList<TableRow> page in scanner.ScanPagesAsync(table, cancellation))
        {
            foreach (TableRow row in page)
            {
                yield return row;
            }
        }
    }

    /// <summary>All rows of a range, page by page.</summary>
    public static async IAsyncEnumerable<TableRow> ReadAllAsync(
        this ITableStore store,
        string table,
        string partition,
        RowRange range,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            IReadOnlyList<TableRow> page = await store.ReadAsync(table, partition, range, TableLimits.MaxPage, cancellation);
            foreach (TableRow row in page)
            {
                yield return row;
            }

            if (page.Count < TableLimits.MaxPage)
            {
                yield break;
            }

            range = range.After(page[^1].Key);
        }
    }
}
