using System.Globalization;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;

namespace Flex.DayPasses;

/// <summary>
/// Day passes and check-ins: table <c>daypasses</c>. Partition: the home of the holder's id, a member's for what is personal, a
/// customer's for what the company shares; the ids of passes and check-ins carry it. Keys: <c>P|{passId}</c>;
/// <c>Q|{membershipId}|{cycle yyyyMMdd}</c> use of monthly passes; <c>C|{checkInId}</c>; <c>H|{checkInId}|{half days had}</c> a shared
/// pass taken for a check-in that is not committed yet; <c>K|</c> idempotency; <c>O|</c> outbox. Partition of a location: its id, keys
/// <c>D|{yyyyMMdd}|{checkInId}</c>, written before the check-in: an entry without one is harmless and skipped.
/// <para>
/// A check-in that takes personal passes is one commit. One that takes a shared pass is two: the pass and its hold in the company's
/// partition, then the check-in in the member's. A crash between them is finished by the repeated request, which finds the hold, or
/// undone by <see cref="ReleaseSharedPass"/> when the hold's lease ends.
/// </para>
/// </summary>
public sealed class DayPassStore(ITableStore tables, Committer committer)
{
    public const string Table = "daypasses";
    public const string PassPrefix = "P|";
    public const string MonthlyPrefix = "Q|";
    public const string CheckInPrefix = "C|";
    public const string HoldPrefix = "H|";
    private const string DayPrefix = "D|";

    private static readonly LocalDatePattern Day = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");

    /// <summary>One point read.</summary>
    public async Task<Stored<DayPass>?> FindPassAsync(DayPassId id, CancellationToken cancellation) =>
        Stored<DayPass>.From(await tables.FindAsync(Table, EntityId.Home(id), PassPrefix + id, cancellation));

    /// <summary>One point read.</summary>
    public async Task<Stored<CheckIn>?> FindCheckInAsync(CheckInId id, CancellationToken cancellation) =>
        Stored<CheckIn>.From(await tables.FindAsync(Table, EntityId.Home(id), CheckInPrefix + id, cancellation));

    /// <summary>One point read.</summary>
    public async Task<Stored<SharedHold>?> FindHoldAsync(CustomerId customer, CheckInId id, int had, CancellationToken cancellation) =>
        Stored<SharedHold>.From(await tables.FindAsync(Table, EntityId.Home(customer), HoldKey(id, had), cancellation));

    /// <summary>A member's passes and use of monthly ones. One range read per 1,000.</summary>
    public async Task<PassHolding> ReadAsync(MemberId member, CancellationToken cancellation)
    {
        PassHolding all = await ReadAsync(EntityId.Home(member), cancellation);
        return new PassHolding([.. all.Passes.Where(p => p.Value.MemberId == member)], [.. all.Monthly.Where(m => m.Value.MemberId == member)]);
    }

    /// <summary>The passes a company shares. One range read per 1,000.</summary>
    public async Task<PassHolding> ReadSharedAsync(CustomerId customer, CancellationToken cancellation)
    {
        PassHolding all = await ReadAsync(EntityId.Home(customer), cancellation);
        return new PassHolding([.. all.Passes.Where(p => p.Value is { MemberId: null } pass && pass.CustomerId == customer)], []);
    }

    /// <summary>Lists the check-in under its location and day. One storage call; repeats change nothing.</summary>
    public async Task IndexAsync(CheckIn checkIn, CancellationToken cancellation)
    {
        TableBatch batch = new TableBatch(Table, checkIn.LocationId.Value)
            .Insert(DayKey(checkIn.Date) + checkIn.Id, new DayEntry(checkIn.Id));
        CommitResult result = await tables.CommitAsync(batch, cancellation);
        if (!result.IsDuplicateOf(DayPrefix))
        {
            result.Require();
        }
    }

    /// <summary>Ids of a location's check-ins of a day, a page of them after an id.</summary>
    public async Task<IReadOnlyList<CheckInId>> PageOfDayAsync(
        LocationId location, LocalDate day, string? after, int limit, CancellationToken cancellation)
    {
        RowRange range = RowRange.Prefix(DayKey(day));
        IReadOnlyList<TableRow> rows = await tables.ReadAsync(
            Table, location.Value, after is null ? range : range.After(DayKey(day) + after), limit, cancellation);
        return [.. rows.Select(r => r.As<DayEntry>().CheckInId)];
    }

    public static TableBatch BatchFor(MemberId member) => new(Table, EntityId.Home(member));

    public static TableBatch BatchFor(CustomerId customer) => new(Table, EntityId.Home(customer));

    /// <summary>Writes the pass together with what its change means for the doors.</summary>
    public static TableBatch Put(TableBatch batch, Stored<DayPass>? before, DayPass after, SiteCalendar calendar, Instant now) => batch
        .Put(PassPrefix + after.Id, after, before?.ETag)
        .Send(DayPassMessages.Of(before?.Value, after, calendar, now));

