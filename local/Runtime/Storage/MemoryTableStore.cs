using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Flex.Platform.Tables;

namespace Flex.Local.Runtime.Storage;

/// <summary>
/// Table storage in memory with the port's exact semantics, for the simulation, unit tests and <c>--storage memory</c>.
/// Thread-safe: a commit locks its partition only. Versions are numbered from 1, so the same writes in the same order give
/// the same ETags.
/// </summary>
public sealed class MemoryTableStore : ITableStore, ITableScanner
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, MemoryPartition>> _tables = new(StringComparer.Ordinal);
    private long _versions;
    private long _calls;

    /// <summary>Runs before a commit is looked at; what it throws is a commit that never arrived.</summary>
    public Func<TableBatch, Task>? BeforeCommit { get; set; }

    /// <summary>Runs after a commit has taken effect, not after a refusal; what it throws is a lost answer.</summary>
    public Func<TableBatch, Task>? AfterCommit { get; set; }

    /// <summary>Calls so far: point reads, pages and commits.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    public Task<TableRow?> FindAsync(string table, string partition, string key, CancellationToken cancellation)
    {
        Called(cancellation);
        return Task.FromResult(PartitionOf(table, partition)?.Find(key));
    }

    public Task<IReadOnlyList<TableRow>> ReadAsync(string table, string partition, RowRange range, int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, TableLimits.MaxPage);
        Called(cancellation);
        return Task.FromResult(PartitionOf(table, partition)?.Read(range, limit) ?? []);
    }

    public async Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation)
    {
        if (batch.Operations.Count == 0)
        {
            return CommitResult.Empty;
        }

        Called(cancellation);
        if (BeforeCommit is { } before)
        {
            await before(batch);
        }

        CommitResult result = _tables
            .GetOrAdd(batch.Table, _ => new(StringComparer.Ordinal))
            .GetOrAdd(batch.Partition, name => new MemoryPartition(name))
            .Commit(batch.Operations, NextETag);
        if (result.IsCommitted && AfterCommit is { } after)
        {
            await after(batch);
        }

        return result;
    }

    public async IAsyncEnumerable<IReadOnlyList<TableRow>> ScanPagesAsync(string table, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!_tables.TryGetValue(table, out ConcurrentDictionary<string, MemoryPartition>? partitions))
        {
            yield break;
        }

        foreach (string partition in partitions.Keys.Order(StringComparer.Ordinal))
        {
            RowRange rest = RowRange.All;
            IReadOnlyList<TableRow> page;
            do
            {
                page = await ReadAsync(table, partition, rest, TableLimits.MaxPage, cancellation);
                yield return page;
                rest = page.Count == 0 ? rest : rest.After(page[^1].Key);
            }
            while (page.Count == TableLimits.MaxPage);
        }
    }

    public Task<IReadOnlyList<string>> TablesAsync(CancellationToken cancellation)
    {
        Called(cancellation);
        return Task.FromResult<IReadOnlyList<string>>([.. _tables.Keys.Order(StringComparer.Ordinal)]);
    }

    /// <summary>A partition's rows as they are now, uncounted; for asserting that something left it unchanged.</summary>
    public IReadOnlyList<TableRow> Snapshot(string table, string partition) => PartitionOf(table, partition)?.Rows() ?? [];

    /// <summary>An independent copy with the same rows and versions, without hooks; calls start at 0. Not atomic across partitions.</summary>
    public MemoryTableStore Clone()
    {
        var copy = new MemoryTableStore { _versions = Interlocked.Read(ref _versions) };
        foreach ((string table, ConcurrentDictionary<string, MemoryPartition> partitions) in _tables)
        {
            copy._tables[table] = new(partitions.Select(p => KeyValuePair.Create(p.Key, p.Value.Clone())), StringComparer.Ordinal);
        }

        return copy;
    }

    private MemoryPartition? PartitionOf(string table, string partition) =>
        _tables.TryGetValue(table, out ConcurrentDictionary<string, MemoryPartition>? partitions)
            && partitions.TryGetValue(partition, out MemoryPartition? found) ? found : null;

    private string NextETag() => string.Create(CultureInfo.InvariantCulture, $"W/\"m{Interlocked.Increment(ref _versions)}\"");

    private void Called(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Interlocked.Increment(ref _calls);
        StorageCalls.Record("table");
    }
}
