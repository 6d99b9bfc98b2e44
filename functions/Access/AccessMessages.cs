namespace Flex.Access;

/// <summary>
/// Fact, sent to <c>Queues.Access</c>: the door access groups one source grants one member from now on. It states the whole
/// of what the source grants, not a difference, so the newest version replaces whatever the source said before.
/// </summary>
/// <param name="MemberId">Whose doors.</param>
/// <param name="SourceId">What grants: the id of a membership, office, pass or booking. At most one open statement per source.</param>
/// <param name="Version">Grows with every change of the source; a message that is not newer than the last one applied is ignored.</param>
/// <param name="Groups">Salto KS access group ids; empty when the source has ended.</param>
/// <param name="Reason">Why the source ended; set exactly when <paramref name="Groups"/> is empty.</param>
public sealed record EntitlementChanged(
    MemberId MemberId,
    string SourceId,
    long Version,
    IReadOnlyList<string> Groups,
    AccessEndReason? Reason)
{
    public const string Subject = "entitlement.changed.v1";
}

/// <summary>Why a source stopped granting access. Decides whether the member is unsubscribed when nothing is left.</summary>
public enum AccessEndReason
{
    /// <summary>Its term ended.</summary>
    Expired,

    /// <summary>It was used up, e.g. the last pass.</summary>
    Utilized,

    /// <summary>The membership was downgraded after its renewals failed.</summary>
    Downgraded,

    /// <summary>Staff took it away by hand; never unsubscribes by itself.</summary>
    Revoked,
}

/// <summary>Command, sent to <c>Queues.Access</c>: look at a member's doors again.</summary>
public sealed record ReconcileAccess(MemberId MemberId)
{
    public const string Subject = "access.reconcile.v1";
}