    public static TableBatch Put(TableBatch batch, Stored<MonthlyUse>? before, MonthlyUse after) =>
        batch.Put($"{MonthlyPrefix}{after.MembershipId}|{Day.Format(after.Cycle)}", after, before?.ETag);

    /// <summary>Writes the check-in together with what its change means for the doors, and counts its version.</summary>
    public static CheckIn Put(TableBatch batch, Stored<CheckIn>? before, CheckIn changed, SiteCalendar calendar, Instant now)
    {
        CheckIn after = changed with { Version = changed.Version + 1 };
        batch.Put(CheckInPrefix + after.Id, after, before?.ETag).Send(DayPassMessages.Of(before?.Value, after, calendar, now));
        return after;
    }

    /// <summary>Takes the lease, or takes it anew.</summary>
    public static TableBatch Put(TableBatch batch, Stored<SharedHold>? before, SharedHold after) => batch
        .Put(HoldKey(after.CheckInId, after.Had), after, before?.ETag)
        .Send(DayPassMessages.Release(after));

    public static TableBatch Remove(TableBatch batch, Stored<SharedHold> hold) =>
        batch.Delete(HoldKey(hold.Value.CheckInId, hold.Value.Had), hold.ETag);

    public Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation) => committer.CommitAsync(batch, cancellation);

    /// <summary>Another writer was faster: read and decide again.</summary>
    public static bool IsRace(CommitResult result) => result.Kind == CommitKind.Stale
        || result.IsDuplicateOf(CheckInPrefix) || result.IsDuplicateOf(MonthlyPrefix) || result.IsDuplicateOf(HoldPrefix);

    /// <summary>The answer of the first request with this Idempotency-Key, which its batch's partition keeps, or null.</summary>
    public Task<Reply<T>?> FindReplayAsync<T>(string home, RequestContext context, CancellationToken cancellation) =>
        tables.FindReplayAsync<T>(Table, home, context, cancellation);

    /// <summary>The reply after a commit that was not a race.</summary>
    public Task<Reply<T>> ReplyAsync<T>(TableBatch batch, CommitResult result, RequestContext context, T answer, CancellationToken cancellation) =>
        tables.ReplyAsync(batch, result, context, answer, cancellation);

    /// <summary>Passes and monthly use lie next to each other, so that one read finds both.</summary>
    private async Task<PassHolding> ReadAsync(string home, CancellationToken cancellation)
    {
        var passes = new List<Stored<DayPass>>();
        var monthly = new List<Stored<MonthlyUse>>();
        var range = new RowRange(PassPrefix, RowRange.Prefix(MonthlyPrefix).Until);
        await foreach (TableRow row in tables.ReadAllAsync(Table, home, range, cancellation))
        {
            if (row.Key.StartsWith(PassPrefix, StringComparison.Ordinal))
            {
                passes.Add(new Stored<DayPass>(row.As<DayPass>(), row.ETag));
            }
            else
            {
                monthly.Add(new Stored<MonthlyUse>(row.As<MonthlyUse>(), row.ETag));
            }
        }

        return new PassHolding(passes, monthly);
    }

    private static string DayKey(LocalDate day) => $"{DayPrefix}{Day.Format(day)}|";

    private static string HoldKey(CheckInId id, int had) => string.Create(CultureInfo.InvariantCulture, $"{HoldPrefix}{id}|{had}");

    private sealed record DayEntry(CheckInId CheckInId);
}

/// <summary>What a member or a company holds, with the versions a change must name.</summary>
public sealed record PassHolding(IReadOnlyList<Stored<DayPass>> Passes, IReadOnlyList<Stored<MonthlyUse>> Monthly)
{
    public Stored<MonthlyUse>? UseOf(MonthlyPass pass) =>
        Monthly.FirstOrDefault(m => m.Value.MembershipId == pass.MembershipId && m.Value.Cycle == pass.Cycle);

    /// <summary>Half days taken in the cycle.</summary>
    public int UsedOf(MonthlyPass pass) => UseOf(pass)?.Value.UsedHalves ?? 0;
}

/// <summary>Units of shared passes that were taken for a check-in which is committed after them.</summary>
/// <param name="Had">Half days the check-in had before.</param>
/// <param name="HeldAt">When the lease was last taken.</param>
/// <param name="Version">Goes up when the lease is taken anew.</param>
public sealed record SharedHold(
    CustomerId CustomerId, CheckInId CheckInId, int Had, IReadOnlyList<PassUse> Uses, IReadOnlyList<string> AccessGroups, Instant HeldAt, long Version)
{
    /// <summary>Much longer than a request, with all its storage timeouts, can take from hold to check-in.</summary>
    public static readonly Duration Lease = Duration.FromMinutes(10);

    /// <summary>Whether the check-in has been committed with these units.</summary>
    public bool IsPartOf(CheckIn? checkIn) => checkIn is not null && checkIn.Uses.Any(u => u.IsShared && u.Had == Had);
}
