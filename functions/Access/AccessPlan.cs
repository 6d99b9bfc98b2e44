namespace Flex.Access;

/// <summary>What was found at the door system.</summary>
/// <param name="Groups">
/// Groups the user is in. When nothing is desired it must be all of them, else those of the managed and touched groups that were asked for.
/// </param>
public sealed record DoorSnapshot(DoorUser User, IReadOnlySet<string> Groups);

/// <summary>One call to the door system.</summary>
public abstract record AccessStep
{
    /// <summary>Create the user. Look again afterwards: there may have been no seat.</summary>
    public sealed record CreateUser : AccessStep;

    /// <summary>Take over the user that was found by the member's e-mail.</summary>
    public sealed record AdoptUser(DoorUserIds User) : AccessStep;

    /// <summary>Ask for a seat. Look again afterwards: it may silently not have been given.</summary>
    public sealed record Subscribe : AccessStep;

    public sealed record AddGroup(string GroupId) : AccessStep;

    public sealed record RemoveGroup(string GroupId) : AccessStep;

    /// <summary>Give the seat back.</summary>
    public sealed record Unsubscribe : AccessStep;
}

public enum AccessPlanOutcome
{
    /// <summary>After the steps the member is in <see cref="AccessPlan.State"/>.</summary>
    Final,

    /// <summary>After the steps look again and decide again.</summary>
    LookAgain,

    /// <summary>The door system is not settled; try later.</summary>
    Wait,
}

/// <summary>
/// How to bring one member's doors in line: an ordered list of steps and what holds after them. Deciding again on what the steps
/// have made yields no further steps, so a run that was cut short anywhere is simply repeated.
/// </summary>
public sealed record AccessPlan(IReadOnlyList<AccessStep> Steps, AccessPlanOutcome Outcome, AccessState State, AccessAttention? Attention)
{
    /// <param name="user">The member's user, known by id or found by e-mail; null when there is none.</param>
    public static AccessPlan Decide(MemberAccess access, DoorSnapshot? user, AccessSettings settings)
    {
        IReadOnlyList<string> desired = access.Desired();
        string[] granted = [.. desired.Where(settings.ManagedGroups.Contains)];
        AccessAttention? unmanaged = granted.Length < desired.Count ? AccessAttention.GroupNotManaged : null;
        if (user is null)
        {
            return (desired.Count, granted.Length) switch
            {
                (0, _) => Final([], AccessState.NotProvisioned, null),
                (_, 0) => Final([], AccessState.NeedsAttention, unmanaged),
                _ => new([new AccessStep.CreateUser()], AccessPlanOutcome.LookAgain, access.State, access.Attention),
            };
        }

        bool known = access.User == user.User.Ids;
        if (!known && desired.Count == 0 && !access.Provisioning)
        {
            return Final([], AccessState.NotProvisioned, null);
        }

        if (user.User.Kind == DoorUserKind.Protected)
        {
            return Final([], AccessState.NeedsAttention, AccessAttention.ProtectedUser);
        }

        if (!known && user.User.Kind == DoorUserKind.Unclear)
        {
            return new([], AccessPlanOutcome.Wait, access.State, access.Attention);
        }

        List<AccessStep> steps = known ? [] : [new AccessStep.AdoptUser(user.User.Ids)];
        string[] surplus = [.. user.Groups
            .Where(g => settings.ManagedGroups.Contains(g) || access.Touched.Contains(g))
            .Except(desired)
            .Order(StringComparer.Ordinal)];
        steps.AddRange(surplus.Select(g => new AccessStep.RemoveGroup(g)));
        return desired.Count > 0
            ? Grant(access, user, granted, unmanaged, steps)
            : Revoke(access, user, user.Groups.Count - surplus.Length, settings, steps);
    }

    private static AccessPlan Grant(MemberAccess access, DoorSnapshot user, string[] granted, AccessAttention? unmanaged, List<AccessStep> steps)
    {
        if (granted.Length == 0)
        {
            return Final(steps, AccessState.NeedsAttention, unmanaged);
        }

        if (!user.User.Subscribed)
        {
            steps.Add(new AccessStep.Subscribe());
            return new(steps, AccessPlanOutcome.LookAgain, access.State, access.Attention);
        }

        steps.AddRange(granted.Where(g => !user.Groups.Contains(g)).Select(g => new AccessStep.AddGroup(g)));
        return Final(steps, AccessState.Subscribed, unmanaged);
    }

    /// <summary>Everything is lost. Revoking comes before unsubscribing, so that a run cut short leaves no group behind an empty seat.</summary>
    private static AccessPlan Revoke(MemberAccess access, DoorSnapshot user, int left, AccessSettings settings, List<AccessStep> steps)
    {
        if (!user.User.Subscribed)
        {
            return Final(steps, AccessState.Unsubscribed, null);
        }

        IReadOnlyList<AccessEndReason> reasons = access.OpenEnds();
        if (reasons.Count == 0)
        {
            return Final(steps, AccessState.GroupsRevoked, access.Attention == AccessAttention.RevokedByHand ? access.Attention : null);
        }

        if (!settings.UnsubscribeWhenAllRevoked || left > 0)
        {
            return Final(steps, AccessState.GroupsRevoked, null);
        }

        if (reasons.Contains(AccessEndReason.Revoked))
        {
            return Final(steps, AccessState.GroupsRevoked, AccessAttention.RevokedByHand);
        }

        steps.Add(new AccessStep.Unsubscribe());
        return Final(steps, AccessState.Unsubscribed, null);
    }

    private static AccessPlan Final(IReadOnlyList<AccessStep> steps, AccessState state, AccessAttention? attention) =>
        new(steps, AccessPlanOutcome.Final, state, attention);
}
