using Flex.Platform.Http;

namespace Flex.RecurringBookings;

/// <summary>Reads of series. Another member's series answers as one that does not exist.</summary>
public sealed class SeriesReader(SeriesStore store, SeriesSummaries summaries, TimeProvider time)
{
    public async Task<Reply<SeriesView>> GetAsync(SeriesId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadAsync(id, cancellation) is { } found && context.Caller.Reaches(found.Value.MemberId)
            ? SeriesView.Of(found.Value, time.Now())
            : Error.NotFound("The recurring booking");

    /// <summary>One read for each occurrence.</summary>
    public async Task<Reply<SeriesSummary>> SummariseAsync(SeriesId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadAsync(id, cancellation) is { } found && context.Caller.Reaches(found.Value.MemberId)
            ? await summaries.ReadAsync(found.Value, cancellation)
            : Error.NotFound("The recurring booking");

    public async Task<Reply<OperationView>> GetOperationAsync(OperationId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadAsync(id, cancellation) is { } found
            && context.Caller.Reaches((await store.RequireAsync(found.Value.SeriesId, cancellation)).Value.MemberId)
            ? OperationView.Of(found.Value)
            : Error.NotFound("The operation");
}
