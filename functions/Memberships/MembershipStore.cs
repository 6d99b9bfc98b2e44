using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;

namespace Flex.Memberships;

/// <summary>
/// Keys and columns of memberships. Partition: the location's home, which is also the home in the membership's id, so a
/// membership is found by its id alone and a location's due renewals are one range.
/// <c>S|{membershipId}</c> is the membership; <c>D|{yyyyMMdd}|{membershipId}</c> lists it under the date it is due, as long as
/// it ever is. Partition <c>{customerId}</c> holds <c>X|{membershipId}</c>: what a customer pays for.
/// </summary>
public sealed class MembershipStore(ITableStore tables, Committer committer)
{
    public const string Table = "memberships";
    private const string Row = "S|";
    private const string Due = "D|";
    private const string OfCustomer = "X|";
    private static readonly LocalDatePattern DayPattern = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");

    public async Task<Stored<Membership>?> FindAsync(MembershipId id, CancellationToken cancellation) =>
        Stored<Membership>.From(await tables.FindAsync(Table, EntityId.Home(id), Row + id, cancellation));

    /// <summary>Memberships of a location by id, that is by age; <paramref name="after"/> continues a list.</summary>
    public async Task<IReadOnlyList<Membership>> ListAsync(LocationId location, string? after, int limit, CancellationToken cancellation)
    {
        RowRange range = RowRange.Prefix(Row);
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, EntityId.Home(location), after is null ? range : range.After(Row + after), limit, cancellation);
        return rows.Select(r => r.As<Membership>()).ToList();
    }

    /// <summary>Ids due on or before a local date, oldest date first; one storage call per 1,000.</summary>
    public async Task<IReadOnlyList<DueMembership>> ListDueAsync(
        LocationId location, LocalDate upTo, DueMembership? after, int limit, CancellationToken cancellation)
    {
        var range = new RowRange(Due, Due + Day(upTo.PlusDays(1)));
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, EntityId.Home(location), after is null ? range : range.After(DueKey(after.On, after.Id)), limit, cancellation);
        return rows.Select(r => r.As<DueMembership>()).ToList();
    }

    public async Task<IReadOnlyList<MembershipId>> ListOfCustomerAsync(CustomerId customer, CancellationToken cancellation)
    {
        var ids = new List<MembershipId>();
        await foreach (TableRow row in tables.ReadAllAsync(Table, customer.Value, RowRange.Prefix(OfCustomer), cancellation))
        {
            ids.Add(EntityId.Parse<MembershipId>(row.Key[OfCustomer.Length..]));
        }

        return ids;
    }

    /// <summary>
    /// Lists the membership under its customer. Written before the membership itself: an entry without a membership is
    /// harmless, a membership without an entry would miss a new payment source.
    /// </summary>
    public async Task IndexAsync(Membership membership, CancellationToken cancellation)
    {
        TableBatch batch = new TableBatch(Table, membership.CustomerId.Value)
            .Insert(OfCustomer + membership.Id, new { membership.MemberId });
        CommitResult result = await tables.CommitAsync(batch, cancellation);
        if (!result.IsDuplicateOf(OfCustomer))
        {
            result.Require();
        }
    }

    /// <summary>A batch in the membership's partition, to which callers add what must commit with it.</summary>
    public static TableBatch BatchFor(MembershipId id) => new(Table, EntityId.Home(id));

    public static TableBatch Add(TableBatch batch, Membership membership)
    {
        batch.Insert(Row + membership.Id, membership);
        return EntryOf(membership) is { } entry ? batch.Insert(DueKey(entry.On, entry.Id), entry) : batch;
    }

    /// <summary>
    /// Replaces the membership and keeps its entry in the due index in step: moved when the due date has changed, rewritten
    /// when anything else of it has (one more read in either case).
    /// </summary>
    public async Task<TableBatch> ChangeAsync(TableBatch batch, Stored<Membership> before, Membership after, CancellationToken cancellation)
    {
        batch.Replace(Row + after.Id, after, before.ETag);
        DueMembership? old = EntryOf(before.Value);
        DueMembership? now = EntryOf(after);
        if (old == now)
        {
            return batch;
        }

        TableRow? row = old is null ? null : await tables.FindAsync(Table, EntityId.Home(after.Id), DueKey(old.On, old.Id), cancellation);
        if (now is not null && row is not null && now.On == old!.On)
        {
            return batch.Replace(row.Key, now, row.ETag);
        }

        if (row is not null)
        {
            batch.Delete(row.Key, row.ETag);
        }

        return now is null ? batch : batch.Insert(DueKey(now.On, now.Id), now);
    }

    public static TableBatch Remove(TableBatch batch, Stored<Membership> membership) => batch.Delete(Row + membership.Value.Id, membership.ETag);

    public Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation) => committer.CommitAsync(batch, cancellation);

    private static DueMembership? EntryOf(Membership membership) =>
        membership.DueOn is { } on ? new DueMembership(membership.Id, on, membership.Run, membership.IsAnswered) : null;

    private static string DueKey(LocalDate on, MembershipId id) => $"{Due}{Day(on)}|{id}";

    private static string Day(LocalDate date) => DayPattern.Format(date);
}

/// <summary>An entry of the due index: enough to name the orchestration without loading the membership.</summary>
/// <param name="IsAnswered">See <see cref="Membership.IsAnswered"/>: lets a day's unfinished renewals be counted without loading them.</param>
public sealed record DueMembership(MembershipId Id, LocalDate On, int Run, bool IsAnswered)
{
    /// <summary>Nobody has heard of its first attempt although its date was over before this local day.</summary>
    public bool IsUnfinished(LocalDate day) => On < day && !IsAnswered;
}
