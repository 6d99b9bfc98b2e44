using System.Globalization;
using System.Runtime.CompilerServices;
using Flex.Platform.Tables;

namespace Flex.Local.Runtime.Queueing;

/// <summary>Rows of the local queues: partition is the queue, <c>m|{sequence}</c> a message, <c>d|{sequence}</c> a dead letter.</summary>
internal sealed class QueueStore(ITableStore tables, ITableScanner scanner)
{
    public const string Table = "LocalQueues";

    public async IAsyncEnumerable<QueuedMessage> ScanAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (TableRow row in scanner.ScanAsync(Table, cancellation))
        {
            yield return row.As<QueuedMessage>();
        }
    }

    public Task InsertAsync(QueuedMessage message, CancellationToken cancellation) =>
        CommitAsync(Batch(message).Insert(Key(message), message), cancellation);

    /// <summary>The message with one delivery more; null when it is gone.</summary>
    public async Task<QueuedMessage?> CountDeliveryAsync(QueuedMessage message, CancellationToken cancellation)
    {
        TableRow? row = await FindAsync(message, cancellation);
        if (row is null)
        {
            return null;
        }

        QueuedMessage stored = row.As<QueuedMessage>();
        stored = stored with { DeliveryCount = stored.DeliveryCount + 1 };
        await CommitAsync(Batch(message).Replace(row.Key, stored, row.ETag), cancellation);
        return stored;
    }

    public async Task DeleteAsync(QueuedMessage message, CancellationToken cancellation)
    {
        if (await FindAsync(message, cancellation) is { } row)
        {
            await CommitAsync(Batch(message).Delete(row.Key, row.ETag), cancellation);
        }
    }

    public async Task DeadLetterAsync(QueuedMessage message, QueuedMessage dead, CancellationToken cancellation)
    {
        if (await FindAsync(message, cancellation) is { } row)
        {
            await CommitAsync(Batch(message).Delete(row.Key, row.ETag).Insert(Key(dead), dead), cancellation);
        }
    }

    public async Task ReplayAsync(QueuedMessage dead, QueuedMessage again, CancellationToken cancellation)
    {
        if (await FindAsync(dead, cancellation) is { } row)
        {
            await CommitAsync(Batch(dead).Delete(row.Key, row.ETag).Insert(Key(again), again), cancellation);
        }
    }

    /// <summary>A read of a message that does not exist: shows that the broker's store answers.</summary>
    public async Task PingAsync(CancellationToken cancellation)
    {
        using StorageCallScope uncounted = StorageCalls.Silence();
        await tables.FindAsync(Table, "ping", "ping", cancellation);
    }

    private static TableBatch Batch(QueuedMessage message) => new(Table, message.Queue);

    private static string Key(QueuedMessage message) =>
        (message.DeadLetteredAt is null ? "m|" : "d|") + message.Sequence.ToString("D12", CultureInfo.InvariantCulture);

    private async Task<TableRow?> FindAsync(QueuedMessage message, CancellationToken cancellation)
    {
        using StorageCallScope uncounted = StorageCalls.Silence();
        return await tables.FindAsync(Table, message.Queue, Key(message), cancellation);
    }

    /// <summary>The broker's own calls are none of the business action that publishes or consumes.</summary>
    private async Task CommitAsync(TableBatch batch, CancellationToken cancellation)
    {
        using StorageCallScope uncounted = StorageCalls.Silence();
        (await tables.CommitAsync(batch, cancellation)).Require();
    }
}
