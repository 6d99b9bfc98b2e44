using Flex.Members;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.DayPasses;

/// <summary>Whose day is to be paid, where and which.</summary>
/// <param name="Date">On the location's calendar.</param>
public sealed record Visit(CheckInId Id, Member Member, Location Location, LocalDate Date);

/// <summary>What pays for a visit; no uses when the membership includes it.</summary>
/// <param name="AccessGroups">Of the shared passes.</param>
public sealed record TakenPasses(IReadOnlyList<PassUse> Uses, IReadOnlyList<string> AccessGroups)
{
    public static TakenPasses None { get; } = new([], []);
}

/// <summary>
/// Takes passes for a check-in. Personal and monthly ones are put into the caller's batch, which commits with the check-in; shared ones
/// are committed before it under a hold that names the check-in, so that a repeated request takes nothing twice.
/// </summary>
public sealed class PassTaker(DayPassStore store, MonthlyPasses memberships, TimeProvider time)
{
    /// <summary>A round is lost only to another check-in that has taken something from the same company's passes.</summary>
    private const int MaxRounds = 100;

    /// <summary>
    /// Two range reads and one point read per membership; with a shared pass one commit more. A hold that an earlier request has left
    /// counts towards the half days asked for, even if it holds more.
    /// </summary>
    /// <param name="had">Half days the check-in has taken before.</param>
    /// <param name="halves">Half days to take.</param>
    public async Task<Result<TakenPasses>> TakeAsync(TableBatch batch, Visit visit, int had, int halves, CancellationToken cancellation)
    {
        MembershipAccess access = await memberships.AtAsync(visit.Member, visit.Location, visit.Date, cancellation);
        if (access.IsIncluded)
        {
            return TakenPasses.None;
        }

        Stored<SharedHold>? hold = null;
        for (int round = 0; round < MaxRounds; round++)
        {
            Task<PassHolding> reading = store.ReadAsync(visit.Member.Id, cancellation);
            PassHolding shared = await store.ReadSharedAsync(visit.Member.CustomerId, cancellation);
            PassHolding own = await reading;
            int missing = Math.Max(0, halves - (hold?.Value.Uses.Sum(u => u.Halves) ?? 0));
            Result<IReadOnlyList<PassTaking>> choice = PassChoice.Choose(Options(visit, own, shared, access), missing, visit.Date);
            if (choice.IsError)
            {
                if (hold is null && await FindHoldAsync(visit, shared, had, cancellation) is { } found)
                {
                    hold = found;
                    continue;
                }

                return choice.Error;
            }

            SharedHold? held = hold?.Value;
            if (hold is not null || choice.Value.Any(t => t.From.IsShared))
            {
                held = Held(visit, shared, hold?.Value, choice.Value, had);
                if (!await TryHoldAsync(visit, shared, hold, held, choice.Value, cancellation))
                {
                    hold = await FindHoldAsync(visit, shared, had, cancellation);
                    continue;
                }
            }

            IEnumerable<PassUse> uses = choice.Value.Where(t => !t.From.IsShared).Select(t => TakeOwn(batch, visit, own, access, t, had)).ToArray();
            return new TakenPasses([.. held?.Uses ?? [], .. uses], held?.AccessGroups ?? []);
        }

        throw new TransientFaultException($"The passes of {visit.Member.CustomerId} keep changing.");
    }

    private static PassOption[] Options(Visit visit, PassHolding own, PassHolding shared, MembershipAccess access) =>
    [
        .. own.Passes.Concat(shared.Passes).Select(p => p.Value)
            .Where(p => p.LocationId == visit.Location.Id && p.CancelledAt is null)
            .Select(p => new PassOption(p.Id.Value, p.MemberId is null, IsMonthly: false, p.Days, p.Left)),
        .. access.Passes.Select(m => new PassOption(
            m.MembershipId.Value, IsShared: false, IsMonthly: true, m.Days, m.Halves - own.UsedOf(m))),
    ];

    private async Task<Stored<SharedHold>?> FindHoldAsync(Visit visit, PassHolding shared, int had, CancellationToken cancellation) =>
        shared.Passes.Count == 0 ? null : await store.FindHoldAsync(visit.Member.CustomerId, visit.Id, had, cancellation);

    private SharedHold Held(Visit visit, PassHolding shared, SharedHold? before, IReadOnlyList<PassTaking> takings, int had)
    {
        PassUse[] uses = [.. takings.Where(t => t.From.IsShared)
            .Select(t => new PassUse(EntityId.Parse<DayPassId>(t.From.Id), null, null, IsShared: true, t.Halves, t.Left, had))];
        IEnumerable<string> groups = shared.Passes.Where(p => uses.Any(u => u.PassId == p.Value.Id)).SelectMany(p => p.Value.AccessGroups);
        return new SharedHold(
            visit.Member.CustomerId,
            visit.Id,
            had,
            [.. before?.Uses ?? [], .. uses],
            [.. (before?.AccessGroups ?? []).Union(groups, StringComparer.Ordinal)],
            time.Now(),
            (before?.Version ?? 0) + 1);
    }

    /// <summary>Commits the shared takings and the lease; false when another check-in was faster.</summary>
    private async Task<bool> TryHoldAsync(
        Visit visit, PassHolding shared, Stored<SharedHold>? before, SharedHold held, IReadOnlyList<PassTaking> takings, CancellationToken cancellation)
    {
        TableBatch batch = DayPassStore.BatchFor(visit.Member.CustomerId);
        foreach (PassTaking taking in takings.Where(t => t.From.IsShared))
        {
            Stored<DayPass> pass = shared.Passes.Single(p => p.Value.Id.Value == taking.From.Id);
            Put(batch, visit, pass, taking.Halves);
        }

        CommitResult result = await store.CommitAsync(DayPassStore.Put(batch, before, held), cancellation);
        if (DayPassStore.IsRace(result))
        {
            return false;
        }

        result.Require();
        return true;
    }

    private PassUse TakeOwn(TableBatch batch, Visit visit, PassHolding own, MembershipAccess access, PassTaking taking, int had)
    {
        if (!taking.From.IsMonthly)
        {
            Stored<DayPass> pass = own.Passes.Single(p => p.Value.Id.Value == taking.From.Id);
            Put(batch, visit, pass, taking.Halves);
            return new PassUse(pass.Value.Id, null, null, IsShared: false, taking.Halves, taking.Left, had);
        }

        MonthlyPass monthly = access.Passes.Single(m => m.MembershipId.Value == taking.From.Id);
        Stored<MonthlyUse>? use = own.UseOf(monthly);
        MonthlyUse before = use?.Value ?? new MonthlyUse(visit.Member.Id, monthly.MembershipId, monthly.Cycle, 0);
        DayPassStore.Put(batch, use, before with { UsedHalves = before.UsedHalves + taking.Halves });
        return new PassUse(null, monthly.MembershipId, monthly.Cycle, IsShared: false, taking.Halves, taking.Left, had);
    }

    private void Put(TableBatch batch, Visit visit, Stored<DayPass> pass, int halves)
    {
        Instant now = time.Now();
        SiteCalendar calendar = visit.Location.Calendar;
        DayPassStore.Put(batch, pass, pass.Value.Take(halves, visit.Date, calendar.DateOf(now)), calendar, now);
    }
}
