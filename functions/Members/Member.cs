using NodaTime;

namespace Flex.Members;

/// <summary>A person. <paramref name="Standing"/> is a copy of what the memberships say, kept in step by messages.</summary>
/// <param name="LocationId">The default location.</param>
public sealed record Member(
    MemberId Id,
    CustomerId CustomerId,
    LocationId LocationId,
    string Email,
    string FirstName,
    string LastName,
    IReadOnlyList<MembershipStanding> Standing,
    long Version)
{
    /// <summary>Has ever been given booking passes or credit beside the plan; set before the first of them, so that whoever books knows where to look.</summary>
    public bool HasWallet { get; init; }
}

public enum MembershipStatus
{
    /// <summary>Signed up, first payment not settled yet.</summary>
    Pending,
    Active,
    Delinquent,
    PendingCancellation,

    /// <summary>Ended by the ladder or a cancellation; the default membership has taken its place.</summary>
    Downgraded,

    /// <summary>Ended by its own term.</summary>
    Ended,
}

/// <summary>One membership as the member's record shows it.</summary>
/// <param name="PlanVersion">The version of the plan that the membership keeps.</param>
/// <param name="AnchorDate">The local date that renewals and credit cycles are counted from.</param>
/// <param name="EndsAt">When it stops entitling, if that is known.</param>
/// <param name="Version">The membership's version; an older one never replaces a newer one.</param>
public sealed record MembershipStanding(
    MembershipId MembershipId,
    LocationId LocationId,
    PlanId PlanId,
    long PlanVersion,
    string PlanName,
    bool IsDefault,
    MembershipStatus Status,
    LocalDate AnchorDate,
    Instant? EndsAt,
    long Version);

/// <summary>Fact: a membership has changed. Queue <c>memberships</c>.</summary>
public sealed record MembershipChanged(MemberId MemberId, MembershipStanding Standing)
{
    public const string Subject = "membership.changed.v1";
}
