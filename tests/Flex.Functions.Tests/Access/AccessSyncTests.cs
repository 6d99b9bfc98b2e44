using Flex.Access;
using Flex.Kernel;
using Flex.Local.Simulators.Salto;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Xunit;

namespace Flex.Functions.Tests.Access;

/// <summary>From the message to the doors of the simulated Salto KS, disturbed in every way the vendor and the host can.</summary>
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
        using AccessWorld world = await GrantedAsync("coworking", "night");

        await world.TellAsync(AccessWorld.Ends("night", 2, AccessEndReason.Expired));
        Assert.Equal("subscribed", world.User!.SubscriptionState);
        Assert.Equal([world.Group("coworking")], world.User.Groups);

        world.Calls.Clear();
        await world.TellAsync(AccessWorld.Ends("coworking", 2, AccessEndReason.Downgraded));
        Assert.Equal("suspended", world.User.SubscriptionState);
        Assert.Empty(world.User.Groups);
        Assert.Equal(AccessState.Unsubscribed, (await world.AccessAsync()).State);
        Assert.True(
            world.Calls.FindIndex(c => c.StartsWith("DELETE", StringComparison.Ordinal)) < world.Calls.FindIndex(c => c.StartsWith("PATCH", StringComparison.Ordinal)),
            "Revoking comes before unsubscribing.");
    }

    [Fact]
    [Trait("Rule", "ACC-5")]
    public async Task With_the_option_off_the_seat_stays_and_switching_it_on_later_changes_nothing()
    {
        using AccessWorld world = await GrantedAsync("coworking");
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
        using AccessWorld world = await GrantedAsync("coworking", "night");

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
        using AccessWorld world = await GrantedAsync("coworking");
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
    public async Task A_group_given_by_a_killed_run_is_taken_back_when_it_is_not_desired_any_more()
    {
        using AccessWorld world = await GrantedAsync("coworking");
        world.CrashAtPath = $"{world.Group("night")}/users";
        world.CrashAfterEffect = true;
        await Assert.ThrowsAsync<AccessWorld.KilledException>(() => world.TellAsync(world.Grants("x", 1, "night")));
        Assert.Equal(2, world.User!.Groups.Count);
        world.Restart();

        await world.TellAsync(AccessWorld.Ends("x", 2, AccessEndReason.Expired));

        Assert.Equal([world.Group("coworking")], world.User!.Groups);
    }

    [Fact]
    public async Task A_user_created_by_a_killed_run_gives_the_seat_back_when_nothing_is_desired_any_more()
    {
        using var world = new AccessWorld();
        world.CrashAtPath = $"{world.Site.SiteId}/users";
        world.CrashAfterEffect = true;
        await Assert.ThrowsAsync<AccessWorld.KilledException>(() => world.TellAsync(world.Grants("mem", 1, "coworking")));
        Assert.Equal("subscribed", world.User!.SubscriptionState);
        world.Restart();

        await world.TellAsync(AccessWorld.Ends("mem", 2, AccessEndReason.Expired));
        await world.SettleAsync();

        Assert.Equal("suspended", world.User.SubscriptionState);
        Assert.Equal(AccessState.Unsubscribed, (await world.AccessAsync()).State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kill_at_any_call_ends_in_the_same_state_as_an_undisturbed_run(bool afterEffect)
    {
        (string undisturbed, int calls) = await StoryAsync(crashAt: -1, afterEffect);
        Assert.Contains("Unsubscribed", undisturbed, StringComparison.Ordinal);

        for (int crashAt = 0; crashAt < calls; crashAt++)
        {
            (string disturbed, _) = await StoryAsync(crashAt, afterEffect);
            Assert.Equal(undisturbed, disturbed);
        }
    }

    [Theory]
    [InlineData(SaltoFaultKind.TooManyRequests)]
    [InlineData(SaltoFaultKind.ServerError)]
    [InlineData(SaltoFaultKind.ServerErrorAfterEffect)]
    [InlineData(SaltoFaultKind.LostRequest)]
    [InlineData(SaltoFaultKind.LostAnswer)]
    [InlineData(SaltoFaultKind.ErrorCodeInSuccess)]
    [InlineData(SaltoFaultKind.TokenRejected)]
    public async Task A_fault_of_any_call_never_reaches_the_broker_and_ends_in_the_same_state(SaltoFaultKind kind)
    {
        (string undisturbed, int calls) = await StoryAsync(crashAt: -1, false);
        for (int at = 0; at < calls; at++)
        {
            using var world = new AccessWorld();
            world.Faults.Add(kind, skip: at);

            await PlayAsync(world);

            Assert.Equal(undisturbed, await world.OutcomeAsync());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lost_commit_or_a_lost_answer_of_a_commit_ends_in_the_same_state(bool afterCommit)
    {
        (string undisturbed, _) = await StoryAsync(crashAt: -1, false);
        for (int at = 0; ; at++)
        {
            using var world = new AccessWorld();
            int left = at;
            bool hit = false;
            Task Hit(Flex.Platform.Tables.TableBatch batch)
            {
                hit |= left == 0;
                return left-- == 0 ? throw new TransientFaultException("storage") : Task.CompletedTask;
            }

            world.Tables.BeforeCommit = afterCommit ? null : Hit;
            world.Tables.AfterCommit = afterCommit ? Hit : null;
            await PlayAsync(world, alsoReconcileFaults: true);
            if (!hit)
            {
                break;
            }

            Assert.Equal(undisturbed, await world.OutcomeAsync());
        }
    }

    [Fact]
    public async Task Every_order_and_repetition_of_messages_ends_with_the_desired_groups_and_no_other()
    {
        using var reference = new AccessWorld();
        EntitlementChanged[] messages =
        [
            reference.Grants("a", 1, "coworking"),
            reference.Grants("a", 2, "coworking", "night"),
            AccessWorld.Ends("a", 3, AccessEndReason.Expired),
            reference.Grants("b", 1, "night"),
        ];
        foreach (EntitlementChanged[] order in Permutations(messages))
        {
            using var world = new AccessWorld();
            foreach (EntitlementChanged message in order.Concat(order))
            {
                await world.TellAsync(message);
                world.Time.Advance(TimeSpan.FromMinutes(2));
            }

            await world.SettleAsync();

            Assert.Equal([world.Group("night")], world.User!.Groups);
            Assert.Equal("subscribed", world.User.SubscriptionState);
            Assert.Equal(AccessState.Subscribed, (await world.AccessAsync()).State);
        }
    }

    [Fact]
    public async Task A_repeated_message_makes_no_call_and_no_write()
    {
        using AccessWorld world = await GrantedAsync("coworking");
        world.Calls.Clear();
        var before = world.Tables.Snapshot(AccessStore.Table, AccessWorld.Ann.Value);

        await world.TellAsync(world.Grants("coworking", 1, "coworking"));

        Assert.Empty(world.Calls);
        Assert.Equal(before, world.Tables.Snapshot(AccessStore.Table, AccessWorld.Ann.Value));
    }

    [Fact]
    public async Task Taking_in_a_change_costs_four_storage_calls_and_a_renewal_two()
    {
        using AccessWorld world = await GrantedAsync("coworking");

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
        using AccessWorld world = await GrantedAsync("coworking");
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
        using AccessWorld world = await GrantedAsync("coworking");
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
        using AccessWorld world = await GrantedAsync("coworking");
        Task<Reply<AccessView>> As(Caller caller) =>
            world.Get.HandleAsync(AccessWorld.Ann, RequestContext.For(caller), TestContext.Current.CancellationToken);

        AccessView view = (await As(new Caller(Role.Member, "ann", AccessWorld.Ann))).Value!;
        Assert.Equal(AccessState.Subscribed, view.State);
        Assert.Equal([world.Group("coworking")], view.DesiredGroups);
        Assert.Equal([world.Group("coworking")], view.AppliedGroups);
        Assert.Equivalent(view, (await As(new Caller(Role.Staff, "sam"))).Value, strict: true);
        Assert.Equal(ErrorCodes.NotFound, (await As(new Caller(Role.Member, "ben", EntityId.Derive<MemberId>("ben")))).Error!.Code);
    }

    /// <summary>The whole life: join, gain, lose one, lose all. Returns the outcome and how many calls it took.</summary>
    private static async Task<(string Outcome, int Calls)> StoryAsync(int crashAt, bool afterEffect)
    {
        using var world = new AccessWorld { CrashAtCall = crashAt, CrashAfterEffect = afterEffect };
        await PlayAsync(world, alsoReconcileFaults: true);
        return (await world.OutcomeAsync(), world.Calls.Count);
    }

    private static async Task PlayAsync(AccessWorld world, bool alsoReconcileFaults = false)
    {
        foreach (EntitlementChanged message in new[]
        {
            world.Grants("a", 1, "coworking"),
            world.Grants("b", 1, "night"),
            AccessWorld.Ends("a", 2, AccessEndReason.Utilized),
            AccessWorld.Ends("b", 2, AccessEndReason.Downgraded),
        })
        {
            if (alsoReconcileFaults)
            {
                await world.TellUntilTakenAsync(message);
                await SettleThroughAsync(world);
            }
            else
            {
                await world.TellAsync(message);
                await world.SettleAsync();
            }
        }
    }

    private static async Task SettleThroughAsync(AccessWorld world)
    {
        try
        {
            await world.SettleAsync();
        }
        catch (Exception fault) when (fault is AccessWorld.KilledException or TransientFaultException)
        {
            world.Restart();
            await world.SettleAsync();
        }
    }

    private static async Task<AccessWorld> GrantedAsync(params string[] groups)
    {
        var world = new AccessWorld();
        foreach (string group in groups)
        {
            await world.TellAsync(world.Grants(group, 1, group));
        }

        await world.SettleAsync();
        Assert.Equal(groups.Length, world.User!.Groups.Count);
        return world;
    }

    private static string[] Ordered(params string[] groups) => [.. groups.Order(StringComparer.Ordinal)];

    private static IEnumerable<T[]> Permutations<T>(T[] items) => items.Length <= 1
        ? [items]
        : items.SelectMany((item, i) => Permutations([.. items[..i], .. items[(i + 1)..]]).Select(rest => (T[])[item, .. rest]));
}
