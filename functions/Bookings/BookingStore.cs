using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;

namespace Flex.Bookings;

/// <summary>
/// Bookings: table <c>bookings</c>. Partition of a resource: the last six characters of its id, which its bookings' ids end with too.
/// Keys: <c>A|{resourceId}|{yyyyMMdd}</c> agenda of a UTC day, whose ETag serialises all writers of that resource-day; <c>B|{bookingId}</c>;
/// <c>C|{chargeId}</c>; <c>K|</c> idempotency; <c>O|</c> outbox. Partition of a member: the member's id, keys
/// <c>I|{start yyyyMMddHHmm}|{bookingId}</c>, written by message a moment after the booking.
/// </summary>
public sealed class BookingStore(ITableStore tables, Committer committer)
{
    public const string Table = "bookings";

    private const string AgendaPrefix = "A|";
    private const string IndexPrefix = "I|";

    private static readonly LocalDatePattern Day = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");
    private static readonly InstantPattern Minute = InstantPattern.CreateWithInvariantCulture("uuuuMMddHHmm");

    /// <summary>One point read: the id names the partition.</summary>
    public async Task<Stored<Booking>?> ReadAsync(BookingId id, CancellationToken cancellation) =>
        Stored<Booking>.From(await tables.FindAsync(Table, EntityId.Home(id), BookingKey(id), cancellation));

    /// <summary>The agendas of consecutive days, null where nothing was ever booked. One storage call.</summary>
    public async Task<IReadOnlyList<Stored<Agenda>?>> ReadAgendaAsync(ResourceId resource, IReadOnlyList<LocalDate> days, CancellationToken cancellation)
    {
        string partition = EntityId.Home(resource);
        if (days.Count == 1)
        {
            return [Stored<Agenda>.From(await tables.FindAsync(Table, partition, DayKey(resource, days[0]), cancellation))];
        }

        var range = new RowRange(DayKey(resource, days[0]), DayKey(resource, days[^1].PlusDays(1)));
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(Table, partition, range, days.Count, cancellation);
        Dictionary<string, TableRow> byKey = rows.ToDictionary(r => r.Key, StringComparer.Ordinal);
        return [.. days.Select(d => Stored<Agenda>.From(byKey.GetValueOrDefault(DayKey(resource, d))))];
    }

    /// <summary>
    /// Commits a new booking: its slot in the agenda of every day it touches, its charge, the answer to the request and the messages,
    /// all or nothing. Null when another writer was faster: read the agenda and decide again.
    /// </summary>
    public async Task<Reply<BookingView>?> TryCommitNewAsync(
        Booking booking,
        IReadOnlyList<LocalDate> days,
        IReadOnlyList<Stored<Agenda>?> agenda,
        Resource resource,
        RequestContext context,
        CancellationToken cancellation)
    {
        BookingView view = BookingView.Of(booking);
        TableBatch batch = new TableBatch(Table, EntityId.Home(booking.ResourceId))
            .Insert(BookingKey(booking.Id), booking)
            .Remember(context, view, booking.CreatedAt);
        PutAgenda(batch, booking.ResourceId, days, agenda, a => a.With(AgendaSlot.Of(booking)));
        if (booking.Charge() is { } charge)
        {
            batch.Insert(ChargeKey(charge.Id), charge);
            batch.Send(OutboxMessage.Create(
                $"{charge.Id}.created", Queues.Billing, ChargeCreated.Subject, booking.ChargeCreated(resource.Name)));
        }

        batch.Send(OutboxMessage.Create(
            $"{booking.Id}.confirmed",
            Queues.Bookings,
            BookingConfirmed.Subject,
            new BookingConfirmed(booking.Id, booking.ResourceId, booking.MemberId, booking.Start)));

        CommitResult result = await committer.CommitAsync(batch, cancellation);
        return IsRace(result) ? null : await tables.ReplyAsync(batch, result, context, view, cancellation);
    }

