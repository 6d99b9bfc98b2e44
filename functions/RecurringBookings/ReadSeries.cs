using Flex.Bookings;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;

namespace Flex.RecurringBookings;

/// <param name="MemberId">Members list their own and may leave it out.</param>
public sealed record SeriesFilter(MemberId? MemberId = null);

public sealed record OccurrenceFilter;

/// <summary>One day that the rule of a series gives.</summary>
/// <param name="SkipReason">Null unless the day is left out.</param>
/// <param name="AccountingDate">The local day on which it is, or was, accounted; null without a booking.</param>
/// <param name="Booking">As it stands, wherever it was moved; null without one.</param>
public sealed record OccurrenceView(LocalDate Date, ExclusionReason? SkipReason, LocalDate? AccountingDate, BookingView? Booking);

/// <summary>Reads of series. Another member's series answers as one that does not exist.</summary>
public sealed class SeriesReader(
    SeriesStore store, SeriesSummaries summaries, SeriesRunner runner, MemberStore members, TimeProvider time)
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

    /// <summary>In the order of creation.</summary>
    public async Task<Reply<PageOf<SeriesView>>> ListAsync(
        SeriesFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        if ((filter.MemberId ?? context.Caller.MemberId) is not { } member)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/memberId", "Name a member.");
        }

        if (context.Caller.Refuses(member, "The member") is { } hidden)
        {
            return hidden;
        }

        if (await members.FindAsync(member, cancellation) is null)
        {
            return Error.NotFound("The member");
        }

        IReadOnlyList<SeriesId> ids = await store.PageByMemberAsync(member, paging.After, paging.Take, cancellation);
        Stored<Series>[] read = await Task.WhenAll(ids.Select(id => store.RequireAsync(id, cancellation)));
        Instant now = time.Now();
        return paging.Page<SeriesView>([.. read.Select(s => SeriesView.Of(s.Value, now))], s => s.Id.Value);
    }

    /// <summary>The days of the rule that belong to the series, each with its booking. One read for each of the page.</summary>
    public async Task<Reply<PageOf<OccurrenceView>>> ListOccurrencesAsync(
        SeriesId id, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        if (await store.ReadAsync(id, cancellation) is not { Value: { } series } || !context.Caller.Reaches(series.MemberId))
        {
            return Error.NotFound("The recurring booking");
        }

        Dictionary<LocalDate, Exclusion> excluded = series.Exclusions.ToDictionary(e => e.Date);
        LocalDate[] page =
        [
            .. series.Dates().Concat(excluded.Keys).Distinct().Order()
                .Where(d => paging.After is null || string.CompareOrdinal(PositionOf(d), paging.After) > 0)
                .Take(paging.Take),
        ];
        Dictionary<BookingId, Booking> booked = (await runner.ReadAsync(page.Select(series.BookingIdOf), cancellation)).ToDictionary(b => b.Value.Id, b => b.Value);
        Instant now = time.Now();
        return paging.Page<OccurrenceView>(
            [
                .. page.Select(d => booked.GetValueOrDefault(series.BookingIdOf(d)) is { } booking
                    ? new OccurrenceView(d, excluded.GetValueOrDefault(d)?.Reason, booking.Series!.AccountOn, BookingView.Of(booking, now))
                    : new OccurrenceView(d, excluded.GetValueOrDefault(d)?.Reason, null, null)),
            ],
            o => PositionOf(o.Date));
    }

    private static string PositionOf(LocalDate date) => LocalDatePattern.Iso.Format(date);
}
