using Flex.Platform.Tables;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Platform.Messaging;

/// <summary>
/// Commits a batch and lets its messages follow. Order of events when the batch has messages: (1) a sweep of the partition is
/// queued with a delay, (2) the batch commits, (3) the messages are published, (4) the sweep, when it arrives, publishes
/// again what is older than its delay and deletes the rows. A crash after (1) costs an empty sweep, after (2) a late
/// message, after (3) a duplicate; none loses one. Nothing ever has to search for forgotten rows.
/// </summary>
public sealed class Committer(ITableStore tables, IMessagePublisher publisher, IIdSource ids, ILogger<Committer> log)
{
    /// <summary>How long the sweep waits: longer than a commit and a publish take, short enough that a lost publish is repaired soon.</summary>
    public static readonly Duration SweepDelay = Duration.FromSeconds(30);

    public async Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation)
    {
        if (batch.Messages.Count == 0)
        {
            return await tables.CommitAsync(batch, cancellation);
        }

        await publisher.PublishAsync(
            Queues.Outbox,
            new Envelope("swp_" + ids.Next(), OutboxSweep.Subject, StorageJson.Write(new OutboxSweep(batch.Table, batch.Partition)), CorrelationScope.Current),
            SweepDelay,
            cancellation);
        CommitResult result = await tables.CommitAsync(batch, cancellation);
        if (result.IsCommitted)
        {
            await PublishAsync(batch.Messages);
        }

        return result;
    }

    /// <summary>The commit stands whatever happens here, so neither a broken broker nor a caller that has gone may turn it into a failure.</summary>
    private async Task PublishAsync(IReadOnlyList<OutboxMessage> messages)
    {
        try
        {
            foreach (OutboxMessage message in messages)
            {
                await publisher.PublishAsync(message.Queue, message.ToEnvelope(), message.Delay, CancellationToken.None);
            }
        }
        catch (TransientFaultException fault)
        {
            log.LogWarning(fault, "Messages were committed but not published; the queued sweep will publish them.");
        }
    }
}

/// <summary>Command: publish and delete what is left in one partition's outbox.</summary>
public sealed record OutboxSweep(string Table, string Partition)
{
    public const string Subject = "outbox.sweep.v1";
}
