using NodaTime;

namespace Flex.Access;

/// <summary>Where a member stands at the doors.</summary>
public enum AccessState
{
    /// <summary>No user at Salto that is ours.</summary>
    NotProvisioned,

    /// <summary>Occupies a seat and has every group he is entitled to.</summary>
    Subscribed,

    /// <summary>Has lost every group and still occupies a seat.</summary>
    GroupsRevoked,

    /// <summary>Occupies no seat and opens nothing.</summary>
    Unsubscribed,

    /// <summary>Cannot be brought in line; <see cref="MemberAccess.Attention"/> says why. Tried again at every reconcile.</summary>
    NeedsAttention,
}

/// <summary>What staff have to look at.</summary>
public enum AccessAttention
{
    /// <summary>Salto has no free seat for the member.</summary>
    NoFreeSeat,

    /// <summary>The member has no e-mail address to be invited by.</summary>
    NoEmail,

    /// <summary>The Salto user with the member's e-mail is an administrator and is never touched.</summary>
    ProtectedUser,

    /// <summary>Several Salto users have the member's e-mail.</summary>
    AmbiguousUser,

    /// <summary>An entitlement names a group that Flex may not manage.</summary>
    GroupNotManaged,

    /// <summary>Everything is revoked, some of it by hand, so whether to free the seat is for staff to decide.</summary>
    RevokedByHand,

    /// <summary>Salto keeps refusing.</summary>
    Refused,
}

/// <summary>What one source says. An ended source is kept for its version, so that a late message cannot bring it back.</summary>
/// <param name="EndReason">Set when it has ended.</param>
/// <param name="Settled">Its end has been acted upon: it no longer counts when everything is lost another time.</param>
public sealed record AccessSource(long Version, IReadOnlyList<string> Groups, AccessEndReason? EndReason, bool Settled)
{
    public bool HasEnded => Groups.Count == 0;
}

/// <summary>The Salto user that is the member's. The two ids are not interchangeable.</summary>
/// <param name="SiteUserId">For <c>/users</c>.</param>
/// <param name="PlatformUserId">For <c>/access_groups/…/users</c>.</param>
public sealed record DoorUserIds(string SiteId, string SiteUserId, string PlatformUserId);

/// <summary>
/// What Flex knows of one member's doors: what he is entitled to, by source, and how far Salto has followed.
/// </summary>
public sealed record MemberAccess(MemberId MemberId, IReadOnlyDictionary<string, AccessSource> Sources, AccessState State)
{
    /// <summary>Ended sources kept; beyond it the oldest versions go, which only a message delayed past so many others could notice.</summary>
    public const int MaxEndedSources = 200;

    public DoorUserIds? User { get; init; }

    /// <summary>
    /// A user may have been created without its ids being known yet: a user found by the member's e-mail is then ours.
    /// </summary>
    public bool Provisioning { get; init; }

    /// <summary>Groups the user is known to be in by Flex's doing, ordered.</summary>
    public IReadOnlyList<string> Applied { get; init; } = [];

    /// <summary>
    /// Groups Flex has put the user into or is about to: written before the first call, so that a run that is cut short leaves no
    /// group behind that nobody looks at again.
    /// </summary>
    public IReadOnlyList<string> Touched { get; init; } = [];

    public AccessAttention? Attention { get; init; }

    /// <summary>Salto has not followed yet.</summary>
    public bool Pending { get; init; }

    /// <summary>Failed attempts in a row.</summary>
    public int Attempts { get; init; }

    public Instant? LastAttemptAt { get; init; }

    /// <summary>What stopped the last failed attempt; codes only, no personal data.</summary>
    public string? LastFault { get; init; }

    /// <summary>The union of what all sources grant, ordered (ACC-2).</summary>
    public IReadOnlyList<string> Desired() =>
        [.. Sources.Values.SelectMany(s => s.Groups).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Why sources ended since everything was last in line with having nothing.</summary>
    public IReadOnlyList<AccessEndReason> OpenEnds() =>
        [.. Sources.Values.Where(s => s is { HasEnded: true, Settled: false }).Select(s => s.EndReason!.Value).Distinct().Order()];

    public static MemberAccess None(MemberId memberId) =>
        new(memberId, new Dictionary<string, AccessSource>(), AccessState.NotProvisioned);

    /// <summary>
    /// Takes in what a source says. Null when it is not newer than what the source has said before. The order in which different
    /// sources are heard does not matter to what is desired.
    /// </summary>
    public MemberAccess? Apply(EntitlementChanged change)
    {
        AccessSource? before = Sources.GetValueOrDefault(change.SourceId);
        if (before is not null && change.Version <= before.Version)
        {
            return null;
        }

        string[] groups = [.. change.Groups.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        bool ends = groups.Length == 0;
        var said = new AccessSource(
            change.Version,
            groups,
            ends ? change.Reason ?? AccessEndReason.Expired : null,
            ends && before is { HasEnded: true, Settled: true });
        var sources = new SortedDictionary<string, AccessSource>(Sources.ToDictionary(), StringComparer.Ordinal) { [change.SourceId] = said };
        foreach (string old in sources
            .Where(s => s.Value.HasEnded && s.Key != change.SourceId)
            .OrderByDescending(s => s.Value.Version)
            .Skip(MaxEndedSources)
            .Select(s => s.Key)
            .ToArray())
        {
            sources.Remove(old);
        }

        MemberAccess after = this with { Sources = sources };
        IReadOnlyList<string> desired = after.Desired();
        return after with
        {
            Touched = [.. Touched.Union(desired, StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Provisioning = Provisioning || (desired.Count > 0 && User is null),
            Pending = Pending
                || !desired.SequenceEqual(Desired())
                || (desired.Count == 0 && User is not null && after.OpenEnds().Count > 0),
        };
    }

    /// <summary>Everything is as the plan says.</summary>
    public MemberAccess Settle(AccessState state, AccessAttention? attention)
    {
        bool nothing = Desired().Count == 0;
        bool again = attention is not null and not AccessAttention.RevokedByHand;
        return this with
        {
            State = state,
            Attention = attention,
            Pending = again,
            Provisioning = Provisioning && User is null && !nothing,
            Attempts = 0,
            LastFault = null,
            Sources = nothing && !again
                ? Sources.ToDictionary(s => s.Key, s => s.Value.HasEnded ? s.Value with { Settled = true } : s.Value)
                : Sources,
        };
    }
}
