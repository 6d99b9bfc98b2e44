using System.Security.Cryptography;
using System.Text;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Exports;

/// <summary>
/// What a restore leaves for the app to do. Messages that were under way in the broker are not in an export, but their outbox rows
/// are; a sweep of each such partition publishes them again. Whoever restores has no access to the broker, so the sweeps wait in the
/// store until the app that runs on it queues them.
/// </summary>
public sealed class RestoredMessages(ITableStore tables, IMessagePublisher publisher, IIdSource ids)
{
    public const string Partition = "sweeps";

    /// <summary>Notes a partition, once however often.</summary>
    public static async Task NoteAsync(ITableStore tables, OutboxSweep sweep, CancellationToken cancellation)
    {
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{sweep.Table}\n{sweep.Partition}")));
        CommitResult result = await tables.CommitAsync(new TableBatch(RestoreMark.Table, Partition).Insert(key, sweep), cancellation);
        if (result.Kind != CommitKind.Duplicate)
        {
            result.Require();
        }
    }

    /// <summary>Queues what was noted, then forgets it; a crash in between queues it twice. One call when there is nothing.</summary>
    public async Task QueueAsync(CancellationToken cancellation)
    {
        while (await tables.ReadAsync(RestoreMark.Table, Partition, RowRange.All, TableLimits.MaxOperations, cancellation) is { Count: > 0 } rows)
        {
            var done = new TableBatch(RestoreMark.Table, Partition);
            foreach (TableRow row in rows)
            {
                await row.As<OutboxSweep>().QueueAsync(publisher, ids, cancellation);
                done.Delete(row.Key, row.ETag);
            }

            (await tables.CommitAsync(done, cancellation)).Require();
        }
    }
}
