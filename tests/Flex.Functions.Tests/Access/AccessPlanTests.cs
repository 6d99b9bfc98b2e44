using Flex.Access;
using Flex.Kernel;
using Xunit;

namespace Flex.Functions.Tests.Access;

/// <summary>Decision tables: what is desired, what is found, and the calls that follow.</summary>
public sealed class AccessPlanTests
{
    private static readonly MemberId Ann = EntityId.Derive<MemberId>("ann");
    private static readonly DoorUserIds Ids = new("site", "site-user", "platform-user");
    private static readonly AccessSettings Off = new(false, "site", new HashSet<string> { "coworking", "night", "studio" });
    private static readonly AccessSettings On = Off with { UnsubscribeWhenAllRevoked = true };

    [Fact]
    [Trait("Rule", "ACC-2")]
    public void Nobody_at_salto_means_create_and_look_again() =>
        Decides(Granted("coworking") with { User = null }, null, Off, "LookAgain", "CreateUser");

    [Fact]
    [Trait("Rule", "ACC-2")]
    public void The_difference_is_removed_first_and_then_added() =>
        Decides(Granted("night", "studio"), Found(true, "coworking", "night"), Off, "Subscribed", "RemoveGroup coworking", "AddGroup studio");

    [Fact]
    [Trait("Rule", "ACC-2")]
    public void Deciding_again_on_what_was_made_does_nothing_more() =>
        Decides(Granted("night", "studio"), Found(true, "night", "studio"), Off, "Subscribed");

    [Fact]
    [Trait("Rule", "ACC-3")]
    public void Lost_groups_are_removed_and_the_seat_is_kept_when_the_option_is_off() =>
        Decides(Lost(AccessEndReason.Expired), Found(true, "coworking", "night"), Off, "GroupsRevoked", "RemoveGroup coworking", "RemoveGroup night");

    [Theory]
    [Trait("Rule", "ACC-4")]
    [Trait("Rule", "MEM-13")]
    [InlineData(AccessEndReason.Expired)]
    [InlineData(AccessEndReason.Utilized)]
    [InlineData(AccessEndReason.Downgraded)]
    public void All_groups_lost_through_the_course_of_things_unsubscribes_after_revoking(AccessEndReason reason) =>
        Decides(Lost(reason), Found(true, "coworking"), On, "Unsubscribed", "RemoveGroup coworking", "Unsubscribe");

    [Fact]
    [Trait("Rule", "ACC-4")]
    public void All_groups_lost_for_mixed_reasons_unsubscribes() =>
        Decides(
            Lost(AccessEndReason.Expired, AccessEndReason.Downgraded),
            Found(true, "coworking"),
            On,
            "Unsubscribed",
            "RemoveGroup coworking",
            "Unsubscribe");

    [Fact]
    [Trait("Rule", "ACC-4")]
    public void One_group_left_means_no_change_of_the_seat() =>
        Decides(GrantedAfterLoss("night"), Found(true, "coworking", "night"), On, "Subscribed", "RemoveGroup coworking");

    [Fact]
    [Trait("Rule", "ACC-4")]
    public void One_group_revoked_by_hand_flags_the_user_for_staff_instead() =>
        Decides(Lost(AccessEndReason.Expired, AccessEndReason.Revoked), Found(true, "coworking"), On, "GroupsRevoked RevokedByHand", "RemoveGroup coworking");

    [Fact]
    [Trait("Rule", "ACC-4")]
    public void A_flag_stays_when_the_doors_are_looked_at_again() =>
        Decides(
            Lost(AccessEndReason.Revoked).Settle(AccessState.GroupsRevoked, AccessAttention.RevokedByHand),
            Found(true),
            On,
            "GroupsRevoked RevokedByHand");

    [Fact]
    [Trait("Rule", "ACC-4")]
    [Trait("Rule", "ACC-9")]
    public void A_group_outside_the_mapping_is_left_alone_and_keeps_the_seat() =>
        Decides(Lost(AccessEndReason.Expired), Found(true, "coworking", "cleaners"), On, "GroupsRevoked", "RemoveGroup coworking");

    [Fact]
    [Trait("Rule", "ACC-5")]
    public void Switching_the_option_on_does_not_reach_back()
    {
        MemberAccess settledBefore = Lost(AccessEndReason.Expired).Settle(AccessState.GroupsRevoked, null);

        Decides(settledBefore, Found(true), On, "GroupsRevoked");
    }

    [Fact]
    [Trait("Rule", "ACC-6")]
    public void A_new_entitlement_subscribes_first_and_looks_again_before_any_group() =>
        Decides(Granted("coworking"), Found(false), On, "LookAgain", "Subscribe");

    [Fact]
    [Trait("Rule", "ACC-6")]
    public void With_a_seat_the_groups_follow() =>
        Decides(Granted("coworking"), Found(true), On, "Subscribed", "AddGroup coworking");

