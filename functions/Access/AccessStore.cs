using System.Runtime.CompilerServices;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Access;

/// <summary>
/// Table <c>access</c>: partition = member id with the row <c>A</c> and the inbox; partition <c>pending</c> lists the members the
/// periodic reconcile has to look at, so it never searches.
/// A member is put on the list before his row is saved, and only the reconcile takes him off it, after it has seen his row in
/// line: a crash between the two leaves a needless entry, never a forgotten member.
/// </summary>
public sealed class AccessStore(ITableStore tables, Committer committer, IIdSource ids)
{
    public const string Table = "access";
    private const string Row = "A";
    private const string PendingPartition = "pending";

    public async Task<(MemberAccess Access, string? ETag)> FindAsync(MemberId memberId, CancellationToken cancellation)
    {
        TableRow? row = await tables.FindAsync(Table, memberId.Value, Row, cancellation);
        return row is null ? (MemberAccess.None(memberId), null) : (row.As<MemberAccess>(), row.ETag);
    }

    /// <summary>What a message has changed, and that it has.</summary>
    public Task<CommitResult> RecordAsync(MemberAccess access, string? etag, Envelope message, Instant at, CancellationToken cancellation) =>
        tables.CommitAsync(new TableBatch(Table, access.MemberId.Value).Put(Row, access, etag).Receive(message, at), cancellation);

    public Task<CommitResult> SaveAsync(MemberAccess access, string? etag, CancellationToken cancellation) =>
        tables.CommitAsync(new TableBatch(Table, access.MemberId.Value).Put(Row, access, etag), cancellation);

    /// <summary>Puts the member on the list, or renews his entry, and asks for another look after the delay, if there is one.</summary>
    public async Task ListAsync(PendingAccess entry, Duration? lookAgainAfter, CancellationToken cancellation)
    {
        TableRow? listed = await tables.FindAsync(Table, PendingPartition, entry.MemberId.Value, cancellation);
        TableBatch batch = new TableBatch(Table, PendingPartition).Put(entry.MemberId.Value, entry, listed?.ETag);
        if (lookAgainAfter is { } delay)
        {
            batch.Send(OutboxMessage.Create(
                "msg_" + ids.Next(), Queues.Access, ReconcileAccess.Subject, new ReconcileAccess(entry.MemberId), delay));
        }

        CommitResult result = await committer.CommitAsync(batch, cancellation);
        if (!result.IsCommitted)
        {
            throw new TransientFaultException("The member's entry on the access list changed while it was written.");
        }
    }

    /// <summary>Takes the member off the list unless his entry is newer than the one read: then somebody has put him on it again.</summary>
    public Task UnlistAsync(MemberId memberId, string listed, CancellationToken cancellation) =>
        tables.CommitAsync(new TableBatch(Table, PendingPartition).Delete(memberId.Value, listed), cancellation);

    public async IAsyncEnumerable<(PendingAccess Entry, string ETag)> PendingAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        // Member ids begin with their prefix; the outbox rows of this partition do not.
        await foreach (TableRow row in tables.ReadAllAsync(Table, PendingPartition, RowRange.Prefix(MemberId.Prefix + "_"), cancellation))
        {
            yield return (row.As<PendingAccess>(), row.ETag);
        }
    }
}

/// <summary>An entry of the list of members whose doors are not in line.</summary>
/// <param name="Since">When the last attempt was made; the reconcile takes the oldest first.</param>
public sealed record PendingAccess(MemberId MemberId, Instant Since);
