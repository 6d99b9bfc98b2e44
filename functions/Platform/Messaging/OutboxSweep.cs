using Flex.Platform.Tables;
using Flex.Platform.Telemetry;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Platform.Messaging;

/// <summary>Command: publish and delete what is left in one partition's outbox.</summary>
/// <param name="CommittedAt">When the commit began whose messages it is there for; null in one that an older build has queued.</param>
public sealed record OutboxSweep(string Table, string Partition, Instant? CommittedAt = null)
{
    public const string Subject = "outbox.sweep.v1";
}

/// <summary>
/// Publishes the messages in a partition's outbox and deletes their rows. Nearly all of them have been published by their
/// committer already; the broker's duplicate detection drops these repeats, and consumers' inboxes what it lets through.
/// </summary>
public sealed class OutboxSweepHandler(ITableStore tables, IMessagePublisher publisher, TimeProvider time, ILogger<OutboxSweepHandler> log) : IMessageHandler
{
    public string Queue => Queues.Outbox;

    public string Subject => OutboxSweep.Subject;

    /// <exception cref="DefectException">
    /// A message cannot be published. All others have been; the sweep is dead-lettered in the end and can be replayed.
    /// </exception>
    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        var sweep = envelope.Read<OutboxSweep>();
        var published = new HashSet<string>(StringComparer.Ordinal);
        var unpublishable = new Dictionary<string, Exception>(StringComparer.Ordinal);
        RowRange range = RowRange.Prefix(RowKeys.Outbox);
        bool isFirst = true;
        while (true)
        {
            IReadOnlyList<TableRow> rows = await tables.ReadAsync(sweep.Table, sweep.Partition, range, TableLimits.MaxOperations, cancellation);
            if (isFirst && rows.Count > 0 && sweep.CommittedAt is { } committedAt)
            {
                // Before anything is published: a sweep that fails again and again shows how old they get.
                FlexTelemetry.OutboxAge.Record((time.Now() - committedAt).TotalSeconds, new KeyValuePair<string, object?>("table", sweep.Table));
            }

            isFirst = false;
            var batch = new TableBatch(sweep.Table, sweep.Partition);
            foreach (TableRow row in rows)
            {
                if (published.Contains(row.Key) || await TryPublishAsync(row, unpublishable, cancellation))
                {
                    published.Add(row.Key);
                    batch.Delete(row.Key, row.ETag);
                }
            }

            // A competing sweep of the partition may have deleted some: what is still there is read and deleted again.
            if (batch.Operations.Count > 0 && !await DeletedAsync(batch, cancellation))
            {
                continue;
            }

            if (rows.Count < TableLimits.MaxOperations)
            {
                break;
            }

            range = range.After(rows[^1].Key);
        }

        if (unpublishable.Count > 0)
        {
            throw new DefectException($"Unpublishable outbox rows in {sweep.Table}: {string.Join(", ", unpublishable.Keys)}.", unpublishable.Values.First());
        }
    }

    /// <summary>One message that can never be published must not keep back the others.</summary>
    private async Task<bool> TryPublishAsync(TableRow row, Dictionary<string, Exception> unpublishable, CancellationToken cancellation)
    {
        try
        {
            OutboxMessage message = row.As<OutboxMessage>();
            await publisher.PublishAsync(message.Queue, message.ToEnvelope(), message.Delay, cancellation);
            return true;
        }
        catch (Exception failure) when (failure is not (TransientFaultException or OperationCanceledException))
        {
            log.LogWarning(failure, "Outbox row {Key} cannot be published.", row.Key);
            unpublishable[row.Key] = failure;
            return false;
        }
    }

    private async Task<bool> DeletedAsync(TableBatch batch, CancellationToken cancellation)
    {
        CommitResult result = await tables.CommitAsync(batch, cancellation);
        if (result.Kind == CommitKind.Stale)
        {
            return false;
        }

        result.Require();
        return true;
    }
}
