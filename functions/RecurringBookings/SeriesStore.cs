using Flex.Bookings;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;

namespace Flex.RecurringBookings;

/// <summary>
/// Series and the work on them, beside the bookings they make: table <c>bookings</c>, partition of the location, keys
/// <c>S|{seriesId}</c> and <c>P|{operationId}</c>. Partition of a member: <c>R|{seriesId}</c>, written by message a moment after the
/// series. Partition <c>series-due</c>: <c>N|{yyyyMMdd}|{seriesId}</c>, the local day on which occurrences enter the horizon; an entry may
/// be there without anything due.
/// </summary>
public sealed class SeriesStore(ITableStore tables, Committer committer)
{
    private const string SeriesPrefix = "S|";
    private const string OperationPrefix = "P|";
    private const string OfMember = "R|";
    private const string DuePartition = "series-due";
    private const string DuePrefix = "N|";
    private static readonly LocalDatePattern Day = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");

    /// <summary>One point read.</summary>
    public async Task<Stored<Series>?> ReadAsync(SeriesId id, CancellationToken cancellation) =>
        Stored<Series>.From(await tables.FindAsync(BookingStore.Table, EntityId.Home(id), KeyOf(id), cancellation));

    /// <summary>A series that something stored refers to.</summary>
    public async Task<Stored<Series>> RequireAsync(SeriesId id, CancellationToken cancellation) =>
        await ReadAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");

    /// <summary>One point read.</summary>
    public async Task<Stored<SeriesOperation>?> ReadAsync(OperationId id, CancellationToken cancellation) =>
        Stored<SeriesOperation>.From(await tables.FindAsync(BookingStore.Table, EntityId.Home(id), KeyOf(id), cancellation));

    public static TableBatch Put(TableBatch batch, Series series, string? etag) => batch.Put(KeyOf(series.Id), series, etag);

    public static TableBatch Put(TableBatch batch, SeriesOperation operation, string? etag) => batch.Put(KeyOf(operation.Id), operation, etag);

    internal static string KeyOf(SeriesId id) => SeriesPrefix + id;

    internal static string KeyOf(OperationId id) => OperationPrefix + id;

    public Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation) => committer.CommitAsync(batch, cancellation);

    /// <summary>True when the operation has begun before: the request has been here.</summary>
    public static bool IsRepeat(CommitResult result) => result.IsDuplicateOf(OperationPrefix) || result.IsDuplicateOf(SeriesPrefix);

    public Task<Reply<T>?> FindReplayAsync<T>(string home, RequestContext context, CancellationToken cancellation) =>
        tables.FindReplayAsync<T>(BookingStore.Table, home, context, cancellation);

    /// <summary>
    /// Has the series looked at on a local day. Written before the series is: an entry without a series, or with nothing due, does no harm,
    /// but a day without an entry would never be accounted. Repeats change nothing.
    /// </summary>
    public async Task IndexDueAsync(SeriesId series, LocalDate on, CancellationToken cancellation)
    {
        TableBatch batch = new TableBatch(BookingStore.Table, DuePartition).Insert(DueKey(on, series), new DueSeries(series, on));
        CommitResult result = await tables.CommitAsync(batch, cancellation);
        if (!result.IsDuplicateOf(DuePrefix))
        {
            result.Require();
        }
    }

    /// <summary>Entries up to a local day, the oldest day first. One storage call per 1,000.</summary>
    public async IAsyncEnumerable<DueSeries> ListDueAsync(
        LocalDate upTo, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var range = new RowRange(DuePrefix, DuePrefix + Day.Format(upTo.PlusDays(1)));
        await foreach (TableRow row in tables.ReadAllAsync(BookingStore.Table, DuePartition, range, cancellation))
        {
            yield return row.As<DueSeries>();
        }
    }

    /// <summary>Removes an entry that has been seen to. Two storage calls.</summary>
    public async Task RemoveDueAsync(DueSeries entry, CancellationToken cancellation)
    {
        string key = DueKey(entry.On, entry.SeriesId);
        if (await tables.FindAsync(BookingStore.Table, DuePartition, key, cancellation) is { } row)
        {
            await tables.CommitAsync(new TableBatch(BookingStore.Table, DuePartition).Delete(key, row.ETag), cancellation);
        }
    }

    /// <summary>Makes the series findable by its member. Repeats change nothing.</summary>
    public async Task IndexAsync(MemberId member, SeriesId series, CancellationToken cancellation)
    {
        CommitResult result = await tables.CommitAsync(
            new TableBatch(BookingStore.Table, member.Value).Insert(OfMember + series, new MemberSeries(series)), cancellation);
        if (!result.IsDuplicateOf(OfMember))
        {
            result.Require();
        }
    }

    /// <summary>Ids of a member's series, at most <paramref name="limit"/> after one.</summary>
    public async Task<IReadOnlyList<SeriesId>> PageByMemberAsync(MemberId member, string? after, int limit, CancellationToken cancellation)
    {
        RowRange range = RowRange.Prefix(OfMember);
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            BookingStore.Table, member.Value, after is null ? range : range.After(OfMember + after), limit, cancellation);
        return [.. rows.Select(r => r.As<MemberSeries>().SeriesId)];
    }

    private static string DueKey(LocalDate on, SeriesId series) => $"{DuePrefix}{Day.Format(on)}|{series}";

    private sealed record MemberSeries(SeriesId SeriesId);
}

/// <summary>A series to look at on a local day.</summary>
public sealed record DueSeries(SeriesId SeriesId, LocalDate On);
