using Flex.Access;
using NodaTime;

namespace Flex.DayPasses;

/// <summary>Where a day pass comes from.</summary>
public enum DayPassSource
{
    /// <summary>Sold as a one-off plan.</summary>
    Sale,

    /// <summary>Given by staff.</summary>
    Staff,

    /// <summary>Comes with a recurring plan, anew in every monthly cycle.</summary>
    Monthly,
}

/// <summary>What a day pass is good for on a day.</summary>
public enum DayPassState
{
    /// <summary>Its first day is still to come.</summary>
    Pending,

    /// <summary>Can be used.</summary>
    Valid,
    Used,

    /// <summary>Its last day has passed.</summary>
    Expired,
    Cancelled,
}

/// <summary>
/// The days on which a pass is valid, on its location's calendar, both inclusive. An open end is a day beyond all days, and only this
/// type compares days with its ends, so that a pass without a last day is valid for ever and never by accident not at all (PAS-2).
/// </summary>
/// <param name="From">Null: from ever.</param>
/// <param name="To">Null: for ever.</param>
public sealed record PassDays(LocalDate? From, LocalDate? To)
{
    public static PassDays Always { get; } = new(null, null);

    private LocalDate First => From ?? LocalDate.MinIsoValue;

    private LocalDate Last => To ?? LocalDate.MaxIsoValue;

    public bool AreAhead(LocalDate day) => day < First;

    public bool AreOver(LocalDate day) => Last < day;

    /// <summary>Below zero when these days end before the others; open ones end last.</summary>
    public int CompareEnd(PassDays other) => Last.CompareTo(other.Last);

    /// <summary>Days at whose start something changes.</summary>
    public IEnumerable<LocalDate> Turns()
    {
        if (From is { } from)
        {
            yield return from;
        }

        if (To is { } to)
        {
            yield return to.PlusDays(1);
        }
    }
}

/// <summary>
/// A number of days at a location, for a member or, shared, for everybody of a company. Counted in halves: a whole day takes two.
/// Transitions are pure.
/// </summary>
/// <param name="MemberId">Whose it is; null: the company's.</param>
/// <param name="CustomerId">The member's customer, or the company.</param>
/// <param name="Halves">Half days it was issued with.</param>
/// <param name="UsedHalves">Half days that check-ins have taken.</param>
/// <param name="AccessGroups">Door access groups it grants while it can be used.</param>
/// <param name="CancelledAt">When staff took away what was left.</param>
/// <param name="LastUsedOn">The latest local day it was used on.</param>
/// <param name="IsGranted">The doors have been told that it grants its groups.</param>
public sealed record DayPass(
    DayPassId Id,
    MemberId? MemberId,
    CustomerId CustomerId,
    LocationId LocationId,
    DayPassSource Source,
    PassDays Days,
    int Halves,
    int UsedHalves,
    IReadOnlyList<string> AccessGroups,
    Instant IssuedAt,
    Instant? CancelledAt,
    LocalDate? LastUsedOn,
    bool IsGranted,
    long Version)
{
    public const int HalvesPerDay = 2;

    /// <summary>Half days that can still be taken.</summary>
    public int Left => CancelledAt is null ? Halves - UsedHalves : 0;

    public static DayPass Issue(
        DayPassId id,
        MemberId? member,
        CustomerId customer,
        LocationId location,
        DayPassSource source,
        PassDays days,
        int passes,
        IReadOnlyList<string> accessGroups,
        Instant now,
        LocalDate today) =>
        new DayPass(
            id, member, customer, location, source, days, passes * HalvesPerDay, 0, accessGroups, now, null, null, IsGranted: false, Version: 1).On(today);

    /// <summary>PAS-2: a pass is valid on its days as long as something is left of it. The only place that says so.</summary>
    public static DayPassState Judge(PassDays days, int left, LocalDate day)
    {
        if (left == 0)
        {
            return DayPassState.Used;
        }

        if (days.AreAhead(day))
        {
            return DayPassState.Pending;
        }

        return days.AreOver(day) ? DayPassState.Expired : DayPassState.Valid;
    }

    public DayPassState StateOn(LocalDate day) => CancelledAt is null ? Judge(Days, Left, day) : DayPassState.Cancelled;

    /// <param name="day">The day that is paid with it.</param>
    /// <param name="today">The day it is; later than <paramref name="day"/> when that day is settled after its end.</param>
    public DayPass Take(int halves, LocalDate day, LocalDate today) =>
        (this with { UsedHalves = UsedHalves + halves, LastUsedOn = day, Version = Version + 1 }).On(today);

    public DayPass GiveBack(int halves) => this with { UsedHalves = UsedHalves - halves, Version = Version + 1 };

    /// <summary>What is left cannot be used any more, and the doors close at once. The same pass when nothing is left.</summary>
    public DayPass Cancel(Instant now, LocalDate today) =>
        Left == 0 ? this : (this with { CancelledAt = now, Version = Version + 1 }).On(today);

    /// <summary>The pass as a new day finds it; the same pass when the day changes nothing.</summary>
    public DayPass Review(LocalDate today)
    {
        DayPass after = On(today);
        return after.IsGranted == IsGranted ? this : after with { Version = Version + 1 };
    }

    /// <summary>Days at whose start its access may begin or end; none for a pass that opens no doors by itself.</summary>
    public IEnumerable<LocalDate> Turns()
    {
        if (!Opens)
        {
            return [];
        }

        return Left == 0 && LastUsedOn is { } last ? [.. Days.Turns(), last.PlusDays(1)] : Days.Turns();
    }

    /// <summary>Why it does not open doors any more.</summary>
    public AccessEndReason EndReason() => this switch
    {
        { CancelledAt: not null } => AccessEndReason.Revoked,
        { Left: 0 } => AccessEndReason.Utilized,
        _ => AccessEndReason.Expired,
    };

    /// <summary>A shared pass opens doors for whom it has paid a day, by the check-in, not for the company as a whole.</summary>
    private bool Opens => MemberId is not null && AccessGroups.Count > 0;

    /// <summary>
    /// PAS-6: it opens doors while it is valid, and to the end of the day that took its last unit: whoever has paid for the day with
    /// it is inside, or may come back.
    /// </summary>
    private DayPass On(LocalDate today) => this with
    {
        IsGranted = Opens && (StateOn(today) == DayPassState.Valid || (StateOn(today) == DayPassState.Used && LastUsedOn == today)),
    };
}

/// <summary>How much of a recurring plan's day passes one cycle has used.</summary>
/// <param name="Cycle">First day of the cycle.</param>
public sealed record MonthlyUse(MemberId MemberId, MembershipId MembershipId, LocalDate Cycle, int UsedHalves);
