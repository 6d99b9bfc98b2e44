using CsCheck;
using Flex.Functions.Tests.Bookings;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Members;

public sealed class MemberStandingTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Three memberships with five versions each, delivered in any order with repeats.</summary>
    [Fact, Trait("Rule", "MEM-3")]
    public void Any_order_and_repetition_of_changes_ends_in_the_newest_of_each_membership()
    {
        MembershipStanding[] changes =
        [
            .. from membership in Enumerable.Range(0, 3)
               from version in Enumerable.Range(1, 5)
               select Standing($"m{membership}", (MembershipStatus)(version % 5), version),
        ];
        Member expected = changes.Aggregate(Nobody, MemberStanding.Apply);

        Gen.Shuffle(changes.Concat(changes).ToArray()).Sample(shuffled =>
            Assert.Equal(expected.Standing, shuffled.Aggregate(Nobody, MemberStanding.Apply).Standing));
        Assert.All(expected.Standing, s => Assert.Equal(5, s.Version));
    }

    [Theory, Trait("Rule", "MEM-3")]
    [InlineData(MemberStatus.Contact)]
    [InlineData(MemberStatus.Contact, MembershipStatus.Pending)]
    [InlineData(MemberStatus.Active, MembershipStatus.Active)]
    [InlineData(MemberStatus.Active, MembershipStatus.PendingCancellation)]
    [InlineData(MemberStatus.Active, MembershipStatus.Active, MembershipStatus.Ended)]
    [InlineData(MemberStatus.Delinquent, MembershipStatus.Active, MembershipStatus.Delinquent)]
    [InlineData(MemberStatus.Former, MembershipStatus.Downgraded)]
    [InlineData(MemberStatus.Former, MembershipStatus.Ended)]
    public void A_members_status_follows_from_their_memberships(MemberStatus expected, params MembershipStatus[] statuses) =>
        Assert.Equal(expected, MemberStanding.StatusOf([.. statuses.Select((s, i) => Standing($"m{i}", s, 1))]));

    [Fact]
    public void The_default_membership_makes_nobody_active()
    {
        MembershipStanding standing = Standing("m", MembershipStatus.Active, 1) with { IsDefault = true };

        Assert.Equal(MemberStatus.Contact, MemberStanding.StatusOf([standing]));
        Assert.False(MemberStanding.IsPaid(standing));
    }

    [Fact]
    public async Task A_change_costs_two_storage_calls_and_a_late_one_one()
    {
        MembershipStanding known = await _spaces.StandingAsync();

        using StorageCallScope calls = StorageCalls.Measure();
        await _spaces.SetStandingAsync(_spaces.Member, known with { Status = MembershipStatus.Delinquent, Version = 5 });
        Assert.Equal(2, calls.Count);
        await _spaces.SetStandingAsync(_spaces.Member, known with { Status = MembershipStatus.Active, Version = 4 });
        Assert.Equal(3, calls.Count);

        Assert.Equal(MembershipStatus.Delinquent, (await _spaces.StandingAsync()).Status);
    }

    [Fact]
    public async Task Changes_that_cross_each_other_both_arrive()
    {
        MembershipStanding known = await _spaces.StandingAsync();
        MembershipStanding second = _spaces.NewStanding(MembershipStatus.Active, version: 3);
        int rivals = 0;
        _spaces.Tables.BeforeCommit = async _ =>
        {
            if (rivals++ == 0)
            {
                await _spaces.SetStandingAsync(_spaces.Member, second);
            }
        };

        await _spaces.SetStandingAsync(_spaces.Member, known with { Status = MembershipStatus.Delinquent, Version = 2 });

        Member member = (await _spaces.Get<MemberStore>().FindAsync(_spaces.Member, Spaces.Cancellation))!;
        Assert.Equal([2L, 3L], member.Standing.Select(s => s.Version).Order());
    }

    [Fact, Trait("Rule", "MEM-13")]
    public async Task Losing_the_last_paid_membership_by_downgrade_is_published_once()
    {
        MembershipStanding known = await _spaces.StandingAsync();

        await _spaces.DowngradeAsync(known);
        await _spaces.DowngradeAsync(known);

        Assert.Equal([_spaces.Member], _spaces.Queue.On<MemberDowngraded>(Queues.Bookings, MemberDowngraded.Subject).Select(d => d.MemberId));
    }

    [Fact]
    public async Task A_change_for_nobody_is_a_defect_that_ends_in_the_dead_letters() =>
        await Assert.ThrowsAsync<DefectException>(() =>
            _spaces.SetStandingAsync(EntityId.Derive<MemberId>("none"), _spaces.NewStanding(MembershipStatus.Active)));

    private static Member Nobody => new(
        EntityId.Derive<MemberId>("m"), EntityId.Derive<CustomerId>("c"), EntityId.Derive<LocationId>("l"), "a@b.example", "A", "B", [], 1);

    private static MembershipStanding Standing(string id, MembershipStatus status, long version) => new(
        EntityId.Derive<MembershipId>(id, "abc123"),
        EntityId.Derive<LocationId>("l"),
        EntityId.Derive<PlanId>("p"),
        1,
        "Plan",
        false,
        status,
        new NodaTime.LocalDate(2025, 1, 1),
        null,
        version);
}
