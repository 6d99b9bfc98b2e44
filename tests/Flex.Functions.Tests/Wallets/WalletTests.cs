using Flex.Catalogue;
using Flex.Kernel;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Wallets;

public sealed class WalletTests
{
    [Theory, Trait("Rule", "CRD-5")]
    [InlineData("2025-02-27", "2025-01-31", "2025-02-28")]
    [InlineData("2025-02-28", "2025-02-28", "2025-03-31")]
    [InlineData("2025-03-30", "2025-02-28", "2025-03-31")]
    [InlineData("2025-03-31", "2025-03-31", "2025-04-30")]
    [InlineData("2025-01-30", "2024-12-31", "2025-01-31")]
    [InlineData("2024-11-30", "2024-11-30", "2024-12-31")]
    public void Cycles_are_counted_from_the_anchor_in_both_directions(string date, string from, string until)
    {
        var day = NodaTime.Text.LocalDatePattern.Iso;

        Assert.Equal(
            new CreditCycle(day.Parse(from).Value, day.Parse(until).Value), CreditCycle.Of(new LocalDate(2025, 1, 31), day.Parse(date).Value));
    }

    [Fact, Trait("Rule", "CRD-5")]
    public void A_booking_over_the_end_of_a_cycle_draws_on_the_one_it_starts_in()
    {
        MemberTerms terms = Terms.Of(Terms.Membership(1, [Terms.Minutes(600)], [], new LocalDate(2025, 1, 31)));

        BookingPrice price = terms.Price(Terms.Time("2025-02-27T23:00", "2025-02-28T02:00")).Value;

        Assert.EndsWith("|20250131", Assert.Single(price.Takings).Source, StringComparison.Ordinal);
        Assert.Equal(180, price.CreditMinutes);
    }

