using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Members;

/// <summary>
/// Members: table <c>members</c>, one partition <c>members</c>. Keys: the member's id; <c>C|{customerId}|{memberId}</c> who belongs
/// to a customer; <c>K|</c> idempotency, <c>O|</c> outbox. Always read from storage: standing decides what may be booked.
/// </summary>
public sealed class MemberStore(ITableStore tables, Committer committer, TimeProvider time)
{
    public const string Table = "members";
    public const string Partition = "members";

    /// <summary>One point read.</summary>
    public async Task<Member?> FindAsync(MemberId id, CancellationToken cancellation) => (await ReadAsync(id, cancellation))?.Value;

    /// <summary>As <see cref="FindAsync"/>, with the version a change must name.</summary>
    public async Task<Stored<Member>?> ReadAsync(MemberId id, CancellationToken cancellation) =>
        Stored<Member>.From(await tables.FindAsync(Table, Partition, id.Value, cancellation));

    public async Task<IReadOnlyList<Member>> PageAsync(string? after, int limit, CancellationToken cancellation)
    {
        RowRange range = RowRange.Prefix(MemberId.Prefix + "_");
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(Table, Partition, after is null ? range : range.After(after), limit, cancellation);
        return [.. rows.Select(r => r.As<Member>())];
    }

    /// <summary>Members of a customer in the order of their ids. One range read and, side by side, one point read each.</summary>
    public async Task<IReadOnlyList<Member>> PageOfCustomerAsync(CustomerId customer, string? after, int limit, CancellationToken cancellation)
    {
        string prefix = $"C|{customer}|";
        RowRange range = RowRange.Prefix(prefix);
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, Partition, after is null ? range : range.After(prefix + after), limit, cancellation);
        Member?[] members = await Task.WhenAll(rows.Select(r => FindAsync(r.As<CustomerMember>().MemberId, cancellation)));
        return [.. members.OfType<Member>()];
    }

    public static TableBatch Insert(Member member) => new TableBatch(Table, Partition)
        .Insert(member.Id.Value, member)
        .Insert($"C|{member.CustomerId}|{member.Id}", new CustomerMember(member.Id));

    public static TableBatch Replace(Member member, string etag) => new TableBatch(Table, Partition).Replace(member.Id.Value, member, etag);

    public Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation) => committer.CommitAsync(batch, cancellation);

    /// <summary>Commits the batch together with the answer to the request.</summary>
    public async Task<Reply<T>> CommitAsync<T>(TableBatch batch, RequestContext context, T answer, CancellationToken cancellation)
    {
        CommitResult result = await committer.CommitAsync(batch.Remember(context, answer, time.Now()), cancellation);
        return await tables.ReplyAsync(batch, result, context, answer, cancellation);
    }

    /// <summary>The answer of the first request with this Idempotency-Key, or else the refusal.</summary>
    public Task<Reply<T>> ReplayOrAsync<T>(RequestContext context, Error refusal, CancellationToken cancellation) =>
        tables.ReplayOrAsync<T>(Table, Partition, context, refusal, cancellation);

    private sealed record CustomerMember(MemberId MemberId);
}