    [Fact]
    [Trait("Rule", "ACC-9")]
    public void An_administrator_is_never_touched()
    {
        DoorSnapshot admin = Found(true, "coworking") with { User = new DoorUser(Ids, true, DoorUserKind.Protected) };

        Decides(Granted("night"), admin, On, "NeedsAttention ProtectedUser");
        Decides(Granted("night") with { User = null, Provisioning = true }, admin, On, "NeedsAttention ProtectedUser");
        Decides(Lost(AccessEndReason.Expired), admin, On, "NeedsAttention ProtectedUser");
    }

    [Fact]
    [Trait("Rule", "ACC-9")]
    public void A_plain_user_found_by_email_is_adopted_before_anything_else() =>
        Decides(Granted("night") with { User = null }, Found(true, "coworking"), On, "Subscribed", "AdoptUser", "RemoveGroup coworking", "AddGroup night");

    [Fact]
    [Trait("Rule", "ACC-9")]
    public void A_user_that_is_not_ours_is_left_alone_when_nothing_is_granted() =>
        Decides(Lost(AccessEndReason.Expired) with { User = null }, Found(true, "coworking"), On, "NotProvisioned");

    [Fact]
    [Trait("Rule", "ACC-9")]
    public void A_found_user_without_roles_may_be_anybody_so_we_wait()
    {
        DoorSnapshot unclear = Found(true) with { User = new DoorUser(Ids, true, DoorUserKind.Unclear) };

        Decides(Granted("night") with { User = null }, unclear, On, "Wait");
        Decides(Granted("night"), unclear, On, "Subscribed", "AddGroup night");
    }

    [Fact]
    [Trait("Rule", "ACC-9")]
    public void A_granted_group_outside_the_mapping_is_not_given_but_the_others_are()
    {
        Decides(Granted("cleaners", "night"), Found(true), On, "Subscribed GroupNotManaged", "AddGroup night");
        Decides(Granted("cleaners"), Found(true, "night"), On, "NeedsAttention GroupNotManaged", "RemoveGroup night");
        Decides(Granted("cleaners") with { User = null }, null, On, "NeedsAttention GroupNotManaged");
    }

    [Fact]
    [Trait("Rule", "ACC-9")]
    public void A_group_we_gave_is_taken_back_even_if_it_has_left_the_mapping() =>
        Decides(Lost(AccessEndReason.Expired) with { Touched = ["old"] }, Found(true, "old"), Off, "GroupsRevoked", "RemoveGroup old");

    [Fact]
    public void A_crash_while_creating_lets_the_next_run_clean_up_what_it_finds()
    {
        MemberAccess crashed = Lost(AccessEndReason.Expired) with { User = null, Provisioning = true };

        Decides(crashed, Found(true, "coworking"), On, "Unsubscribed", "AdoptUser", "RemoveGroup coworking", "Unsubscribe");
        Decides(crashed, null, On, "NotProvisioned");
    }

    private static void Decides(MemberAccess access, DoorSnapshot? found, AccessSettings settings, string outcome, params string[] steps)
    {
        AccessPlan plan = AccessPlan.Decide(access, found, settings);

        Assert.Equal(steps, plan.Steps.Select(Text));
        Assert.Equal(
            outcome,
            plan.Outcome == AccessPlanOutcome.Final ? $"{plan.State} {plan.Attention}".TrimEnd() : plan.Outcome.ToString());
    }

    private static string Text(AccessStep step) => step switch
    {
        AccessStep.AddGroup add => $"AddGroup {add.GroupId}",
        AccessStep.RemoveGroup remove => $"RemoveGroup {remove.GroupId}",
        _ => step.GetType().Name,
    };

    private static DoorSnapshot Found(bool subscribed, params string[] groups) =>
        new(new DoorUser(Ids, subscribed, DoorUserKind.Plain), groups.ToHashSet());

    private static MemberAccess Granted(params string[] groups) =>
        MemberAccess.None(Ann).Apply(new EntitlementChanged(Ann, "a", 1, groups, null))! with { User = Ids, Provisioning = false };

    private static MemberAccess GrantedAfterLoss(string group) =>
        Lost(AccessEndReason.Expired).Apply(new EntitlementChanged(Ann, "other", 1, [group], null))!;

    /// <summary>One source per reason, each of which granted <c>coworking</c> and has ended.</summary>
    private static MemberAccess Lost(params AccessEndReason[] reasons)
    {
        MemberAccess access = MemberAccess.None(Ann);
        foreach (AccessEndReason reason in reasons)
        {
            access = access.Apply(new EntitlementChanged(Ann, $"{reason}", 1, ["coworking"], null))!;
        }

        foreach (AccessEndReason reason in reasons)
        {
            access = access.Apply(new EntitlementChanged(Ann, $"{reason}", 2, [], reason))!;
        }

        return access with { User = Ids, Provisioning = false };
    }
}