    [Fact, Trait("Rule", "CRD-4")]
    public void Each_cycle_has_the_plans_amount_whatever_was_used_or_left_before()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);
        Wallet wallet = Wallet.Empty.Take(terms.Price(Terms.Time("2025-03-10T10:00", "2025-03-10T10:45")).Value.Takings, Terms.At("2025-03-10T10:00"));

        Assert.Equal(15, terms.Price(Terms.Time("2025-03-20T10:00", "2025-03-20T12:00"), wallet).Value.CreditMinutes);
        Assert.Equal(60, terms.Price(Terms.Time("2025-02-20T10:00", "2025-02-20T12:00"), wallet).Value.CreditMinutes);
        Assert.Equal(60, terms.Price(Terms.Time("2025-04-01T10:00", "2025-04-01T12:00"), wallet).Value.CreditMinutes);
    }

    [Fact, Trait("Rule", "CRD-4")]
    public void What_a_cancelled_booking_of_a_closed_cycle_returns_stays_in_that_cycle()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);
        BookingPrice price = terms.Price(Terms.Time("2025-02-10T10:00", "2025-02-10T11:00")).Value;
        Wallet used = Wallet.Empty.Take(price.Takings, Terms.At("2025-02-10T10:00"));

        Wallet returned = used.Return(price.Takings);

        Assert.Empty(returned.Used);
        Assert.Equal(60, terms.Price(Terms.Time("2025-03-10T10:00", "2025-03-10T12:00"), returned).Value.CreditMinutes);
    }

    [Fact, Trait("Rule", "CRD-1")]
    public void The_default_membership_counts_only_without_a_paid_one_that_lasts()
    {
        MembershipTerms free = Terms.Membership(1, [Terms.Minutes(30, name: "free")], [], isDefault: true);
        MembershipTerms paid = Terms.Membership(2, [Terms.Minutes(60, name: "paid")], [], endsAt: Terms.At("2025-01-20T00:00"));

        Assert.Equal(60, Terms.Of(free, paid).Price(Terms.Time("2025-01-10T10:00", "2025-01-10T15:00")).Value.CreditMinutes);
        Assert.Equal(30, Terms.Of(free, paid).Price(Terms.Time("2025-01-20T10:00", "2025-01-20T15:00")).Value.CreditMinutes);
    }

    [Fact, Trait("Rule", "BPS-8")]
    public void A_pass_outlives_the_plan_and_keeps_its_resources_until_staff_remove_it()
    {
        BookingPass pass = Terms.Pass(1, 60, 15);

        Assert.Equal(45, Terms.None.Price(Terms.Time("2034-01-10T10:00", "2034-01-10T12:00"), Terms.With(pass)).Value.PassMinutes);
        BookingPass removed = pass with { RemovedAt = Terms.At("2025-01-05T00:00") };
        Wallet returned = Terms.With(removed).Return([new Taking(pass.Id.Value, 15, null)]);
        Assert.Equal((0, 0), (returned.Passes[0].UsedMinutes, returned.Passes[0].MinutesLeft));
        Assert.Equal(0, Terms.None.Price(Terms.Time(60), returned).Value.PassMinutes);
    }

    [Fact, Trait("Rule", "CRD-7")]
    public void A_grant_is_used_on_its_days_by_the_order_of_all_credits()
    {
        CreditGrant grant = Grant(30, new LocalDate(2025, 1, 10), new LocalDate(2025, 1, 11));
        Wallet wallet = Wallet.Empty with { Grants = [grant] };
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);

        BookingPrice first = terms.Price(Terms.Time("2025-01-11T23:00", "2025-01-12T01:00"), wallet).Value;

        Assert.Equal([60, 30], first.Takings.Select(t => t.Minutes));
        Assert.Equal(60, terms.Price(Terms.Time("2025-01-09T22:00", "2025-01-10T01:00"), wallet).Value.CreditMinutes);
        Assert.Equal(60, terms.Price(Terms.Time("2025-01-12T00:00", "2025-01-12T03:00"), wallet).Value.CreditMinutes);
        Wallet withdrawn = wallet.Take(first.Takings, Terms.At("2025-01-11T23:00")).Change(grant with { UsedMinutes = 30, WithdrawnAt = Instant.MinValue });
        Assert.Equal(0, Terms.None.Price(Terms.Time(60), withdrawn).Value.CreditMinutes);
    }

    [Fact]
    public void A_wallet_need_not_be_read_where_no_plan_and_no_gift_can_matter()
    {
        Resource room = new(Terms.Room, Terms.Ann.LocationId, "Room", ResourceKind.MeetingRoom, 4, null, true, BookingTerms.None, null, 1);
        Instant start = Terms.At("2025-01-10T10:00");

        Assert.False(Terms.Of([Terms.Minutes(60, resources: Terms.OtherRoom)]).MayDraw(room, start));
        Assert.True(Terms.Of([Terms.Minutes(60)]).MayDraw(room, start));
        Assert.True(Terms.Of([], Terms.Offer(resources: Terms.OtherRoom)).MayDraw(room, start));
        Assert.True(new MemberTerms(Terms.Ann with { HasWallet = true }, []).MayDraw(room, start));
    }

    [Fact]
    public void What_can_no_longer_matter_is_pruned_after_400_days()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);
        Wallet wallet = Terms.With(Terms.Pass(1, 60, 60), Terms.Pass(2, 60, 30)) with { Grants = [Grant(30, new LocalDate(2025, 1, 1), new LocalDate(2025, 1, 31))] };
        wallet = wallet.Take(terms.Price(Terms.Time(30)).Value.Takings, Terms.At("2025-01-10T10:00"));

        Wallet later = wallet.Prune(Terms.At("2026-01-31T00:00"));
        Wallet muchLater = wallet.Prune(Terms.At("2026-04-15T00:00"));

        Assert.Equal((1, 1), (later.Used.Count, later.Grants.Count));
        Assert.Equal((0, 0), (muchLater.Used.Count, muchLater.Grants.Count));
        Assert.Equal(Terms.Pass(2, 60).Id, Assert.Single(muchLater.Passes).Id);
    }

    internal static CreditGrant Grant(int minutes, LocalDate from, LocalDate? until) => new(
        EntityId.Derive<CreditGrantId>("grant"),
        "Sorry",
        [Terms.Room],
        minutes,
        null,
        null,
        Terms.NewYork.Zone.Id,
        from,
        until,
        0,
        null,
        null,
        Instant.FromUtc(2025, 1, 1, 0, 0),
        null);
}
