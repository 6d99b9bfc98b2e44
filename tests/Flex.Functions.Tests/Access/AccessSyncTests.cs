using Flex.Access;
using Flex.Kernel;
using Flex.Local.Simulators.Salto;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Xunit;

namespace Flex.Functions.Tests.Access;

/// <summary>From the message to the doors of the simulated Salto KS.</summary>
public sealed class AccessSyncTests
{
    [Fact]
    [Trait("Rule", "ACC-2")]
    public async Task A_first_entitlement_creates_the_user_and_opens_the_doors_once_salto_is_settled()
    {
        using var world = new AccessWorld();

        await world.TellAsync(world.Grants("mem", 1, "coworking"));
        Assert.Equal("subscribed", world.User!.SubscriptionState);
        Assert.Empty(world.User.Groups);
        Assert.True((await world.AccessAsync()).Pending);

        await world.SettleAsync();
        Assert.Equal([world.Group("coworking")], world.User.Groups);
        Assert.Equal([SaltoUsersApi.UserRole], world.User.Roles);
        MemberAccess access = await world.AccessAsync();
        Assert.Equal(AccessState.Subscribed, access.State);
        Assert.Equal(new DoorUserIds(world.Site.SiteId, world.User.SiteUserId, world.User.PlatformUserId), access.User);
        Assert.False(access.Pending);
        Assert.Equal(0, world.PendingMembers());
    }

    [Fact]
    [Trait("Rule", "ACC-4")]
    public async Task One_of_two_groups_lost_changes_nothing_else_and_the_second_frees_the_seat()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking", "night");

        await world.TellAsync(AccessWorld.Ends("night", 2, AccessEndReason.Expired));
        Assert.Equal("subscribed", world.User!.SubscriptionState);
        Assert.Equal([world.Group("coworking")], world.User.Groups);

