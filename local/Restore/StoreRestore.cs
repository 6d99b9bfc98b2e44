using Flex.Exports;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Local.Restore;

/// <param name="Outboxes">Partitions whose messages the app will publish again.</param>
public sealed record RestoreReport(ExportManifest Export, long Rows, int Outboxes);

/// <summary>
/// Writes an export into an empty store that no app runs on. A mark in the store says which export it is made from, so that a restore
/// that was cut off is gone on with by the same command, and nothing else is ever written over.
/// </summary>
public sealed class StoreRestore(ITableStore store, ITableScanner scanner, ExportContent content, TimeProvider time)
{
    /// <param name="export">A name, or <see cref="ExportContent.Latest"/>.</param>
    /// <exception cref="RestoreRefusedException">The export is not whole, or the store not empty. Nothing was written then.</exception>
    public async Task<RestoreReport> RunAsync(string export, CancellationToken cancellation)
    {
        ExportManifest manifest = await content.ManifestAsync(export, cancellation);
        await content.CheckAsync(manifest, cancellation);
        Stored<RestoreMark> mark = await MarkAsync(manifest, cancellation);
        (long rows, int outboxes) = (0, 0);
        foreach (ExportedTable table in manifest.Tables)
        {
            string? outbox = null;
            TableBatch? batch = null;
            await foreach (ExportedRow row in content.RowsAsync(table, cancellation))
            {
                rows++;
                if (batch is null || batch.Partition != row.Partition || !batch.TryInsertStored(row.Key, row.Data))
                {
                    await WriteAsync(batch, cancellation);
                    batch = new TableBatch(table.Name, row.Partition);
                    batch.TryInsertStored(row.Key, row.Data);
                }

                if (row.Key.StartsWith(RowKeys.Outbox, StringComparison.Ordinal) && outbox != row.Partition)
                {
                    outbox = row.Partition;
                    outboxes++;
                    await RestoredMessages.NoteAsync(store, new OutboxSweep(table.Name, row.Partition), cancellation);
                }
            }

            await WriteAsync(batch, cancellation);
        }

        var done = new TableBatch(RestoreMark.Table, RestoreMark.Partition).Replace(RestoreMark.Key, mark.Value with { CompletedAt = time.Now() }, mark.ETag);
        (await store.CommitAsync(done, cancellation)).Require();
        return new RestoreReport(manifest, rows, outboxes);
    }

    /// <summary>The mark of this restore, set now or by a run that was cut off.</summary>
    private async Task<Stored<RestoreMark>> MarkAsync(ExportManifest manifest, CancellationToken cancellation)
    {
        if (await FindMarkAsync(cancellation) is { Value: var earlier } found)
        {
            if (earlier.CompletedAt is not null)
            {
                throw new RestoreRefusedException($"The store was made from export {earlier.Export} already. A restore needs an empty store.");
            }

            return (earlier.Export, earlier.ExportCompletedAt) == (manifest.Id, manifest.CompletedAt)
                ? found
                : throw new RestoreRefusedException(
                    $"A restore of export {earlier.Export} was cut off here. Run it again to go on with it, or take an empty store.");
        }

        foreach (string table in (await scanner.TablesAsync(cancellation)).Intersect(ExportTables.All, StringComparer.Ordinal))
        {
            await foreach (TableRow _ in scanner.ScanAsync(table, cancellation))
            {
                throw new RestoreRefusedException($"The store is not empty: table '{table}' has rows. A restore needs an empty store.");
            }
        }

        var mark = new RestoreMark(manifest.Id, manifest.StartedAt, manifest.CompletedAt, time.Now(), null);
        (await store.CommitAsync(new TableBatch(RestoreMark.Table, RestoreMark.Partition).Insert(RestoreMark.Key, mark), cancellation)).Require();
        return (await FindMarkAsync(cancellation))!;
    }

    private async Task<Stored<RestoreMark>?> FindMarkAsync(CancellationToken cancellation) =>
        Stored<RestoreMark>.From(await store.FindAsync(RestoreMark.Table, RestoreMark.Partition, RestoreMark.Key, cancellation));

    /// <summary>Rows that a cut-off run has written are there already, and only those.</summary>
    private async Task WriteAsync(TableBatch? batch, CancellationToken cancellation)
    {
        if (batch is null)
        {
            return;
        }

        CommitResult result = await store.CommitAsync(batch, cancellation);
        if (result.Kind != CommitKind.Duplicate)
        {
            result.Require();
            return;
        }

        Dictionary<string, string> there = await store
            .ReadAllAsync(batch.Table, batch.Partition, new RowRange(batch.Operations[0].Key, null), cancellation)
            .TakeWhile(r => string.CompareOrdinal(r.Key, batch.Operations[^1].Key) <= 0)
            .ToDictionaryAsync(r => r.Key, r => r.Data, cancellationToken: cancellation);
        var missing = new TableBatch(batch.Table, batch.Partition);
        foreach (TableOperation row in batch.Operations)
        {
            if (!there.TryGetValue(row.Key, out string? data))
            {
                missing.TryInsertStored(row.Key, row.Data!);
            }
            else if (data != row.Data)
            {
                throw new RestoreRefusedException(
                    $"Table '{batch.Table}' was written to after the restore had begun. Stop the app and take an empty store.");
            }
        }

        if (missing.Operations.Count > 0)
        {
            (await store.CommitAsync(missing, cancellation)).Require();
        }
    }
}
