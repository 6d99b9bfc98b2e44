using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;

namespace Flex.Access;

/// <summary>The second look some time after a failed one. Needs no inbox row: looking twice does nothing more.</summary>
public sealed class ReconcileMemberAccess(AccessSync sync) : IMessageHandler
{
    public string Queue => Queues.Access;

    public string Subject => ReconcileAccess.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        sync.SyncAsync(envelope.Read<ReconcileAccess>().MemberId, cancellation);
}

/// <summary>The periodic reconcile: everyone on the list of members whose doors are not in line, longest waiting first.</summary>
public sealed class ReconcilePendingAccess(AccessStore store, AccessSync sync, IAccessSettings settings, ILogger<ReconcilePendingAccess> log)
{
    /// <summary>At four calls a second and five calls a member this many take some four minutes, well within a function's ten.</summary>
    public const int MaxPerRun = 200;

    public async Task RunAsync(CancellationToken cancellation)
    {
        if ((await settings.GetAsync(cancellation)).SiteId is null)
        {
            return;
        }

        List<(PendingAccess Entry, string ETag)> pending = [];
        await foreach ((PendingAccess Entry, string ETag) listed in store.PendingAsync(cancellation))
        {
            pending.Add(listed);
        }

        int open = 0;
        foreach ((PendingAccess entry, string etag) in pending
            .OrderBy(p => p.Entry.Since)
            .ThenBy(p => p.Entry.MemberId.Value, StringComparer.Ordinal)
            .Take(MaxPerRun))
        {
            if (await IsInLineAsync(entry.MemberId, etag, cancellation))
            {
                continue;
            }

            open++;
        }

        if (pending.Count > 0)
        {
            open += Math.Max(0, pending.Count - MaxPerRun);
            log.LogInformation("Door access: {Pending} members were pending, {Open} still are.", pending.Count, open);
        }
    }

    /// <summary>One member who keeps changing, or whom storage fails, does not keep the others waiting: the next run looks again.</summary>
    private async Task<bool> IsInLineAsync(MemberId member, string etag, CancellationToken cancellation)
    {
        try
        {
            if (!await sync.SyncAsync(member, cancellation))
            {
                return false;
            }

            await store.UnlistAsync(member, etag, cancellation);
            return true;
        }
        catch (TransientFaultException fault)
        {
            log.LogWarning(fault, "Door access of {MemberId} could not be looked at.", member);
            return false;
        }
    }
}
