using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;

namespace Flex.Bookings;

/// <summary>
/// Bookings: table <c>bookings</c>. Partition of a location: the last six characters of its id, which its bookings' ids end with too.
/// Keys: <c>A|{yyyyMM UTC}|{resourceId}</c> agenda of a month, whose ETag serialises all writers of that resource and month;
/// <c>B|{bookingId}</c>; <c>K|</c> idempotency; <c>O|</c> outbox. Partition of a member: the member's id, keys
/// <c>I|{start yyyyMMddHHmm}|{bookingId}</c>, written by message a moment after the booking. Series of bookings have their own keys in the
/// same partitions: <c>S|</c>, <c>P|</c> and <c>R|</c>.
/// </summary>
public sealed class BookingStore(ITableStore tables, Committer committer)
{
    public const string Table = "bookings";

    private const string AgendaPrefix = "A|";
    private const string IndexPrefix = "I|";

    private static readonly YearMonthPattern Month = YearMonthPattern.CreateWithInvariantCulture("uuuuMM");
    private static readonly InstantPattern Minute = InstantPattern.CreateWithInvariantCulture("uuuuMMddHHmm");

    /// <summary>One point read: the id names the partition.</summary>
    public async Task<Stored<Booking>?> ReadAsync(BookingId id, CancellationToken cancellation) =>
        Stored<Booking>.From(await tables.FindAsync(Table, EntityId.Home(id), KeyOf(id), cancellation));

    /// <summary>A booking that something stored refers to, which therefore exists.</summary>
    public async Task<Stored<Booking>> RequireAsync(BookingId id, CancellationToken cancellation) =>
        await ReadAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");

    /// <summary>
    /// The agendas that the slots of a resource stand in. One storage call: a point read, or a range over the months, which also reads
    /// the location's other resources, 1,000 agendas per call.
    /// </summary>
    public Task<AgendaSheet> ReadAgendaAsync(
        LocationId location, ResourceId resource, IEnumerable<AgendaSlot> slots, CancellationToken cancellation) =>
        ReadAgendasAsync(location, [.. slots.SelectMany(s => s.Months()).Distinct().Select(m => new AgendaKey(m, resource))], cancellation);

    /// <summary>As <see cref="ReadAgendaAsync"/>, of several resources; each key once.</summary>
    public async Task<AgendaSheet> ReadAgendasAsync(LocationId location, IReadOnlyCollection<AgendaKey> keys, CancellationToken cancellation)
    {
        string partition = EntityId.Home(location);
        var read = new Dictionary<AgendaKey, Stored<Agenda>>();
        if (keys.Count == 1)
        {
            AgendaKey only = keys.First();
            if (Stored<Agenda>.From(await tables.FindAsync(Table, partition, RowKey(only), cancellation)) is { } agenda)
            {
                read.Add(only, agenda);
            }

            return new AgendaSheet(read);
        }

        Dictionary<string, AgendaKey> wanted = keys.ToDictionary(RowKey, StringComparer.Ordinal);
        string first = wanted.Keys.Min(StringComparer.Ordinal)!;
        string last = wanted.Keys.Max(StringComparer.Ordinal)!;
        await foreach (TableRow row in tables.ReadAllAsync(Table, partition, new RowRange(first, last + '\u0001'), cancellation))
        {
            if (wanted.TryGetValue(row.Key, out AgendaKey key))
            {
                read.Add(key, Stored<Agenda>.From(row)!);
            }
        }

        return new AgendaSheet(read);
    }

    /// <summary>The first slot in the way of a wish that is no booking yet; null: it is free. One storage call.</summary>
    public async Task<AgendaSlot?> FindConflictAsync(BookingWish wish, CancellationToken cancellation)
    {
        var none = EntityId.Derive<BookingId>("wish", EntityId.Home(wish.Location.Id));
        var slot = AgendaSlot.Of(none, wish.Time, Buffers.Of(wish.Resource));
        return (await ReadAgendaAsync(wish.Location.Id, wish.Resource.Id, [slot], cancellation)).ConflictOf(wish.Resource.Id, slot);
    }

    /// <summary>What is taken at a location in a time, by resource. One storage call per 1,000 agendas.</summary>
    public async Task<AgendaSheet> ReadLocationAsync(LocationId location, Interval time, CancellationToken cancellation)
    {
        var read = new Dictionary<AgendaKey, Stored<Agenda>>();
        YearMonth[] months = [.. AgendaSlot.Months(time.Start, time.End)];
        var range = new RowRange(AgendaPrefix + Month.Format(months[0]) + "|", RowRange.Prefix(AgendaPrefix + Month.Format(months[^1]) + "|").Until);
        await foreach (TableRow row in tables.ReadAllAsync(Table, EntityId.Home(location), range, cancellation))
        {
            string[] parts = row.Key.Split('|');
            read.Add(new AgendaKey(Month.Parse(parts[1]).Value, EntityId.Parse<ResourceId>(parts[2])), Stored<Agenda>.From(row)!);
        }

        return new AgendaSheet(read);
    }

    /// <summary>A batch in a location's partition.</summary>
    public static TableBatch BatchFor(LocationId location) => new(Table, EntityId.Home(location));

    /// <summary>A batch in a member's partition.</summary>
    public static TableBatch BatchFor(MemberId member) => new(Table, member.Value);

    internal static string KeyOf(BookingId id) => "B|" + id;

    public static TableBatch Put(TableBatch batch, Booking booking, string? etag) => batch.Put(KeyOf(booking.Id), booking, etag);