        world.Calls.Clear();
        await world.TellAsync(AccessWorld.Ends("coworking", 2, AccessEndReason.Downgraded));
        Assert.Equal("suspended", world.User.SubscriptionState);
        Assert.Empty(world.User.Groups);
        Assert.Equal(AccessState.Unsubscribed, (await world.AccessAsync()).State);
        int revoked = world.Calls.FindIndex(c => c.StartsWith("DELETE", StringComparison.Ordinal));
        int unsubscribed = world.Calls.FindIndex(c => c.StartsWith("PATCH", StringComparison.Ordinal));
        Assert.True(revoked >= 0 && revoked < unsubscribed, "Revoking comes before unsubscribing.");
    }

    [Fact]
    [Trait("Rule", "ACC-5")]
    public async Task With_the_option_off_the_seat_stays_and_switching_it_on_later_changes_nothing()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");
        world.Settings = world.Settings with { UnsubscribeWhenAllRevoked = false };

        await world.TellAsync(AccessWorld.Ends("coworking", 2, AccessEndReason.Expired));
        world.Settings = world.Settings with { UnsubscribeWhenAllRevoked = true };
        await world.SettleAsync();

        Assert.Equal("subscribed", world.User!.SubscriptionState);
        Assert.Empty(world.User.Groups);
        Assert.Equal(AccessState.GroupsRevoked, (await world.AccessAsync()).State);
    }

    [Fact]
    [Trait("Rule", "ACC-4")]
    public async Task A_revocation_by_hand_keeps_the_seat_and_flags_the_member()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking", "night");

        await world.TellAsync(AccessWorld.Ends("night", 2, AccessEndReason.Revoked));
        await world.TellAsync(AccessWorld.Ends("coworking", 2, AccessEndReason.Expired));

        Assert.Equal("subscribed", world.User!.SubscriptionState);
        Assert.Empty(world.User.Groups);
        Assert.Equal(AccessAttention.RevokedByHand, (await world.AccessAsync()).Attention);
        Assert.Equal(0, world.PendingMembers());
    }

    [Fact]
    [Trait("Rule", "ACC-6")]
    public async Task A_member_who_comes_back_is_subscribed_again()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");
        await world.TellAsync(AccessWorld.Ends("coworking", 2, AccessEndReason.Expired));

        await world.TellAsync(world.Grants("again", 1, "night"));

        Assert.Equal("subscribed", world.User!.SubscriptionState);
        Assert.Equal([world.Group("night")], world.User.Groups);
        Assert.Single(world.Salto.Inspection.Users());
    }

    [Theory]
    [Trait("Rule", "ACC-6")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_a_free_seat_staff_are_told_and_the_next_reconcile_after_one_is_free_opens_the_doors(bool silent)
    {
        using var world = new AccessWorld(
            new SaltoSimulatorOptions { SilentWithoutSeat = silent },
            seats: 1,
            new SaltoUserSeed("other@flex.test", "Olga", "Other", SaltoUsersApi.UserRole, []));

        await world.TellAsync(world.Grants("mem", 1, "coworking"));
        await world.SettleAsync();
        Assert.Equal("suspended", world.User!.SubscriptionState);
        Assert.Empty(world.User.Groups);
        MemberAccess waiting = await world.AccessAsync();
        Assert.Equal((AccessState.NeedsAttention, AccessAttention.NoFreeSeat), (waiting.State, waiting.Attention));
        Assert.Equal(1, world.PendingMembers());

        world.Salto.Control.SetSeats(world.Site.SiteId, 2);
        await world.SettleAsync();
        Assert.Equal("subscribed", world.User.SubscriptionState);
        Assert.Equal([world.Group("coworking")], world.User.Groups);
        Assert.Null((await world.AccessAsync()).Attention);
        Assert.Equal(0, world.PendingMembers());
    }

    [Fact]
    [Trait("Rule", "ACC-9")]
    public async Task An_administrator_with_the_members_email_is_never_touched()
    {
        using var world = new AccessWorld(3, new SaltoUserSeed(AccessWorld.Email, "Ann", "Boss", SaltoUsersApi.AdminRole, ["cleaners"]));
        SaltoUserFacts before = world.User!;

        await world.TellAsync(world.Grants("mem", 1, "coworking"));
        await world.TellAsync(AccessWorld.Ends("mem", 2, AccessEndReason.Expired));
        await world.SettleAsync();

        Assert.Equivalent(before, world.User, strict: true);
        Assert.DoesNotContain(world.Calls, c => !c.StartsWith("GET", StringComparison.Ordinal) && !c.Contains("/connect/token", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Rule", "ACC-9")]
    public async Task An_adopted_user_keeps_the_groups_outside_the_mapping_and_with_them_the_seat()
    {
        using var world = new AccessWorld(3, new SaltoUserSeed("ANN@flex.test", "Ann", "Member", SaltoUsersApi.UserRole, ["cleaners", "night"]));

        await world.TellAsync(world.Grants("mem", 1, "coworking"));
        Assert.Equal(Ordered(world.Group("cleaners"), world.Group("coworking")), world.User!.Groups);

        await world.TellAsync(AccessWorld.Ends("mem", 2, AccessEndReason.Expired));
        Assert.Equal([world.Group("cleaners")], world.User.Groups);
        Assert.Equal("subscribed", world.User.SubscriptionState);
    }

    [Fact]
    [Trait("Rule", "ACC-9")]
    public async Task A_user_who_is_not_ours_is_left_alone_when_an_unknown_source_ends()
    {
        using var world = new AccessWorld(3, new SaltoUserSeed(AccessWorld.Email, "Ann", "Member", SaltoUsersApi.UserRole, ["night"]));

        await world.TellAsync(AccessWorld.Ends("mem", 1, AccessEndReason.Expired));
        await world.SettleAsync();

        Assert.Equal([world.Group("night")], world.User!.Groups);
        Assert.Empty(world.Calls);
    }

    [Fact]
    public async Task A_repeated_message_makes_no_call_and_no_write()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");
        world.Calls.Clear();
        var before = world.Tables.Snapshot(AccessStore.Table, AccessWorld.Ann.Value);

        await world.TellAsync(world.Grants("coworking", 1, "coworking"));

        Assert.Empty(world.Calls);
        Assert.Equal(before, world.Tables.Snapshot(AccessStore.Table, AccessWorld.Ann.Value));
    }

    [Fact]
    public async Task Taking_in_a_change_costs_four_storage_calls_and_a_renewal_two()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");

        long before = world.Tables.Calls;
        await world.TellAsync(world.Grants("coworking", 2, "coworking"));
        Assert.Equal(2, world.Tables.Calls - before);

        before = world.Tables.Calls;
        await world.TellAsync(AccessWorld.Ends("coworking", 3, AccessEndReason.Downgraded));
        Assert.Equal(4, world.Tables.Calls - before);
    }

    [Fact]
    public async Task Before_salto_is_connected_members_are_listed_and_follow_at_the_first_reconcile_after_it()
    {
        using var world = new AccessWorld();
        AccessSettings connected = world.Settings;
        world.Settings = connected with { SiteId = null };
        await world.TellAsync(world.Grants("mem", 1, "coworking"));
        await world.SettleAsync();
        Assert.Empty(world.Calls);
        Assert.Equal(1, world.PendingMembers());

        world.Settings = connected;
        await world.SettleAsync();

        Assert.Equal([world.Group("coworking")], world.User!.Groups);
        Assert.Equal(0, world.PendingMembers());
    }

    [Fact]
    public async Task A_member_without_an_email_is_flagged_until_there_is_one()
    {
        using var world = new AccessWorld { Person = new AccessPerson(null, "Ann", "Member") };
        await world.TellAsync(world.Grants("mem", 1, "coworking"));
        Assert.Equal(AccessAttention.NoEmail, (await world.AccessAsync()).Attention);

        world.Person = new AccessPerson(AccessWorld.Email, "Ann", "Member");
        await world.SettleAsync();

        Assert.Equal([world.Group("coworking")], world.User!.Groups);
        Assert.Null((await world.AccessAsync()).Attention);
    }

    [Fact]
    public async Task A_salto_that_keeps_refusing_is_reported_and_still_tried()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");
        world.Faults.Add(SaltoFaultKind.ErrorCodeInSuccess, "DELETE", times: 6);

        await world.TellAsync(AccessWorld.Ends("coworking", 2, AccessEndReason.Expired));
        for (int i = 0; i < 4; i++)
        {
            await world.Reconcile.RunAsync(TestContext.Current.CancellationToken);
        }

        MemberAccess refused = await world.AccessAsync();
        Assert.Equal((AccessState.NeedsAttention, AccessAttention.Refused), (refused.State, refused.Attention));
        Assert.Equal("Salto refused with 200/1000.", refused.LastFault);

        await world.SettleAsync();
        Assert.Equal("suspended", world.User!.SubscriptionState);
        Assert.Null((await world.AccessAsync()).Attention);
    }

    [Fact]
    public async Task A_user_deleted_in_salto_is_created_anew_at_the_next_change()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");
        string first = world.User!.SiteUserId;
        world.Salto.Control.Remove(world.Site.SiteId, first);

        await world.TellAsync(world.Grants("more", 1, "night"));
        await world.SettleAsync();

        Assert.NotEqual(first, world.User!.SiteUserId);
        Assert.Equal(Ordered(world.Group("coworking"), world.Group("night")), world.User.Groups);
    }

    [Fact]
    public async Task Members_see_their_own_access_and_staff_everyones()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");
        Task<Reply<AccessView>> As(Caller caller) =>
            world.Get.HandleAsync(AccessWorld.Ann, RequestContext.For(caller), TestContext.Current.CancellationToken);

        AccessView view = (await As(new Caller(Role.Member, "ann", AccessWorld.Ann))).Value!;
        Assert.Equal(AccessState.Subscribed, view.State);
        Assert.Equal([world.Group("coworking")], view.DesiredGroups);
        Assert.Equal([world.Group("coworking")], view.AppliedGroups);
        Assert.Equivalent(view, (await As(new Caller(Role.Staff, "sam"))).Value, strict: true);
        Assert.Equal(ErrorCodes.NotFound, (await As(new Caller(Role.Member, "ben", EntityId.Derive<MemberId>("ben")))).Error!.Code);
    }

    private static string[] Ordered(params string[] groups) => [.. groups.Order(StringComparer.Ordinal)];
}
