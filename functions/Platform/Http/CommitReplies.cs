using Flex.Platform.Tables;

namespace Flex.Platform.Http;

/// <summary>From the outcome of a commit to the reply, for handlers whose whole effect is one commit.</summary>
public static class CommitReplies
{
    /// <summary>
    /// Committed: the answer. Stale: 412, since the caller's version was the one read. The Idempotency-Key's row was there: the
    /// reply it holds. Anything else is a defect.
    /// </summary>
    public static async Task<Reply<T>> ReplyAsync<T>(
        this ITableStore tables, TableBatch batch, CommitResult result, RequestContext context, T answer, CancellationToken cancellation)
    {
        if (result.Kind == CommitKind.Stale)
        {
            return Error.Stale();
        }

        if (result.IsDuplicateOf(RowKeys.Idempotency)
            && await tables.FindReplayAsync<T>(batch.Table, batch.Partition, context, cancellation) is { } replay)
        {
            return replay;
        }

        result.Require();
        return Reply<T>.From(answer);
    }
}
