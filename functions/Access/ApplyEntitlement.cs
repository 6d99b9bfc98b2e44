using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Access;

/// <summary>
/// Takes in <see cref="EntitlementChanged"/>: first the statement is committed, then the doors follow. A message that says nothing
/// new changes nothing, but helps a member whose doors were left behind by a crash.
/// </summary>
public sealed class ApplyEntitlement(AccessStore store, AccessSync sync, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Access;

    public string Subject => EntitlementChanged.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        EntitlementChanged change = envelope.Read<EntitlementChanged>();
        if (await RecordAsync(change, envelope, cancellation))
        {
            await sync.SyncAsync(change.MemberId, cancellation);
        }
    }

    /// <returns>True when the doors have to follow.</returns>
    private async Task<bool> RecordAsync(EntitlementChanged change, Envelope message, CancellationToken cancellation)
    {
        for (int attempt = 0; attempt < 5; attempt++)
        {
            (MemberAccess access, string? etag) = await store.FindAsync(change.MemberId, cancellation);
            if (access.Apply(change) is not { } changed)
            {
                return access.Pending;
            }

            CommitResult result = await store.RecordAsync(changed, etag, message, time.Now(), cancellation);
            if (result.IsCommitted || result.WasReceived())
            {
                return result.IsCommitted ? changed.Pending : access.Pending;
            }
        }

        throw new TransientFaultException("The member's access changed again and again.");
    }
}
