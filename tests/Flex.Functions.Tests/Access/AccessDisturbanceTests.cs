using Flex.Access;
using Flex.Kernel;
using Flex.Local.Simulators.Salto;
using Xunit;

namespace Flex.Functions.Tests.Access;

/// <summary>The doors follow although processes are killed, calls and commits are lost, and messages come in any order.</summary>
public sealed class AccessDisturbanceTests
{
    [Fact]
    public async Task A_group_given_by_a_killed_run_is_taken_back_when_it_is_not_desired_any_more()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");
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
    public async Task Two_messages_at_once_end_with_what_both_say()
    {
        using AccessWorld world = await AccessWorld.GrantedAsync("coworking");
        bool interleaved = false;
        world.Tables.BeforeCommit = async batch =>
        {
            // The first run has acted and is about to save; the second message is handled completely in between.
            if (!interleaved && batch.Partition == AccessWorld.Ann.Value && batch.Operations.Count == 1)
            {
                interleaved = true;
                await world.TellAsync(world.Grants("x", 1, "night"));
            }
        };

        await world.TellAsync(AccessWorld.Ends("coworking", 2, AccessEndReason.Expired));

        Assert.True(interleaved);
        Assert.Equal([world.Group("night")], world.User!.Groups);
        Assert.Equal("subscribed", world.User.SubscriptionState);
        MemberAccess access = await world.AccessAsync();
        Assert.Equal((AccessState.Subscribed, false), (access.State, access.Pending));
        Assert.Equal([world.Group("night")], access.Applied);
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

    private static IEnumerable<T[]> Permutations<T>(T[] items) => items.Length <= 1
        ? [items]
        : items.SelectMany((item, i) => Permutations([.. items[..i], .. items[(i + 1)..]]).Select(rest => (T[])[item, .. rest]));
}
