using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Platform.Http;

/// <summary>
/// The answer to a request with an Idempotency-Key, kept in the partition the request changed and committed with the change.
/// A null <paramref name="Status"/> is a request that is still being worked on.
/// </summary>
public sealed record IdempotencyRow(string BodyHash, int? Status, string? ResponseJson, string? Location, string? ETag, Instant CreatedAt);

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

    /// <summary>Adds the row of a request that takes several commits: repeats are refused with 409 until <see cref="Finish{T}"/>.</summary>
    public static TableBatch Reserve(this TableBatch batch, RequestContext context, Instant now) =>
        context.Idempotency is { } key ? batch.Insert(key.RowKey, new IdempotencyRow(key.BodyHash, null, null, null, null, now)) : batch;

    /// <summary>Puts the answer into a reserved row, whose ETag the caller has read.</summary>
    public static TableBatch Finish<T>(this TableBatch batch, RequestContext context, string rowETag, T value, Instant now) =>
        context.Idempotency is { } key ? batch.Replace(key.RowKey, Row(key, context, value, now), rowETag) : batch;

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

    /// <summary>
    /// Same body: the stored answer, or 409 <c>idempotency_in_progress</c> while there is none. Other body: 422
    /// <c>idempotency_key_reuse</c>.
    /// </summary>
    public static Reply<T> Judge<T>(IdempotencyRow row, RequestKey key)
    {
        if (row.BodyHash != key.BodyHash)
        {
            return new Error(ErrorKind.Invalid, ErrorCodes.IdempotencyKeyReuse, "This Idempotency-Key was used with another body.");
        }

        return row.Status is null
            ? Error.Refused(ErrorCodes.IdempotencyInProgress, "The first request with this Idempotency-Key has not finished. Repeat later.")
            : Reply<T>.Replay(row);
    }

    private static IdempotencyRow Row<T>(RequestKey key, RequestContext context, T value, Instant now)
    {
        StoredAnswer answer = context.Responder.Render(value);
        return new IdempotencyRow(key.BodyHash, answer.Status, answer.Json, answer.Location, answer.ETag, now);
    }
}
