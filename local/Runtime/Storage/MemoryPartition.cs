using Flex.Platform.Tables;

namespace Flex.Local.Runtime.Storage;

/// <summary>One partition: rows in a balanced tree by ordinal key, so a point read is O(log n) and a page O(log n + page).</summary>
internal sealed class MemoryPartition(string name)
{
    private static readonly Comparer<Slot> ByKey = Comparer<Slot>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

    private readonly Lock _lock = new();
    private SortedSet<Slot> _slots = new(ByKey);

    public TableRow? Find(string key)
    {
        lock (_lock)
        {
            return SlotOf(key)?.Row;
        }
    }

    public IReadOnlyList<TableRow> Read(RowRange range, int limit)
    {
        lock (_lock)
        {
            if (_slots.Max is not { } last || string.CompareOrdinal(range.From, last.Key) > 0)
            {
                return [];
            }

            // The view's bounds are inclusive, the range's end is not, hence the TakeWhile.
            return [.. _slots.GetViewBetween(new Slot(range.From), last).TakeWhile(s => range.Contains(s.Key)).Take(limit).Select(s => s.Row!)];
        }
    }

    public IReadOnlyList<TableRow> Rows()
    {
        lock (_lock)
        {
            return [.. _slots.Select(s => s.Row!)];
        }
    }

    /// <summary>Looks at every operation before the first one takes effect: all or nothing without undoing.</summary>
    public CommitResult Commit(IReadOnlyList<TableOperation> operations, Func<string> nextETag)
    {
        lock (_lock)
        {
            foreach (TableOperation operation in operations)
            {
                TableRow? current = SlotOf(operation.Key)?.Row;
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
                switch (operation.Kind)
                {
                    case TableOperationKind.Insert:
                        etags[index] = nextETag();
                        _slots.Add(new Slot(operation.Key) { Row = RowOf(operation, etags[index]!) });
                        break;
                    case TableOperationKind.Replace:
                        etags[index] = nextETag();
                        SlotOf(operation.Key)!.Row = RowOf(operation, etags[index]!);
                        break;
                    default:
                        _slots.Remove(new Slot(operation.Key));
                        break;
                }
            }

            return CommitResult.Committed with { ETags = etags };
        }
    }

    public MemoryPartition Clone()
    {
        lock (_lock)
        {
            return new MemoryPartition(name) { _slots = new SortedSet<Slot>(_slots.Select(s => new Slot(s.Key) { Row = s.Row }), ByKey) };
        }
    }

    private TableRow RowOf(TableOperation operation, string etag) => new(name, operation.Key, operation.Data!, etag);

    private Slot? SlotOf(string key) => _slots.TryGetValue(new Slot(key), out Slot? slot) ? slot : null;

    /// <summary>A place in the tree. Replacing a row, the most frequent write, leaves the tree as it is. Without a row it is only looked for.</summary>
    private sealed class Slot(string key)
    {
        public string Key => key;

        public TableRow? Row { get; set; }
    }
}