    /// <summary>
    /// Commits a cancellation: the booking, the freed slot in every agenda, the withdrawn charge and its message. False when another
    /// writer was faster: read everything and decide again. Two storage calls, one without a charge.
    /// </summary>
    public async Task<bool> TryCommitCancelledAsync(
        Booking cancelled,
        string etag,
        IReadOnlyList<LocalDate> days,
        IReadOnlyList<Stored<Agenda>?> agenda,
        CancellationToken cancellation)
    {
        string partition = EntityId.Home(cancelled.ResourceId);
        TableBatch batch = new TableBatch(Table, partition).Replace(BookingKey(cancelled.Id), cancelled, etag);
        PutAgenda(batch, cancelled.ResourceId, days, agenda, a => a.Without(cancelled.Id));
        if (cancelled.Charge() is { } charge)
        {
            TableRow row = await tables.FindAsync(Table, partition, ChargeKey(charge.Id), cancellation)
                ?? throw new DefectException($"{cancelled.Id} has no charge row {charge.Id}.");
            batch.Replace(ChargeKey(charge.Id), charge, row.ETag);
            batch.Send(OutboxMessage.Create(
                $"{charge.Id}.cancelled",
                Queues.Billing,
                ChargeCancelled.Subject,
                new ChargeCancelled(charge.Id, cancelled.CustomerId, cancelled.CancelReason!.Value.ToString())));
        }

        CommitResult result = await committer.CommitAsync(batch, cancellation);
        if (IsRace(result))
        {
            return false;
        }

        result.Require();
        return true;
    }

    /// <summary>Makes the booking findable by its member. Repeats change nothing. One storage call.</summary>
    public async Task IndexAsync(BookingConfirmed booking, CancellationToken cancellation)
    {
        TableBatch batch = new TableBatch(Table, booking.MemberId.Value)
            .Insert(IndexPrefix + Position(booking.Start, booking.BookingId), new IndexEntry(booking.BookingId));
        CommitResult result = await tables.CommitAsync(batch, cancellation);
        if (!result.IsDuplicateOf(IndexPrefix))
        {
            result.Require();
        }
    }

    /// <summary>Ids of the member's bookings that start at <paramref name="from"/> or later, in that order; cancelled ones too.</summary>
    public async IAsyncEnumerable<BookingId> ListByMemberAsync(
        MemberId member, Instant from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var range = new RowRange(IndexPrefix + Minute.Format(from), RowRange.Prefix(IndexPrefix).Until);
        await foreach (TableRow row in tables.ReadAllAsync(Table, member.Value, range, cancellation))
        {
            yield return row.As<IndexEntry>().BookingId;
        }
    }

    /// <summary>Those that start in <c>[from, until)</c>, null is open: a page of them after a <see cref="Position"/>.</summary>
    public async Task<IReadOnlyList<BookingId>> PageByMemberAsync(
        MemberId member, Instant? from, Instant? until, string? after, int limit, CancellationToken cancellation)
    {
        RowRange all = RowRange.Prefix(IndexPrefix);
        var range = new RowRange(
            from is { } f ? IndexPrefix + Minute.Format(f) : all.From,
            until is { } u ? IndexPrefix + Minute.Format(u) : all.Until);
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, member.Value, after is null ? range : range.After(IndexPrefix + after), limit, cancellation);
        return [.. rows.Select(r => r.As<IndexEntry>().BookingId)];
    }

    /// <summary>Where a booking stands in lists by start.</summary>
    public static string Position(Instant start, BookingId id) => $"{Minute.Format(start)}|{id}";

    /// <summary>The gate's keys for the days of a resource.</summary>
    public static IEnumerable<string> GateKeys(ResourceId resource, IEnumerable<LocalDate> days) => days.Select(d => DayKey(resource, d));

    /// <summary>
    /// The answer of the first request with this Idempotency-Key, or else the refusal. Keys are kept with the resource, in the commit
    /// they guard: a client that uses one key for two resources has made two requests.
    /// </summary>
    public Task<Reply<BookingView>> ReplayOrAsync(ResourceId resource, RequestContext context, Error refusal, CancellationToken cancellation) =>
        tables.ReplayOrAsync<BookingView>(Table, EntityId.Home(resource), context, refusal, cancellation);

    private static void PutAgenda(
        TableBatch batch, ResourceId resource, IReadOnlyList<LocalDate> days, IReadOnlyList<Stored<Agenda>?> agenda, Func<Agenda, Agenda> change)
    {
        foreach ((LocalDate day, Stored<Agenda>? read) in days.Zip(agenda))
        {
            batch.Put(DayKey(resource, day), change(read?.Value ?? Agenda.Empty), read?.ETag);
        }
    }

    private static bool IsRace(CommitResult result) => result.Kind == CommitKind.Stale || result.IsDuplicateOf(AgendaPrefix);

    private static string DayKey(ResourceId resource, LocalDate day) => $"{AgendaPrefix}{resource}|{Day.Format(day)}";

    private static string BookingKey(BookingId id) => "B|" + id;

    private static string ChargeKey(ChargeId id) => "C|" + id;

    private sealed record IndexEntry(BookingId BookingId);
}
