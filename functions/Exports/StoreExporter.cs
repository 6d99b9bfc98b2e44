using System.Security.Cryptography;
using System.Text;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Exports;

/// <summary>What has just been exported.</summary>
/// <param name="Outboxes">Partitions with messages that were committed and not yet known to be published.</param>
public sealed record StoreExport(ExportManifest Manifest, IReadOnlyList<OutboxSweep> Outboxes);

/// <summary>
/// Writes all business tables of a store that may be in use into an archive. Every partition is exported as it was at one instant,
/// different partitions at different ones; docs/adr/0017 says what follows from that.
/// </summary>
public sealed class StoreExporter(ITableStore store, ITableScanner scanner, TimeProvider time, ILogger<StoreExporter> log)
{
    /// <summary>How often a partition that changes while it is read is read again before it is taken as it is.</summary>
    private const int Tries = 4;

    public PartLimits Limits { get; init; } = PartLimits.Default;

    /// <summary>
    /// Goes on with an export of this name that was cut off: tables of several parts that it had finished are kept, others are
    /// begun again.
    /// </summary>
    public async Task<StoreExport> ExportAsync(ExportArchive archive, string export, CancellationToken cancellation)
    {
        IReadOnlyList<string> existing = await scanner.TablesAsync(cancellation);
        var outboxes = new List<OutboxSweep>();
        var tables = new List<ExportedTable>();
        Instant started = time.Now();
        foreach (string table in ExportTables.All.Where(t => existing.Contains(t, StringComparer.Ordinal)))
        {
            tables.Add(await archive.FindTableAsync(export, table, cancellation) ?? await TableAsync(archive, export, table, outboxes, cancellation));
        }

        var manifest = new ExportManifest(
            ExportManifest.CurrentVersion, export, tables.Select(t => t.StartedAt).Append(started).Min(), time.Now(), tables);
        await archive.CompleteAsync(manifest, cancellation);
        return new StoreExport(manifest, outboxes);
    }

    private async Task<ExportedTable> TableAsync(
        ExportArchive archive, string export, string table, List<OutboxSweep> outboxes, CancellationToken cancellation)
    {
        Instant started = time.Now();
        using var parts = new PartWriter(archive, $"{export}/{table}", Limits);
        var rows = new TableRun(store, table, parts, outboxes);
        await foreach (IReadOnlyList<TableRow> page in scanner.ScanPagesAsync(table, cancellation))
        {
            await rows.AddAsync(page, cancellation);
        }

        await rows.DrainAsync(cancellation);
        await parts.FlushAsync(cancellation);
        var done = new ExportedTable(table, started, time.Now(), parts.Parts.Sum(p => (long)p.Rows), rows.Torn, parts.Parts);
        if (done.Torn > 0)
        {
            log.LogWarning("{Torn} partitions of table {Table} were written to all the time: export {Export} may hold half of a transaction.", done.Torn, table, export);
        }

        // What fits into one part is as quickly exported again.
        if (done.Parts.Count > 1)
        {
            await archive.KeepTableAsync(export, done, cancellation);
        }

        return done;
    }

    /// <summary>
    /// One pass over a table. The rows of a page's last partition wait for the next page: when that begins with another partition
    /// they are all of one instant, otherwise the partition is read again on its own.
    /// </summary>
    private sealed class TableRun(ITableStore store, string table, PartWriter parts, List<OutboxSweep> outboxes)
    {
        private readonly List<TableRow> _waiting = [];
        private string? _done;
        private string? _outbox;

        public int Torn { get; private set; }

        public async Task AddAsync(IReadOnlyList<TableRow> page, CancellationToken cancellation)
        {
            if (page.Count == 0)
            {
                return;
            }

            if (_waiting.Count > 0 && page[0].Partition == _waiting[0].Partition)
            {
                _done = page[0].Partition;
                _waiting.Clear();
                await PartitionAsync(_done, cancellation);
            }

            await DrainAsync(cancellation);
            string last = page[^1].Partition;
            foreach (TableRow row in page.Where(r => r.Partition != _done))
            {
                if (row.Partition == last)
                {
                    _waiting.Add(row);
                }
                else
                {
                    await WriteAsync(row, cancellation);
                }
            }
        }

        /// <summary>Writes what has waited: nothing more of its partition comes.</summary>
        public async Task DrainAsync(CancellationToken cancellation)
        {
            foreach (TableRow row in _waiting)
            {
                await WriteAsync(row, cancellation);
            }

            _waiting.Clear();
        }

        /// <summary>
        /// A partition of several pages, into parts of its own. It is read twice; when both readings are the same, row by row and
        /// version by version, it was so at the instant between them, however many pages each took.
        /// </summary>
        private async Task PartitionAsync(string partition, CancellationToken cancellation)
        {
            await parts.FlushAsync(cancellation);
            int before = parts.Parts.Count;
            for (int attempt = 1; ; attempt++)
            {
                byte[] written = await ReadAsync(partition, row => WriteAsync(row, cancellation), cancellation);
                await parts.FlushAsync(cancellation);
                byte[] seen = await ReadAsync(partition, _ => Task.CompletedTask, cancellation);
                if (written.AsSpan().SequenceEqual(seen))
                {
                    return;
                }

                if (attempt == Tries)
                {
                    Torn++;
                    return;
                }

                parts.BackTo(before);
            }
        }

        /// <returns>A digest of keys and versions.</returns>
        private async Task<byte[]> ReadAsync(string partition, Func<TableRow, Task> use, CancellationToken cancellation)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await foreach (TableRow row in store.ReadAllAsync(table, partition, RowRange.All, cancellation))
            {
                hash.AppendData(Encoding.UTF8.GetBytes($"{row.Key}\n{row.ETag}\n"));
                await use(row);
            }

            return hash.GetHashAndReset();
        }

        private Task WriteAsync(TableRow row, CancellationToken cancellation)
        {
            if (row.Key.StartsWith(RowKeys.Outbox, StringComparison.Ordinal) && row.Partition != _outbox)
            {
                _outbox = row.Partition;
                outboxes.Add(new OutboxSweep(table, row.Partition));
            }

            return parts.AddAsync(row, cancellation);
        }
    }
}
