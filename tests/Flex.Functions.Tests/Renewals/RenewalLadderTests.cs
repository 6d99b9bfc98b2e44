using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Renewals;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

public sealed class RenewalLadderTests
{
    private const string NewYork = "America/New_York";

    [Fact]
    [Trait("Rule", "DUN-1")]
    [Trait("Rule", "DUN-2")]
    [Trait("Rule", "DUN-5")]
    public void Four_failures_fall_on_days_0_1_4_and_7_and_then_the_membership_is_downgraded()
    {
        LadderWalk walk = new LadderWalk(NewYork, new LocalDate(2025, 1, 1)).Until(Utc(2025, 3, 1));

        Assert.Equal([Day(1, 1), Day(1, 2), Day(1, 5), Day(1, 8)], walk.AttemptDays);
        Assert.Equal(Day(1, 8), walk.Calendar.DateOf(walk.DowngradedAt!.Value));
        Assert.Null(walk.Membership.NextRenewalOn);
        Assert.Equal(MembershipStatus.Downgraded, walk.Membership.Status);
    }

    [Fact]
    [Trait("Rule", "DUN-3")]
    public void The_first_failure_makes_the_membership_delinquent_and_keeps_its_renewal_date()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(1, 1)).Until(Utc(2025, 1, 2));

        Assert.Equal(MembershipStatus.Delinquent, walk.Membership.Status);
        Assert.Equal(Day(1, 1), walk.Membership.NextRenewalOn);
        Assert.Equal(Day(1, 2), walk.Membership.Ladder!.NextRungOn);
    }

    [Fact]
    [Trait("Rule", "DUN-6")]
    public void Success_on_the_third_attempt_keeps_the_anchor()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(1, 1)) { Gateway = OkFrom(3) }.Until(Utc(2025, 1, 31));

        Assert.Equal([Day(1, 1), Day(1, 2), Day(1, 5)], walk.AttemptDays);
        Assert.Equal(MembershipStatus.Active, walk.Membership.Status);
        Assert.Equal(Day(2, 1), walk.Membership.NextRenewalOn);
    }

    [Fact]
    [Trait("Rule", "MEM-2")]
    [Trait("Rule", "DUN-2")]
    public void A_ladder_at_the_end_of_a_month_crosses_it_and_later_dates_come_from_the_first_one()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(1, 31)) { Gateway = OkFrom(4) }.Until(Utc(2025, 5, 15));

        Assert.Equal([Day(1, 31), Day(2, 1), Day(2, 4), Day(2, 7), Day(2, 28), Day(3, 31), Day(4, 30)], walk.AttemptDays);
        Assert.Equal(Day(5, 31), walk.Membership.NextRenewalOn);
    }

    [Fact]
    [Trait("Rule", "DUN-2")]
    public void The_local_time_of_day_stays_when_clocks_change_within_a_ladder()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(3, 8), idSeed: LadderWalk.SeedForSlot(new LocalTime(9, 17))).Until(Utc(2025, 4, 1));

        Assert.Equal(
            [Instant.FromUtc(2025, 3, 8, 14, 17), Instant.FromUtc(2025, 3, 9, 13, 17), Instant.FromUtc(2025, 3, 12, 13, 17), Instant.FromUtc(2025, 3, 15, 13, 17)],
            walk.Attempts);
    }

    [Fact]
    [Trait("Rule", "MEM-1")]
    public void A_slot_that_a_clock_change_skips_moves_by_the_gap()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(3, 9), idSeed: LadderWalk.SeedForSlot(new LocalTime(2, 30))) { Gateway = OkFrom(1) }.Until(Utc(2025, 3, 20));

        Assert.Equal([Instant.FromUtc(2025, 3, 9, 7, 30)], walk.Attempts);
    }

    [Fact]
    [Trait("Rule", "MEM-1")]
    public void Slots_run_from_00_01_to_23_59_and_spread_evenly_over_the_hours()
    {
        string home = EntityId.Home(EntityId.Derive<LocationId>("x"));
        int[] minutes = [.. Enumerable.Range(0, 10_000).Select(i => RenewalSlot.MinuteOf(EntityId.Derive<MembershipId>($"m{i}", home)))];

        Assert.InRange(minutes.Min(), 1, 1439);
        Assert.InRange(minutes.Max(), 1, 1439);
        Assert.All(minutes.GroupBy(m => m / 60), hour => Assert.InRange(hour.Count() / 10_000m, 0.030m, 0.055m));
        Assert.Equal(24, minutes.Select(m => m / 60).Distinct().Count());
    }

    [Fact]
    [Trait("Rule", "DUN-9")]
    [Trait("Rule", "PAY-7")]
    public void A_bank_debit_counts_each_gap_from_the_notice_of_failure()
    {
        // A bank that answers on the fifth day; the notices of the vector fall on 6, 12, 20 and 28 January.
        LadderWalk walk = new LadderWalk("Europe/Berlin", Day(1, 1)) { Gateway = _ => (ChargeState.Failed, Duration.FromDays(5)) }.Until(Utc(2025, 3, 1));

        Assert.Equal([Day(1, 1), Day(1, 7), Day(1, 15), Day(1, 23)], walk.AttemptDays);
        Assert.Equal(Day(1, 28), walk.Calendar.DateOf(walk.DowngradedAt!.Value));
    }

    [Fact]
    [Trait("Rule", "DUN-7")]
    public void A_new_source_at_10_20_is_tried_at_11_00_and_success_ends_the_ladder()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(1, 1), idSeed: LadderWalk.SeedForSlot(new LocalTime(20, 0))) { Gateway = OkFrom(2) };
        walk.At(walk.Calendar.At(Day(1, 2), (10 * 60) + 20), Update).Until(Utc(2025, 1, 31));

        Assert.Equal([walk.Calendar.At(Day(1, 1), 20 * 60), walk.Calendar.At(Day(1, 2), 11 * 60)], walk.Attempts);
        Assert.Equal(MembershipStatus.Active, walk.Membership.Status);
        Assert.Equal(Day(2, 1), walk.Membership.NextRenewalOn);
    }

    [Fact]
    [Trait("Rule", "DUN-7")]
    public void A_failed_extra_attempt_uses_up_no_rung()
    {
        LadderWalk walk = new(NewYork, Day(1, 1), idSeed: LadderWalk.SeedForSlot(new LocalTime(20, 0)));
        walk.At(walk.Calendar.At(Day(1, 2), (10 * 60) + 20), Update).Until(Utc(2025, 3, 1));

        Assert.Equal([1, 0, 2, 3, 4], walk.RungsTried);
        Assert.Equal([Day(1, 1), Day(1, 2), Day(1, 2), Day(1, 5), Day(1, 8)], walk.AttemptDays);
    }

    [Fact]
    [Trait("Rule", "DUN-7")]
    public void An_update_within_an_hour_of_a_rung_is_merged_with_it()
    {
        LadderWalk walk = new(NewYork, Day(1, 1), idSeed: LadderWalk.SeedForSlot(new LocalTime(10, 45)));
        walk.At(walk.Calendar.At(Day(1, 2), (10 * 60) + 20), Update).Until(Utc(2025, 1, 4));

        Assert.Equal([1, 2], walk.RungsTried);
        Assert.Equal(walk.Calendar.At(Day(1, 2), (10 * 60) + 45), walk.Attempts[1]);
        Assert.Null(walk.Membership.SourceUpdatedAt);
    }

    [Fact]
    [Trait("Rule", "DUN-7")]
    public void Several_updates_within_the_hour_collapse_into_one_attempt()
    {
        LadderWalk walk = new(NewYork, Day(1, 1), idSeed: LadderWalk.SeedForSlot(new LocalTime(20, 0)));
        walk.At(walk.Calendar.At(Day(1, 2), (10 * 60) + 5), Update).At(walk.Calendar.At(Day(1, 2), (10 * 60) + 50), Update).Until(Utc(2025, 1, 2, 20));

        Assert.Equal([1, 0], walk.RungsTried);
        Assert.Equal(walk.Calendar.At(Day(1, 2), 11 * 60), walk.Attempts[1]);
    }

    [Fact]
    [Trait("Rule", "DUN-7")]
    public void An_update_while_an_attempt_is_under_way_waits_for_its_outcome_and_runs_at_the_full_hour_after_it()
    {
        LadderWalk walk = new(NewYork, Day(1, 1), idSeed: LadderWalk.SeedForSlot(new LocalTime(20, 0)))
        {
            Gateway = n => n == 1 ? (ChargeState.Failed, Duration.FromHours(36)) : (ChargeState.Succeeded, Duration.Zero),
        };
        walk.At(walk.Calendar.At(Day(1, 1), (20 * 60) + 30), Update).Until(Utc(2025, 1, 31));

        Assert.Equal([1, 0], walk.RungsTried);
        Assert.Equal(walk.Calendar.At(Day(1, 3), 9 * 60), walk.Attempts[1]);
    }

    [Fact]
    [Trait("Rule", "DUN-9")]
    public void A_rung_that_falls_due_while_an_extra_attempt_is_under_way_runs_at_the_next_slot_after_that_failed()
    {
        LadderWalk walk = new(NewYork, Day(1, 1), idSeed: LadderWalk.SeedForSlot(new LocalTime(20, 0)))
        {
            Gateway = n => n == 2 ? (ChargeState.Failed, Duration.FromHours(12)) : (ChargeState.Failed, Duration.Zero),
        };
        walk.At(walk.Calendar.At(Day(1, 2), (10 * 60) + 20), Update).Until(Utc(2025, 3, 1));

        Assert.Equal([1, 0, 2, 3, 4], walk.RungsTried);
        Assert.Equal(walk.Calendar.At(Day(1, 3), 20 * 60), walk.Attempts[2]);
        Assert.Equal([Day(1, 1), Day(1, 2), Day(1, 3), Day(1, 6), Day(1, 9)], walk.AttemptDays);
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public void An_unknown_outcome_freezes_the_ladder_and_the_gap_counts_from_its_resolution()
    {
        LadderWalk walk = new(NewYork, Day(1, 1));
        walk.Until(walk.Calendar.At(Day(1, 1), RenewalSlot.MinuteOf(walk.Membership.Id)));
        var step = Assert.IsType<RenewalStep.Charge>(RenewalLadder.Decide(walk.Membership, walk.Calendar, walk.Now));
        Memberships.Membership begun = RenewalLadder.Begin(walk.Membership, step, walk.Calendar, walk.Now);
        InvoiceId invoice = begun.InFlight!.InvoiceId;

        Memberships.Membership unknown = RenewalLadder.Settle(begun, invoice, ChargeState.Unknown, null, walk.Now, walk.Calendar);
        Assert.IsType<RenewalStep.Wait>(RenewalLadder.Decide(unknown, walk.Calendar, walk.Now + Duration.FromDays(9)));

        Instant resolved = walk.Calendar.At(Day(1, 4), 600);
        Memberships.Membership failed = RenewalLadder.Settle(unknown, invoice, ChargeState.Failed, "card_declined", resolved, walk.Calendar);
        Assert.Equal(Day(1, 5), failed.Ladder!.NextRungOn);
    }

    [Fact]
    [Trait("Rule", "MEM-9")]
    public void A_ladder_that_outlasts_the_next_renewal_date_charges_that_period_at_the_full_hour_after_recovery()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(1, 1), idSeed: LadderWalk.SeedForSlot(new LocalTime(20, 0)))
        {
            Gateway = n => n switch
            {
                <= 2 => (ChargeState.Failed, Duration.FromDays(14)),
                3 => (ChargeState.Succeeded, Duration.FromDays(5)),
                _ => (ChargeState.Succeeded, Duration.Zero),
            },
        }.Until(Utc(2025, 2, 20));

        Assert.Equal(4, walk.Attempts.Count);
        Assert.Equal(Day(3, 1), walk.Membership.NextRenewalOn);
        Assert.Equal(0, walk.Calendar.LocalOf(walk.Attempts[3]).Minute);
    }

    [Fact]
    [Trait("Rule", "MEM-12")]
    public void A_pending_cancellation_stops_the_ladder_and_takes_effect_at_the_start_of_its_day()
    {
        LadderWalk walk = new(NewYork, Day(1, 1));
        walk.At(walk.Calendar.At(Day(1, 2), 0), w => w.Membership = w.Membership.CancelAt(Day(1, 20))).Until(Utc(2025, 3, 1));

        Assert.Equal([Day(1, 1)], walk.AttemptDays);
        Assert.Equal(walk.Calendar.StartOfDay(Day(1, 20)), walk.DowngradedAt);
    }

    [Fact]
    [Trait("Rule", "DUN-10")]
    public void A_membership_without_a_renewal_date_is_never_charged()
    {
        LadderWalk walk = new(NewYork, Day(1, 1));
        walk.Membership = walk.Membership with { NextRenewalOn = null };

        Assert.Empty(walk.Until(Utc(2030, 1, 1)).Attempts);
    }

    [Theory]
    [InlineData(ChargeState.Succeeded)]
    [InlineData(ChargeState.Failed)]
    [Trait("Rule", "MEM-12")]
    public void An_outcome_that_comes_after_the_end_brings_nothing_back(ChargeState outcome)
    {
        LadderWalk walk = new(NewYork, Day(1, 1));
        Memberships.Membership begun = RenewalLadder.Begin(walk.Membership, new RenewalStep.Charge(Day(1, 1), 1, walk.Now), walk.Calendar, walk.Now);
        InvoiceId invoice = begun.InFlight!.InvoiceId;
        Memberships.Membership unknown = RenewalLadder.Settle(begun, invoice, ChargeState.Unknown, null, walk.Now, walk.Calendar);
        Memberships.Membership ended = unknown.CancelAt(Day(1, 2)).End(MembershipStatus.Downgraded, Utc(2025, 1, 2, 5));

        Memberships.Membership after = RenewalLadder.Settle(ended, invoice, outcome, null, Utc(2025, 1, 3), walk.Calendar);

        Assert.Equal(ended with { InFlight = null, Version = ended.Version + 1 }, after);
    }

    [Fact]
    [Trait("Rule", "MEM-12")]
    [Trait("Rule", "PAY-5")]
    public void An_attempt_that_was_cut_off_is_asked_for_before_the_membership_ends()
    {
        LadderWalk walk = new(NewYork, Day(1, 1));
        Memberships.Membership begun = RenewalLadder.Begin(walk.Membership, new RenewalStep.Charge(Day(1, 1), 1, walk.Now), walk.Calendar, walk.Now);
        Memberships.Membership cancelled = begun.CancelAt(Day(1, 1));
        Instant due = walk.Calendar.StartOfDay(Day(1, 1));

        Assert.IsType<RenewalStep.Resume>(RenewalLadder.Decide(cancelled, walk.Calendar, due));
        Memberships.Membership unknown = RenewalLadder.Settle(cancelled, begun.InFlight!.InvoiceId, ChargeState.Unknown, null, due, walk.Calendar);
        Assert.IsType<RenewalStep.Downgrade>(RenewalLadder.Decide(unknown, walk.Calendar, due));
    }

    [Fact]
    public void An_outcome_of_another_attempt_or_a_repeated_one_changes_nothing()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(1, 1)).Until(Utc(2025, 1, 3, 12));
        Memberships.Membership before = walk.Membership;

        Memberships.Membership after = RenewalLadder.Settle(before, before.Ladder!.LastInvoice, ChargeState.Failed, "again", walk.Now, walk.Calendar);
        Memberships.Membership other = RenewalLadder.Settle(before, EntityId.Derive<InvoiceId>("other"), ChargeState.Succeeded, null, walk.Now, walk.Calendar);

        Assert.Same(before, after);
        Assert.Same(before, other);
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public void An_attempt_that_succeeds_after_its_failure_was_reported_ends_the_ladder()
    {
        LadderWalk walk = new LadderWalk(NewYork, Day(1, 1)).Until(Utc(2025, 1, 3, 12));
        Memberships.Membership before = walk.Membership;

        Memberships.Membership after = RenewalLadder.Settle(before, before.Ladder!.LastInvoice, ChargeState.Succeeded, null, walk.Now, walk.Calendar);

        Assert.Equal(MembershipStatus.Active, after.Status);
        Assert.Equal(Day(2, 1), after.NextRenewalOn);
        Assert.Null(after.Ladder);
    }

    private static void Update(LadderWalk walk) => walk.Membership = walk.Membership.NoteSourceUpdate(walk.Now);

    private static Func<int, (ChargeState State, Duration After)> OkFrom(int attempt) =>
        n => (n >= attempt ? ChargeState.Succeeded : ChargeState.Failed, Duration.Zero);

    private static LocalDate Day(int month, int day) => new(2025, month, day);

    private static Instant Utc(int year, int month, int day, int hour = 0) => Instant.FromUtc(year, month, day, hour, 0);
}
