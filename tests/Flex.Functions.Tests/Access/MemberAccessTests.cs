using CsCheck;
using Flex.Access;
using Flex.Kernel;
using Xunit;

namespace Flex.Functions.Tests.Access;

public sealed class MemberAccessTests
{
    private static readonly MemberId Ann = EntityId.Derive<MemberId>("ann");

    [Fact]
    [Trait("Rule", "ACC-2")]
    public void Desired_groups_are_the_union_over_all_sources()
    {
        MemberAccess access = Told(Says("a", 1, "coworking", "night"), Says("b", 1, "coworking", "studio"));

        Assert.Equal(["coworking", "night", "studio"], access.Desired());
        Assert.True(access.Pending);
    }

    [Fact]
    [Trait("Rule", "ACC-3")]
    public void A_group_stays_desired_until_the_last_source_granting_it_has_ended()
    {
        MemberAccess both = Told(Says("a", 1, "coworking"), Says("b", 1, "coworking"));

        MemberAccess one = both.Apply(Ends("a", 2, AccessEndReason.Expired))!;
        Assert.Equal(["coworking"], one.Desired());

        MemberAccess none = one.Apply(Ends("b", 2, AccessEndReason.Utilized))!;
        Assert.Empty(none.Desired());
        Assert.Equal([AccessEndReason.Expired, AccessEndReason.Utilized], none.OpenEnds());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void A_statement_that_is_not_newer_is_ignored(long version)
    {
        MemberAccess access = Told(Ends("a", 2, AccessEndReason.Expired));

        Assert.Null(access.Apply(Says("a", version, "coworking")));
    }

    [Fact]
    public void A_renewal_that_changes_no_group_leaves_nothing_to_do()
    {
        MemberAccess settled = Told(Says("a", 1, "coworking")).Settle(AccessState.Subscribed, null);

        MemberAccess renewed = settled.Apply(Says("a", 2, "coworking"))!;

        Assert.False(renewed.Pending);
        Assert.Equal(2, renewed.Sources["a"].Version);
    }

    [Fact]
    public void An_end_that_was_acted_upon_does_not_count_when_everything_is_lost_again()
    {
        MemberAccess before = (Told(Says("a", 1, "coworking")) with { User = new DoorUserIds("s", "u", "p") })
            .Apply(Ends("a", 2, AccessEndReason.Revoked))!
            .Settle(AccessState.GroupsRevoked, AccessAttention.RevokedByHand);

        MemberAccess after = before.Apply(Says("b", 1, "coworking"))!.Apply(Ends("b", 2, AccessEndReason.Expired))!;

        Assert.Equal([AccessEndReason.Expired], after.OpenEnds());
    }

    [Fact]
    public void Groups_are_noted_before_the_first_call_so_that_a_crash_cannot_orphan_them()
    {
        MemberAccess access = Told(Says("a", 1, "coworking"), Says("a", 2, "night"));

        Assert.Equal(["coworking", "night"], access.Touched);
        Assert.True(access.Provisioning);
    }

    [Fact]
    public void Old_ended_sources_are_dropped_beyond_the_bound()
    {
        MemberAccess access = MemberAccess.None(Ann);
        for (int i = 0; i < MemberAccess.MaxEndedSources + 20; i++)
        {
            access = access.Apply(Ends($"pass-{i}", i + 1, AccessEndReason.Utilized))!;
        }

        Assert.Equal(MemberAccess.MaxEndedSources + 1, access.Sources.Count);
        Assert.True(access.Sources.ContainsKey($"pass-{MemberAccess.MaxEndedSources + 19}"));
    }

    [Fact]
    [Trait("Rule", "ACC-2")]
    public void Any_order_and_repetition_of_statements_ends_in_the_same_desired_groups()
    {
        Gen<EntitlementChanged> statement = Gen.Select(
            Gen.Int[0, 2],
            Gen.Int[1, 6],
            (source, version) => (version + source) % 3 == 0
                ? Ends($"s{source}", version, AccessEndReason.Expired)
                : Says($"s{source}", version, $"g{(version * 7 + source) % 4}", $"g{version % 3}"));
        Gen.Select(statement.Array[1, 12], Gen.Int[0, int.MaxValue]).Sample((statements, seed) =>
        {
            EntitlementChanged[] shuffled = [.. statements.Concat(statements)];
            new Random(seed).Shuffle(shuffled);

            Assert.Equal(Told(statements).Desired(), Told(shuffled).Desired());
        });
    }

    private static MemberAccess Told(params EntitlementChanged[] statements) =>
        statements.Aggregate(MemberAccess.None(Ann), (access, statement) => access.Apply(statement) ?? access);

    private static EntitlementChanged Says(string source, long version, params string[] groups) => new(Ann, source, version, groups, null);

    private static EntitlementChanged Ends(string source, long version, AccessEndReason reason) => new(Ann, source, version, [], reason);
}
