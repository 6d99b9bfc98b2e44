using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Platform.Http;

/// <summary>
/// The answer to a request with an Idempotency-Key, kept in the partition the request changed and committed with the change.
/// </summary>
public sealed record IdempotencyRow(string BodyHash, int Status, string? ResponseJson, string? Location, string? ETag, Instant CreatedAt);

/// <summary>
/// Idempotency keys for handlers. The pattern is: decide, commit the change with <see cref="Remember{T}"/>, and when the decision
/// refuses or the commit is a duplicate of <c>K|</c>, ask <see cref="ReplayOrAsync{T}"/>. A first request so costs no extra read,
/// and a repeated one is answered as the first was although the state now refuses it.
/// </summary>
public static class Idempotency
{
    /// <summary>Adds the row with the answer to <paramref name="value"/>; nothing when the caller sent no key.</summary>
    public static TableBatch Remember<T>(this TableBatch batch, RequestContext context, T value, Instant now) =>
        context.Idempotency is { } key ? batch.Insert(key.RowKey, Row(key, context, value, now)) : batch;

    /// <summary>The reply to a request that was seen before in this partition; null when it was not, or carries no key. One point read.</summary>
    public static async Task<Reply<T>?> FindReplayAsync<T>(
        this ITableStore tables, string table, string partition, RequestContext context, CancellationToken cancellation) =>
        context.Idempotency is { } key && await tables.FindAsync(table, partition, key.RowKey, cancellation) is { } row
            ? Judge<T>(row.As<IdempotencyRow>(), key)
            : null;

    /// <summary>The reply to a repeated request, or else the refusal the state gives now.</summary>
    public static async Task<Reply<T>> ReplayOrAsync<T>(
        this ITableStore tables, string table, string partition, RequestContext context, Error refusal, CancellationToken cancellation) =>
        await tables.FindReplayAsync<T>(table, partition, context, cancellation) ?? refusal;

    /// <summary>Same body: the stored answer. Other body: 422 <c>idempotency_key_reuse</c>.</summary>
    public static Reply<T> Judge<T>(IdempotencyRow row, RequestKey key) => row.BodyHash == key.BodyHash
        ? Reply<T>.Replay(row)
        : new Error(ErrorKind.Invalid, ErrorCodes.IdempotencyKeyReuse, "This Idempotency-Key was used with another body.");

    private static IdempotencyRow Row<T>(RequestKey key, RequestContext context, T value, Instant now)
    {
        StoredAnswer answer = context.Responder.Render(value);
        return new IdempotencyRow(key.BodyHash, answer.Status, answer.Json, answer.Location, answer.ETag, now);
    }
}