    /// <summary>Adds the agendas that have changed.</summary>
    public static TableBatch Put(TableBatch batch, AgendaSheet sheet)
    {
        foreach ((AgendaKey key, Agenda agenda, string? etag) in sheet.Changes())
        {
            batch.Put(RowKey(key), agenda, etag);
        }

        return batch;
    }

    public Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation) => committer.CommitAsync(batch, cancellation);

    /// <summary>True when another writer was faster: read again and decide again.</summary>
    public static bool IsRace(CommitResult result) => result.Kind == CommitKind.Stale || result.IsDuplicateOf(AgendaPrefix);

    /// <summary>True when the booking exists already: the request has been here before.</summary>
    public static bool IsRepeat(CommitResult result) => result.IsDuplicateOf("B|");

    /// <summary>From the outcome of a commit that was no race to the reply.</summary>
    public Task<Reply<T>> ReplyAsync<T>(
        TableBatch batch, CommitResult result, RequestContext context, T view, CancellationToken cancellation) =>
        tables.ReplyAsync(batch, result, context, view, cancellation);

    /// <summary>Makes bookings findable by their member. Repeats change nothing. One storage call per 100.</summary>
    public async Task IndexAsync(BookingsMade made, CancellationToken cancellation)
    {
        foreach (MadeBooking[] chunk in made.Bookings.Chunk(TableLimits.MaxOperations))
        {
            CommitResult result = await tables.CommitAsync(IndexBatch(made.MemberId, chunk), cancellation);
            if (!result.IsDuplicateOf(IndexPrefix))
            {
                result.Require();
            }
            else if (chunk.Length > 1)
            {
                foreach (MadeBooking booking in chunk)
                {
                    await IndexAsync(new BookingsMade(made.MemberId, [booking]), cancellation);
                }
            }
        }
    }

    /// <summary>
    /// The member's bookings that start in <c>[from, until)</c>, null is open, in that order; cancelled ones too. A booking that was moved
    /// is also there where it was: who reads it sees that it <see cref="BookingEntry.IsOf">is not there</see> any more.
    /// </summary>
    public async IAsyncEnumerable<BookingEntry> ListByMemberAsync(
        MemberId member, Instant from, Instant? until, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var range = new RowRange(
            IndexPrefix + Minute.Format(from), until is { } u ? IndexPrefix + Minute.Format(u) : RowRange.Prefix(IndexPrefix).Until);
        await foreach (TableRow row in tables.ReadAllAsync(Table, member.Value, range, cancellation))
        {
            yield return Entry(row);
        }
    }

    /// <summary>Those that start in <c>[from, until)</c>, null is open: a page of them after a <see cref="Position"/>.</summary>
    public async Task<IReadOnlyList<BookingEntry>> PageByMemberAsync(
        MemberId member, Instant? from, Instant? until, string? after, int limit, CancellationToken cancellation)
    {
        RowRange all = RowRange.Prefix(IndexPrefix);
        var range = new RowRange(
            from is { } f ? IndexPrefix + Minute.Format(f) : all.From,
            until is { } u ? IndexPrefix + Minute.Format(u) : all.Until);
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, member.Value, after is null ? range : range.After(IndexPrefix + after), limit, cancellation);
        return [.. rows.Select(Entry)];
    }

    /// <summary>Where a booking stands in lists by start.</summary>
    public static string Position(Instant start, BookingId id) => $"{Minute.Format(start)}|{id}";

    /// <summary>The gate's keys for slots of a resource.</summary>
    public static IEnumerable<string> GateKeys(ResourceId resource, IEnumerable<AgendaSlot> slots) =>
        GateKeys(slots.SelectMany(s => s.Months()).Distinct().Select(m => new AgendaKey(m, resource)));

    public static IEnumerable<string> GateKeys(IEnumerable<AgendaKey> keys) => keys.Select(RowKey);

    /// <summary>
    /// The answer of the first request with this Idempotency-Key, or else the refusal. Keys are kept with the location, in the commit
    /// they guard: a client that uses one key for two locations has made two requests.
    /// </summary>
    public Task<Reply<T>> ReplayOrAsync<T>(string home, RequestContext context, Error refusal, CancellationToken cancellation) =>
        tables.ReplayOrAsync<T>(Table, home, context, refusal, cancellation);

    /// <summary>The answer of the first request with this Idempotency-Key; null when there was none, or it was cut off.</summary>
    public Task<Reply<T>?> FindReplayAsync<T>(string home, RequestContext context, CancellationToken cancellation) =>
        tables.FindReplayAsync<T>(Table, home, context, cancellation);

    private static TableBatch IndexBatch(MemberId member, IEnumerable<MadeBooking> bookings)
    {
        TableBatch batch = BatchFor(member);
        foreach (MadeBooking booking in bookings)
        {
            batch.Insert(IndexPrefix + Position(booking.Start, booking.BookingId), new IndexEntry(booking.BookingId));
        }

        return batch;
    }

    private static BookingEntry Entry(TableRow row) => new(row.Key[IndexPrefix.Length..], row.As<IndexEntry>().BookingId);

    private static string RowKey(AgendaKey key) => $"{AgendaPrefix}{Month.Format(key.Month)}|{key.Resource}";

    private sealed record IndexEntry(BookingId BookingId);
}

/// <summary>Where a list says that a booking is.</summary>
public readonly record struct BookingEntry(string Position, BookingId BookingId)
{
    /// <summary>False when the booking has been moved since.</summary>
    public bool IsOf(Booking booking) => Position == BookingStore.Position(booking.Start, booking.Id);
}
