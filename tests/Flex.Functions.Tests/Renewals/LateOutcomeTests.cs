using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Memberships;
using Flex.Payments;
using Flex.Renewals;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>Outcomes that arrive when the membership has moved on: ended, paid again, or with another attempt under way.</summary>
public sealed class LateOutcomeTests
{
    private static readonly SiteCalendar Calendar = new("America/New_York");
    private static readonly LocalDate Renewal = new(2025, 1, 10);
    private static readonly Instant Slot = Calendar.At(Renewal, 12 * 60);

    [Theory]
    [InlineData(ChargeState.Failed)]
    [InlineData(ChargeState.Succeeded)]
    [Trait("Rule", "MEM-12")]
    public void The_outcome_of_an_attempt_that_outlived_its_membership_does_not_bring_it_back(ChargeState outcome)
    {
        Membership ended = UnderWay(ChargeState.Processing).CancelAt(Renewal).End(MembershipStatus.Downgraded, Slot + Duration.FromHours(1));

        Membership after = Settle(ended, outcome, Slot + Duration.FromDays(4));

        Assert.Equal(MembershipStatus.Downgraded, after.Status);
        Assert.Null(after.InFlight);
        Assert.Null(after.NextRenewalOn);
        Assert.Null(after.DueOn);
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public void An_attempt_whose_answer_was_never_recorded_is_finished_before_the_membership_ends()
    {
        Membership cancelled = UnderWay(state: null).CancelAt(Renewal);

        Assert.IsType<RenewalStep.Resume>(RenewalLadder.Decide(cancelled, Calendar, Slot + Duration.FromMinutes(1)));
    }

    [Fact]
    [Trait("Rule", "DUN-7")]
    public void A_second_new_source_while_the_first_one_is_being_tried_gets_its_own_attempt()
    {
        Membership delinquent = Settle(UnderWay(state: null), ChargeState.Failed, Slot);
        Membership updated = delinquent.NoteSourceUpdate(Slot + Duration.FromMinutes(20));
        var extra = Assert.IsType<RenewalStep.Charge>(RenewalLadder.Decide(updated, Calendar, Slot + Duration.FromHours(1)));
        Membership trying = RenewalLadder.Begin(updated, extra, Calendar, Slot + Duration.FromHours(1));

        Membership again = trying.NoteSourceUpdate(Slot + Duration.FromMinutes(61));
        Membership failed = Settle(again, ChargeState.Failed, Slot + Duration.FromMinutes(62));

        var next = Assert.IsType<RenewalStep.Wait>(RenewalLadder.Decide(failed, Calendar, Slot + Duration.FromMinutes(63)));
        Assert.Equal(Slot + Duration.FromHours(2), next.Until);
    }

    [Fact]
    [Trait("Rule", "DUN-9")]
    public void A_period_whose_payment_was_taken_back_is_what_the_due_index_lists()
    {
        Membership reversed = Reversed(Renewing());

        Assert.Equal(Renewal, reversed.DueOn);
        Assert.Equal(Renewal.PlusMonths(1), reversed.NextRenewalOn);
    }

    [Fact]
    [Trait("Rule", "DUN-10")]
    public void A_plan_that_does_not_renew_stays_without_a_renewal_date_when_its_payment_was_taken_back_and_made_again()
    {
        Membership oneOff = Renewing() with { NextRenewalOn = null, Plan = Renewing().Plan with { Kind = PlanKind.OneOff, IntervalMonths = 0 } };
        Membership reversed = Reversed(oneOff);
        var retry = Assert.IsType<RenewalStep.Charge>(RenewalLadder.Decide(reversed, Calendar, Slot + Duration.FromDays(9)));

        Membership paid = Settle(RenewalLadder.Begin(reversed, retry, Calendar, Slot + Duration.FromDays(9)), ChargeState.Succeeded, Slot + Duration.FromDays(9));

        Assert.Equal(MembershipStatus.Active, paid.Status);
        Assert.Null(paid.NextRenewalOn);
        Assert.IsType<RenewalStep.Done>(RenewalLadder.Decide(paid, Calendar, Slot + Duration.FromDays(60)));
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public void A_success_that_comes_in_while_a_retry_of_the_same_period_is_under_way_ends_the_ladder_when_the_retry_fails()
    {
        Membership begun = UnderWay(state: null);
        InvoiceId first = begun.InFlight!.InvoiceId;
        Membership delinquent = Settle(begun, ChargeState.Failed, Slot);
        Instant rung = Slot + Duration.FromDays(2);
        Membership retrying = RenewalLadder.Begin(
            delinquent, Assert.IsType<RenewalStep.Charge>(RenewalLadder.Decide(delinquent, Calendar, rung)), Calendar, rung);

        Membership told = RenewalLadder.Settle(retrying, first, ChargeState.Succeeded, null, rung, Calendar);
        Membership after = Settle(told, ChargeState.Failed, rung + Duration.FromDays(1));

        Assert.Equal(MembershipStatus.Active, after.Status);
        Assert.Equal(Renewal.PlusMonths(1), after.NextRenewalOn);
    }

    private static Membership Renewing() => LadderWalk.New(Renewal, Renewal, "late");

    private static Membership UnderWay(ChargeState? state)
    {
        Membership begun = RenewalLadder.Begin(Renewing(), new RenewalStep.Charge(Renewal, 1, Slot), Calendar, Slot);
        return state is { } known ? Settle(begun, known, Slot) : begun;
    }

    private static Membership Settle(Membership membership, ChargeState state, Instant at) => RenewalLadder.Settle(
        membership, membership.InFlight!.InvoiceId, state, state == ChargeState.Failed ? "card_declined" : null, at, Calendar);

    private static Membership Reversed(Membership before)
    {
        Membership begun = RenewalLadder.Begin(before, new RenewalStep.Charge(Renewal, 1, Slot), Calendar, Slot);
        MembershipPeriod period = begun.InFlight!.Period;
        InvoiceId invoice = begun.InFlight.InvoiceId;
        Membership paid = Settle(begun, ChargeState.Succeeded, Slot);
        return RenewalLadder.Reverse(paid, period, invoice, "insufficient_funds", Slot + Duration.FromDays(6), Calendar);
    }
}
