using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Members;

/// <summary>
/// Customers: table <c>members</c>, one partition <c>customers</c>, row key is the id; <c>K|</c> idempotency, <c>O|</c> outbox.
/// Always read from storage: who is billed and with what must be current.
/// </summary>
public sealed class CustomerStore(ITableStore tables, Committer committer, TimeProvider time)
{
    public const string Table = "members";
    public const string Partition = "customers";

    /// <summary>One point read.</summary>
    public async Task<Customer?> FindAsync(CustomerId id, CancellationToken cancellation) => (await ReadAsync(id, cancellation))?.Value;

    /// <summary>As <see cref="FindAsync"/>, with the version a change must name.</summary>
    public async Task<Stored<Customer>?> ReadAsync(CustomerId id, CancellationToken cancellation) =>
        Stored<Customer>.From(await tables.FindAsync(Table, Partition, id.Value, cancellation));

    public async Task<IReadOnlyList<Customer>> PageAsync(string? after, int limit, CancellationToken cancellation)
    {
        RowRange range = RowRange.Prefix(CustomerId.Prefix + "_");
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(Table, Partition, after is null ? range : range.After(after), limit, cancellation);
        return [.. rows.Select(r => r.As<Customer>())];
    }

    public static TableBatch Insert(Customer customer) => new TableBatch(Table, Partition).Insert(customer.Id.Value, customer);

    /// <summary>The caller raises <see cref="Customer.Version"/> by one and may add messages with <see cref="TableBatch.Send"/>.</summary>
    public static TableBatch Replace(Customer customer, string etag) => new TableBatch(Table, Partition).Replace(customer.Id.Value, customer, etag);

    /// <summary>Commits a change and sends its messages. Stale means: read the customer again and decide again.</summary>
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
}
