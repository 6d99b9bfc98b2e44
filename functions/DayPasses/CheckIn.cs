using NodaTime;
using NodaTime.Text;

namespace Flex.DayPasses;

/// <summary>Who ended a stay.</summary>
public enum CheckOutBy
{
    Member,
    Staff,

    /// <summary>Nobody: the day was over (PAS-4).</summary>
    Auto,
}

/// <summary>What a check-in has taken from one pass.</summary>
/// <param name="PassId">Null for monthly passes.</param>
/// <param name="MembershipId">For monthly passes: whose plan they come with.</param>
/// <param name="Cycle">For monthly passes: first day of the cycle.</param>
/// <param name="IsShared">The pass is the company's, in another partition.</param>
/// <param name="Left">Half days left on it afterwards.</param>
/// <param name="Had">Half days the check-in had taken before; with the check-in's id it names the taking.</param>
public sealed record PassUse(DayPassId? PassId, MembershipId? MembershipId, LocalDate? Cycle, bool IsShared, int Halves, int Left, int Had);

/// <summary>
/// A member's local day at a location: at most one per member, location and day, however often the member goes and comes back (PAS-3).
/// Transitions are pure and do not count the version; whoever commits does.
/// </summary>
/// <param name="Date">On the location's calendar.</param>
/// <param name="EnteredAt">The last time the member came in.</param>
/// <param name="LeftAt">Null while the member is inside.</param>
/// <param name="StayedBefore">How long the stays before the last one were.</param>
/// <param name="Uses">What paid for the day; empty when the membership includes it.</param>
/// <param name="AccessGroups">Door access groups that the company's passes grant for the rest of the day.</param>
/// <param name="HasOverstayed">Stayed longer than the half day that was paid, and there was no other half to take.</param>
/// <param name="IsOver">The day has ended: the doors are closed and nothing changes any more.</param>
public sealed record CheckIn(
    CheckInId Id,
    MemberId MemberId,
    CustomerId CustomerId,
    LocationId LocationId,
    LocalDate Date,
    Instant FirstEnteredAt,
    Instant EnteredAt,
    Instant? LeftAt,
    CheckOutBy? LeftBy,
    Duration StayedBefore,
    IReadOnlyList<PassUse> Uses,
    IReadOnlyList<string> AccessGroups,
    bool HasOverstayed,
    bool IsOver,
    long Version)
{
    public bool IsInside => LeftAt is null;

    public int Halves => Uses.Sum(u => u.Halves);

    /// <summary>The id follows from member, location and day: whoever comes second finds the first.</summary>
    public static CheckInId IdOf(MemberId member, LocationId location, LocalDate date) =>
        EntityId.Derive<CheckInId>($"check-in|{member}|{location}|{LocalDatePattern.Iso.Format(date)}", EntityId.Home(member));

    public static CheckIn Enter(CheckInId id, MemberId member, CustomerId customer, LocationId location, LocalDate date, Instant now) => new(
        id,
        member,
        customer,
        location,
        date,
        now,
        now,
        LeftAt: null,
        LeftBy: null,
        Duration.Zero,
        Uses: [],
        AccessGroups: [],
        HasOverstayed: false,
        IsOver: false,
        Version: 0);

    /// <summary>Whether so many half days are paid already, or need not be.</summary>
    public bool Covers(int halves) => Uses.Count == 0 || Halves >= halves;

    public CheckIn Paid(IReadOnlyList<PassUse> uses, IReadOnlyList<string> accessGroups) => this with
    {
        Uses = [.. Uses, .. uses],
        AccessGroups = [.. AccessGroups.Union(accessGroups, StringComparer.Ordinal).Order(StringComparer.Ordinal)],
    };

    /// <summary>Comes in again; the same when the member is inside.</summary>
    public CheckIn Return(Instant now) => LeftAt is { } left
        ? this with { StayedBefore = StayedBefore + (left - EnteredAt), EnteredAt = now, LeftAt = null, LeftBy = null }
        : this;

    /// <summary>Goes; the same when the member is outside.</summary>
    public CheckIn Leave(Instant at, CheckOutBy by) => IsInside ? this with { LeftAt = at, LeftBy = by } : this;

    /// <summary>PAS-3: true when half a day was paid and the stays, all together, took longer than that.</summary>
    public bool IsLongerThan(Duration halfDay) => Halves == 1 && LeftAt is { } left && StayedBefore + (left - EnteredAt) > halfDay;
}
