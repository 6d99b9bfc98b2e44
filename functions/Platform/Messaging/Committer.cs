using Flex.Platform.Tables;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Platform.Messaging;

/// <summary>
/// Commits a batch and lets its messages follow. Order of events when the batch has messages: (1) a sweep of the partition is
/// queued with a delay, (2) the batch commits, (3) the messages are published, (4) the sweep, when it arrives, publishes
/// again what is there and deletes the rows. A crash after (1) costs an empty sweep, after (2) a late
/// message, after (3) a duplicate; none loses one. Nothing ever has to search for forgotten rows.
/// </summary>
public sealed class Committer(ITableStore tables, IMessagePublisher publisher, IIdSource ids, TimeProvider time, ILogger<Committer> log)
{
    /// <summary>
    /// How long the sweep waits. Must be longer than any commit can take, or a sweep could run before the commit whose
    /// messages it is there for: <see cref="AzureTableStore.CommitDeadline"/> (20 s) plus the 30 s after which the service
    /// itself gives up a request. Short enough that a lost publish is repaired soon.
    /// Source: learn.microsoft.com/rest/api/storageservices/setting-timeouts-for-table-service-operations
    /// </summary>
    public static readonly Duration SweepDelay = Duration.FromSeconds(60);

    public async Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation)
    {
        if (batch.Messages.Count == 0)
        {
            return await tables.CommitAsync(batch, cancellation);
        }

        var sweep = new OutboxSweep(batch.Table, batch.Partition, time.Now());
        await publisher.PublishAsync(
            Queues.Outbox,
            new Envelope("swp_" + ids.Next(), OutboxSweep.Subject, StorageJson.Write(sweep), CorrelationScope.Current),
            SweepDelay,
            cancellation);
        CommitResult result = await tables.CommitAsync(batch, cancellation);
        if (result.IsCommitted)
        {
            await PublishAsync(batch.Messages);
        }

        return result;
    }

    /// <summary>
    /// The commit stands whatever happens here, so neither a broken broker, nor a message it does not take, nor a caller
    /// that has gone may turn it into a failure: the sweep repeats all of it, and reports what can never be published.
    /// </summary>
    private async Task PublishAsync(IReadOnlyList<OutboxMessage> messages)
    {
        foreach (OutboxMessage message in messages)
        {
            try
            {
                await publisher.PublishAsync(message.Queue, message.ToEnvelope(), message.Delay, CancellationToken.None);
            }
            catch (TransientFaultException fault)
            {
                // The broker is out of reach: waiting for its timeout once per message would only keep the caller.
                log.LogWarning(fault, "Messages were committed but not published; the queued sweep will publish them.");
                return;
            }
            catch (Exception fault)
            {
                log.LogError(fault, "Message {MessageId} was committed but cannot be published; the queued sweep will try again.", message.Id);
            }
        }
    }
}
