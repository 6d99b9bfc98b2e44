using Flex.Platform.Tables;

namespace Flex.Local.Runtime.Storage;

/// <summary>One partition: rows in a balanced tree by ordinal key, so a point read is O(log n) and a page O(log n + page).</summary>
internal sealed class MemoryPartition(string name)
{
    private static readonly Comparer<TableRow> ByKey = Comparer<TableRow>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

    private readonly Lock _lock = new();
    private SortedSet<TableRow> _rows = new(ByKey);

    public TableRow? Find(string key)
    {
        lock (_lock)
        {
            return Current(key);
        }
    }

    public IReadOnlyList<TableRow> Read(RowRange range, int limit)
    {
        lock (_lock)
        {
            if (_rows.Max is not { } last || string.CompareOrdinal(range.From, last.Key) > 0)
            {
                return [];
            }

            // The view's bounds are inclusive, the range's end is not, hence the TakeWhile.
            return [.. _rows.GetViewBetween(Probe(range.From), last).TakeWhile(r => range.Contains(r.Key)).Take(limit)];
        }
    }

    public IReadOnlyList<TableRow> Rows()
    {
        lock (_lock)
        {
            return [.. _rows];
        }
    }

    /// <summary>Looks at every operation before the first one takes effect: all or nothing without undoing.</summary>
    public CommitResult Commit(IReadOnlyList<TableOperation> operations, Func<string> nextETag)
    {
        lock (_lock)
        {
            foreach (TableOperation operation in operations)
            {
                TableRow? current = Current(operation.Key);
                if (operation.Kind == TableOperationKind.Insert)
                {
                    if (current is not null)
                    {
                        return new CommitResult(CommitKind.Duplicate, operation.Key);
                    }
                }
                else if (current?.ETag != operation.ETag)
                {
                    return new CommitResult(CommitKind.Stale, operation.Key);
                }
            }

            var etags = new string?[operations.Count];
            foreach ((int index, TableOperation operation) in operations.Index())
            {
                _rows.Remove(Probe(operation.Key));
                if (operation.Data is { } data)
                {
                    etags[index] = nextETag();
                    _rows.Add(new TableRow(name, operation.Key, data, etags[index]!));
                }
            }

            return CommitResult.Committed with { ETags = etags };
        }
    }

    public MemoryPartition Clone()
    {
        lock (_lock)
        {
            return new MemoryPartition(name) { _rows = new SortedSet<TableRow>(_rows, ByKey) };
        }
    }

    private static TableRow Probe(string key) => new(string.Empty, key, string.Empty, string.Empty);

    private TableRow? Current(string key) => _rows.TryGetValue(Probe(key), out TableRow? row) ? row : null;
}
