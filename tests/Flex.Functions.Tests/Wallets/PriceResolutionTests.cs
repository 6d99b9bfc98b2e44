using Flex.Catalogue;
using Flex.Kernel;
using Flex.Settings;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Wallets;

public sealed class PriceResolutionTests
{
    [Fact, Trait("Rule", "CRD-6"), Trait("Rule", "CRD-1")]
    public void Ninety_minutes_with_sixty_left_at_12_an_hour_cost_6()
    {
        BookingPrice price = Terms.Of([Terms.Minutes(60)]).Price(Terms.Time(90)).Value;

        Assert.Equal((Rates.Usd(600), 60, 0), (price.Fee, price.CreditMinutes, price.PassMinutes));
        Assert.Equal(60, Assert.Single(price.Takings).Minutes);
    }

    [Fact, Trait("Rule", "BPS-5")]
    public void Without_a_price_on_the_credit_credits_pay_first_and_passes_the_rest()
    {
        BookingPrice price = Terms.Of([Terms.Minutes(60)], Terms.Offer()).Price(Terms.Time(120), Terms.With(Terms.Pass(1, 60))).Value;

        Assert.Equal((Rates.Usd(0), 60, 60), (price.Fee, price.CreditMinutes, price.PassMinutes));
    }

    [Fact, Trait("Rule", "BPS-6")]
    public void With_a_price_on_the_credit_only_passes_are_used_and_too_few_of_them_block()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60, pricePerHour: 500)], Terms.Offer());

        Error error = terms.Price(Terms.Time(120), Terms.With(Terms.Pass(1, 60))).Error!;
        BookingPrice enough = terms.Price(Terms.Time(60), Terms.With(Terms.Pass(1, 60))).Value;

        Assert.Equal((ErrorKind.Refused, ErrorCodes.OutOfPasses), (error.Kind, error.Code));
        Assert.Equal((60, 120), (error.Extensions["minutesLeft"], error.Extensions["minutesNeeded"]));
        Assert.Equal((0, 60), (enough.CreditMinutes, enough.PassMinutes));
    }

    [Fact, Trait("Rule", "BPS-10")]
    public void Who_is_out_of_passes_is_told_where_to_buy_them()
    {
        Error error = Terms.Of([], Terms.Offer()).Price(Terms.Time(30)).Error!;

        Assert.Equal($"/api/v1/members/{Terms.Ann.Id}/booking-passes/purchases", error.Extensions["purchase"]);
        Assert.Contains("Buy booking passes", error.Detail, StringComparison.Ordinal);
    }

    [Fact, Trait("Rule", "BPS-7"), Trait("Rule", "CRD-8")]
    public void A_plan_with_passes_blocks_a_resource_without_credit_offer_or_owned_minutes_unless_it_is_free()
    {
        MemberTerms terms = Terms.Of([], Terms.Offer(resources: Terms.OtherRoom));

        Assert.Equal(ErrorCodes.BookingRequiresPass, terms.Price(Terms.Time(60)).Error?.Code);
        Assert.Equal(Rates.Usd(0), terms.Price(Terms.Time(60, Rates.Hourly(0))).Value.Fee);
        Assert.Equal(60, terms.Price(Terms.Time(60), Terms.With(Terms.Pass(1, 60))).Value.PassMinutes);
    }

    [Fact, Trait("Rule", "BPS-7"), Trait("Rule", "CRD-8")]
    public void A_credit_in_money_does_not_lift_the_block_and_one_in_minutes_does_even_when_it_is_used_up()
    {
        PassOffer elsewhere = Terms.Offer(resources: Terms.OtherRoom);

        Assert.Equal(ErrorCodes.BookingRequiresPass, Terms.Of([Terms.Amount(5000)], elsewhere).Price(Terms.Time(60)).Error?.Code);
        Assert.Equal(Rates.Usd(1200), Terms.Of([Terms.Minutes(0)], elsewhere).Price(Terms.Time(60)).Value.Fee);
    }

    [Fact, Trait("Rule", "BPS-12")]
    public void With_passes_switched_off_nothing_is_blocked_or_required_and_what_is_owned_is_used()
    {
        MemberTerms terms = Terms.Of([], Terms.Offer());

        Assert.Equal(Rates.Usd(1200), terms.Price(Terms.Time(60), passesEnabled: false).Value.Fee);
        BookingPrice owned = terms.Price(Terms.Time(90), Terms.With(Terms.Pass(1, 60)), passesEnabled: false).Value;
        Assert.Equal((60, Rates.Usd(600)), (owned.PassMinutes, owned.Fee));
    }

    [Fact, Trait("Rule", "BPS-8")]
    public void Without_an_offer_owned_minutes_go_as_far_as_they_do_and_the_rest_is_priced()
    {
        BookingPrice price = Terms.None.Price(Terms.Time(90), Terms.With(Terms.Pass(1, 60))).Value;

        Assert.Equal((60, Rates.Usd(600)), (price.PassMinutes, price.Fee));
    }

    [Fact, Trait("Rule", "CRD-1")]
    public void A_free_rate_takes_neither_credit_nor_pass()
    {
        BookingPrice price = Terms.Of([Terms.Minutes(60)], Terms.Offer())
            .Price(Terms.Time(30, Rates.Hourly(0)), Terms.With(Terms.Pass(1, 60))).Value;

        Assert.Empty(price.Takings);
        Assert.True(price.Fee.IsZero);
    }

    [Fact, Trait("Rule", "BPS-4")]
    public void One_hour_is_six_times_ten_minutes_and_the_seventh_is_refused()
    {
        MemberTerms terms = Terms.Of([], Terms.Offer());
        Wallet wallet = Terms.With(Terms.Pass(1, 60));
        for (int i = 0; i < 6; i++)
        {
            wallet = wallet.Take(terms.Price(Terms.Time(10), wallet).Value.Takings, Terms.At("2025-01-10T10:00"));
        }

        Assert.Equal(ErrorCodes.OutOfPasses, terms.Price(Terms.Time(10), wallet).Error?.Code);
    }

    [Fact, Trait("Rule", "BPS-4")]
    public void A_booking_uses_the_oldest_pass_first_and_may_span_several()
    {
        BookingPrice price = Terms.Of([], Terms.Offer())
            .Price(Terms.Time(100), Terms.With(Terms.Pass(3, 60), Terms.Pass(1, 60, used: 45), Terms.Pass(2, 60))).Value;

        Assert.Equal(
            [(Terms.Pass(1, 0).Id.Value, 15), (Terms.Pass(2, 0).Id.Value, 60), (Terms.Pass(3, 0).Id.Value, 25)],
            price.Takings.Select(t => (t.Source, t.Minutes)));
    }

    [Fact, Trait("Rule", "CRD-2")]
    public void The_plans_price_per_hour_is_charged_for_the_rest_and_the_difference_is_the_discount()
    {
        BookingPrice price = Terms.Of([Terms.Minutes(60, pricePerHour: 500)]).Price(Terms.Time(150)).Value;

        Assert.Equal((Rates.Usd(1800), Rates.Usd(1050), Rates.Usd(750)), (price.Regular, price.Discount, price.Fee));
    }

    [Fact, Trait("Rule", "CRD-2")]
    public void A_price_per_hour_above_the_regular_one_is_charged_without_a_negative_discount()
    {
        BookingPrice price = Terms.Of([Terms.Minutes(0, pricePerHour: 2000)]).Price(Terms.Time(60)).Value;

        Assert.Equal((Rates.Usd(2000), Rates.Usd(0), Rates.Usd(2000)), (price.Regular, price.Discount, price.Fee));
    }

    [Fact, Trait("Rule", "CAT-7")]
    public void With_a_price_per_hour_the_rest_is_priced_per_hour_only()
    {
        Rate day = Rates.Hourly(1200) with { DailyPrice = Rates.Usd(2000) };

        BookingPrice price = Terms.Of([Terms.Minutes(60, pricePerHour: 1000)]).Price(Terms.Time(300, day)).Value;

        Assert.Equal((Rates.Usd(4000), Rates.Usd(0)), (price.Fee, price.Discount));
    }

    [Fact, Trait("Rule", "CRD-3")]
    public void Minutes_come_first_and_then_the_amount_pays_for_the_net_price_of_the_rest()
    {
        MemberTerms terms = Terms.Of([Terms.Amount(500), Terms.Minutes(60)]);

        BookingPrice price = terms.Price(Terms.Time(120)).Value;
        BookingPrice less = terms.Price(Terms.Time(70)).Value;

        Assert.Equal((Rates.Usd(1200), Rates.Usd(500), Rates.Usd(700)), (price.Regular, price.MoneyCredit, price.Fee));
        Assert.Equal((Rates.Usd(200), Rates.Usd(0)), (less.MoneyCredit, less.Fee));
    }

    [Fact, Trait("Rule", "CRD-1")]
    public void Of_several_credits_the_one_for_the_fewest_resources_comes_first_then_the_older_membership_then_its_place_in_the_plan()
    {
        MembershipTerms young = Terms.Membership(
            1, [Terms.Minutes(10, name: "young wide", resources: [Terms.Room, Terms.OtherRoom]), Terms.Minutes(10, name: "young")], [], new LocalDate(2025, 1, 2));
        MembershipTerms old = Terms.Membership(2, [Terms.Minutes(10, name: "old"), Terms.Minutes(10, name: "old too")], [], new LocalDate(2024, 1, 2));

        BookingPrice price = Terms.Of(young, old).Price(Terms.Time(40)).Value;

        Assert.Equal(["old", "old too", "young", "young wide"], price.Takings.Select(t => t.Source.Split('|')[1]));
    }

    [Fact, Trait("Rule", "CRD-2")]
    public void The_first_credit_in_order_that_has_a_price_per_hour_sets_it()
    {
        MemberTerms terms = Terms.Of(
            [Terms.Minutes(0, 300, "wide", Terms.Room, Terms.OtherRoom), Terms.Minutes(0, name: "none"), Terms.Minutes(0, 700, "narrow")]);

        Assert.Equal(Rates.Usd(700), terms.Price(Terms.Time(60)).Value.Fee);
    }

    [Fact, Trait("Rule", "CAT-8")]
    public void The_price_is_rounded_once_half_away_from_zero()
    {
        // 5 minutes at 0.06 an hour are half a cent.
        Assert.Equal(Rates.Usd(1), Terms.Of([Terms.Minutes(0)]).Price(Terms.Time(5, Rates.Hourly(6))).Value.Fee);
        Assert.Equal(Rates.Usd(1), Terms.Of([Terms.Minutes(5)]).Price(Terms.Time(10, Rates.Hourly(6))).Value.Fee);
    }

    [Fact, Trait("Rule", "CAT-7")]
    public void Where_rates_are_daily_credits_and_passes_cover_whole_days_of_opening_minutes()
    {
        // Friday to Monday: 540 minutes on each day, because a closed day counts as the longest one.
        RatedTime time = Terms.Time("2025-01-10T12:00", "2025-01-13T12:00", Rates.None with { DailyPrice = Rates.Usd(4000) });

        BookingPrice credit = Terms.Of([Terms.Minutes(1100)]).Price(time).Value;
        BookingPrice both = Terms.Of([Terms.Minutes(1100)]).Price(time, Terms.With(Terms.Pass(1, 600))).Value;

        Assert.Equal((1080, Rates.Usd(8000)), (credit.CreditMinutes, credit.Fee));
        Assert.Equal((1080, 540, Rates.Usd(4000)), (both.CreditMinutes, both.PassMinutes, both.Fee));
    }

    [Fact, Trait("Rule", "CAT-7")]
    public void A_day_with_a_clock_change_is_one_day()
    {
        RatedTime time = Terms.Time("2025-03-08T12:00", "2025-03-10T12:00", Rates.None with { DailyPrice = Rates.Usd(4000) });

        BookingPrice price = Terms.Of([Terms.Minutes(540 * 2)]).Price(time).Value;

        Assert.Equal((1080, Rates.Usd(4000)), (price.CreditMinutes, price.Fee));
    }

    [Fact, Trait("Rule", "CRD-6")]
    public void Credits_pay_for_elapsed_minutes_and_the_rest_is_priced_where_it_lies()
    {
        // The night that loses an hour: four hours on the clock are three. The last half hour is in the evening tariff.
        Assert.Equal(180, Terms.Of([Terms.Minutes(600)]).Price(Terms.Time("2025-03-09T01:00", "2025-03-09T05:00")).Value.CreditMinutes);
        Rate evening = Rates.Hourly(1200) with { OutsideHoursHourlyPrice = Rates.Usd(600) };
        Assert.Equal(Rates.Usd(300), Terms.Of([Terms.Minutes(60)]).Price(Terms.Time("2025-01-10T17:00", "2025-01-10T18:30", evening)).Value.Fee);
    }

    [Fact, Trait("Rule", "CRD-3")]
    public void Money_in_another_currency_pays_nothing()
    {
        PlanCredit euros = Terms.Amount(0) with { Amount = new Money(5000, Currency.Parse("eur")), PricePerHour = new Money(1, Currency.Parse("eur")) };

        Assert.Equal(Rates.Usd(1200), Terms.Of([euros]).Price(Terms.Time(60)).Value.Fee);
    }
}
