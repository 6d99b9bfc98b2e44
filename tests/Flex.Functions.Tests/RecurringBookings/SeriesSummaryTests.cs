using Flex.Kernel;
using Flex.RecurringBookings;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

public sealed class SeriesSummaryTests
{
    private static readonly Currency Usd = Currency.Parse("usd");
    private static readonly LocalDate MadeOn = new(2025, 1, 10);

    [Fact, Trait("Rule", "REC-1"), Trait("Rule", "REC-2")]
    public void Every_occurrence_has_its_own_price_and_cycles_and_totals_are_their_sums()
    {
        IReadOnlyList<Occurrence> o = Mondays(12);
        BookingPrice credited = new(Cents(0), Cents(0), Cents(0), Cents(0), CreditMinutes: 60, PassMinutes: 0, []);
        BookingPrice discounted = new(Cents(1000), Cents(200), Cents(300), Cents(500), CreditMinutes: 30, PassMinutes: 0, []);
        BookingPrice passed = new(Cents(0), Cents(0), Cents(0), Cents(0), CreditMinutes: 0, PassMinutes: 60, []);
        SeriesSummary summary = Of(
        [
            PricedOccurrence.Accounted(o[0], credited),
            PricedOccurrence.Accounted(o[1], discounted),
            PricedOccurrence.Accounted(o[2], passed),
            PricedOccurrence.Skipped(o[3], ExclusionReason.Conflict),
            PricedOccurrence.Estimated(o[11], Cents(1200)),
        ]);

        Assert.Equal([60, 30, 0, 0, 0], summary.Rows.Select(r => r.Amounts.CreditMinutes));
        Assert.Equal([0, 0, 60, 0, 0], summary.Rows.Select(r => r.Amounts.PassMinutes));
        Assert.Equal([0L, 500, 0, 0, 1200], summary.Rows.Select(r => r.Amounts.Fee.Minor));
        Assert.Equal([0L, 95, 0, 0, 228], summary.Rows.Select(r => r.Amounts.Tax.Minor));
        Assert.Equal([0L, 595, 0, 0, 1428], summary.Rows.Select(r => r.Amounts.Total.Minor));
        Assert.Equal((200L, 300L), (summary.Rows[1].Amounts.Discount.Minor, summary.Rows[1].Amounts.MoneyCredit.Minor));

        // The cycle of an anchor on the 20th: 13 January lies in the one before.
        Assert.Equal([new LocalDate(2024, 12, 20), new LocalDate(2025, 1, 20), new LocalDate(2025, 3, 20)], summary.Cycles.Select(c => c.From));
        Assert.Equal(new LocalDate(2025, 2, 20), summary.Cycles[1].Until);
        Assert.Equal([(1, 0, 0), (2, 0, 1), (0, 1, 0)], summary.Cycles.Select(c => (c.Totals.Accounted, c.Totals.Estimated, c.Totals.Skipped)));
        Assert.Equal([0L, 595, 0], summary.Cycles.Select(c => c.Totals.AccountedAmounts.Total.Minor));
        Assert.Equal(60, summary.Cycles[1].Totals.AccountedAmounts.PassMinutes);
        Assert.Equal((3, 1, 1), (summary.Totals.Accounted, summary.Totals.Estimated, summary.Totals.Skipped));
        Assert.Equal((90, 60), (summary.Totals.AccountedAmounts.CreditMinutes, summary.Totals.AccountedAmounts.PassMinutes));
        Assert.Equal((595L, 1428L), (summary.Totals.AccountedAmounts.Total.Minor, summary.Totals.EstimatedAmounts.Total.Minor));
    }

    [Fact, Trait("Rule", "REC-2")]
    public void Each_row_says_when_it_is_accounted()
    {
        IReadOnlyList<Occurrence> o = Mondays(14);
        SeriesSummary summary = Of(
        [
            PricedOccurrence.Accounted(o[0], BookingPrice.Free(Usd)),
            PricedOccurrence.Estimated(o[11], Cents(1200)),
            PricedOccurrence.Skipped(o[12], ExclusionReason.NoPasses),
        ]);

        Assert.Equal([MadeOn, new LocalDate(2025, 1, 31), null], summary.Rows.Select(r => r.AccountingDate));
        Assert.Equal([null, null, ExclusionReason.NoPasses], summary.Rows.Select(r => r.SkipReason));
        Assert.Equal(
            [OccurrenceStatus.Accounted, OccurrenceStatus.Estimated, OccurrenceStatus.Skipped], summary.Rows.Select(r => r.Status));
    }

    [Fact, Trait("Rule", "REC-2")]
    public void A_summary_of_nothing_is_zero_in_the_currency()
    {
        SeriesSummary summary = Of([]);

        Assert.Empty(summary.Rows);
        Assert.Empty(summary.Cycles);
        Assert.Equal(Cents(0), summary.Totals.AccountedAmounts.Total);
    }

    private static SeriesSummary Of(IReadOnlyList<PricedOccurrence> occurrences) => SeriesSummary.Of(
        occurrences,
        MadeOn,
        Usd,
        cycleAnchor: new LocalDate(2024, 1, 20),
        net => net.Times(0.19m));

    /// <summary>From 13 January 2025 on, an hour each.</summary>
    private static IReadOnlyList<Occurrence> Mondays(int count) => new SeriesSchedule(
        new LocalDateTime(2025, 1, 13, 9, 0), new LocalDateTime(2025, 1, 13, 10, 0), "Etc/UTC", new($"FREQ=WEEKLY;COUNT={count}")).Check().Value;

    private static Money Cents(long minor) => new(minor, Usd);
}
