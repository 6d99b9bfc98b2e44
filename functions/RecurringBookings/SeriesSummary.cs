using Flex.Wallets;
using NodaTime;

namespace Flex.RecurringBookings;

public enum OccurrenceStatus
{
    /// <summary>Inside the horizon: priced for good, credits and passes taken.</summary>
    Accounted,

    /// <summary>Beyond the horizon: the slot is held, the price is the regular one and can still change.</summary>
    Estimated,

    /// <summary>Not booked.</summary>
    Skipped,
}

/// <summary>An occurrence with its price; null where it is skipped. The makers keep status, price and reason consistent.</summary>
public sealed record PricedOccurrence
{
    private PricedOccurrence(Occurrence occurrence, OccurrenceStatus status, BookingPrice? price, ExclusionReason? skipped)
    {
        Occurrence = occurrence;
        Status = status;
        Price = price;
        SkipReason = skipped;
    }

    public Occurrence Occurrence { get; }

    public OccurrenceStatus Status { get; }

    public BookingPrice? Price { get; }

    public ExclusionReason? SkipReason { get; }

    public static PricedOccurrence Accounted(Occurrence occurrence, BookingPrice price) => new(occurrence, OccurrenceStatus.Accounted, price, null);

    /// <summary>An estimate draws on no credit and no pass.</summary>
    public static PricedOccurrence Estimated(Occurrence occurrence, Money regular) =>
        new(occurrence, OccurrenceStatus.Estimated, BookingPrice.Plain(regular), null);

    public static PricedOccurrence Skipped(Occurrence occurrence, ExclusionReason reason) => new(occurrence, OccurrenceStatus.Skipped, null, reason);
}

/// <summary>Minutes and amounts of one occurrence or several.</summary>
/// <param name="CreditMinutes">Minutes taken from credits.</param>
/// <param name="MoneyCredit">Net, taken from credits in money.</param>
/// <param name="PassMinutes">Minutes taken from passes.</param>
/// <param name="Discount">Net, what the plan's price per hour saves.</param>
/// <param name="Fee">Net.</param>
/// <param name="Tax">On the fee alone; an invoice rounds once on all its lines and can differ by a minor unit per occurrence.</param>
/// <param name="Total">Fee and tax.</param>
public sealed record SeriesAmounts(int CreditMinutes, Money MoneyCredit, int PassMinutes, Money Discount, Money Fee, Money Tax, Money Total)
{
    public static SeriesAmounts Of(BookingPrice price, Money tax) =>
        new(price.CreditMinutes, price.MoneyCredit, price.PassMinutes, price.Discount, price.Fee, tax, price.Fee + tax);

    public static SeriesAmounts Sum(IEnumerable<SeriesAmounts> amounts, Currency currency) => amounts.Aggregate(
        Of(BookingPrice.Free(currency), Money.Zero(currency)),
        (a, b) => new SeriesAmounts(
            a.CreditMinutes + b.CreditMinutes,
            a.MoneyCredit + b.MoneyCredit,
            a.PassMinutes + b.PassMinutes,
            a.Discount + b.Discount,
            a.Fee + b.Fee,
            a.Tax + b.Tax,
            a.Total + b.Total));
}

/// <summary>What one occurrence costs and when that is settled.</summary>
/// <param name="AccountingDate">The local day on which it is, or was, accounted; null when it is skipped.</param>
/// <param name="SkipReason">Null unless it is skipped.</param>
public sealed record SeriesSummaryRow(
    LocalDate Date,
    Instant Start,
    Instant End,
    OccurrenceStatus Status,
    SeriesAmounts Amounts,
    LocalDate? AccountingDate,
    ExclusionReason? SkipReason);

/// <summary>The sums of the accounted and of the estimated rows; estimates are never added to what is owed.</summary>
public sealed record SeriesTotals(int Accounted, SeriesAmounts AccountedAmounts, int Estimated, SeriesAmounts EstimatedAmounts, int Skipped)
{
    public static SeriesTotals Of(IReadOnlyList<SeriesSummaryRow> rows, Currency currency)
    {
        SeriesSummaryRow[] accounted = [.. rows.Where(r => r.Status == OccurrenceStatus.Accounted)];
        SeriesSummaryRow[] estimated = [.. rows.Where(r => r.Status == OccurrenceStatus.Estimated)];
        return new SeriesTotals(
            accounted.Length,
            SeriesAmounts.Sum(accounted.Select(r => r.Amounts), currency),
            estimated.Length,
            SeriesAmounts.Sum(estimated.Select(r => r.Amounts), currency),
            rows.Count - accounted.Length - estimated.Length);
    }
}

/// <summary>The part of a series that starts in one billing cycle, the local days <c>[From, Until)</c>.</summary>
public sealed record SeriesCycle(LocalDate From, LocalDate Until, SeriesTotals Totals);

/// <summary>How a series is accounted in the next two months and what each occurrence costs (REC-1, REC-2). Pure.</summary>
public sealed record SeriesSummary(IReadOnlyList<SeriesSummaryRow> Rows, IReadOnlyList<SeriesCycle> Cycles, SeriesTotals Totals)
{
    /// <param name="occurrences">In the order of time.</param>
    /// <param name="madeOn">The local day on which the series is made: what lies within the horizon then is accounted on it.</param>
    /// <param name="cycleAnchor">Local day from which the member's monthly cycles count.</param>
    /// <param name="taxOn">The tax on a net amount.</param>
    public static SeriesSummary Of(
        IReadOnlyList<PricedOccurrence> occurrences, LocalDate madeOn, Currency currency, LocalDate cycleAnchor, Func<Money, Money> taxOn)
    {
        SeriesSummaryRow[] rows = [.. occurrences.Select(o => RowOf(o, madeOn, currency, taxOn))];
        SeriesCycle[] cycles =
        [
            .. rows.GroupBy(r => CreditCycle.Of(cycleAnchor, r.Date)).OrderBy(g => g.Key.From)
                .Select(g => new SeriesCycle(g.Key.From, g.Key.Until, SeriesTotals.Of([.. g], currency))),
        ];
        return new SeriesSummary(rows, cycles, SeriesTotals.Of(rows, currency));
    }

    private static SeriesSummaryRow RowOf(PricedOccurrence priced, LocalDate madeOn, Currency currency, Func<Money, Money> taxOn)
    {
        BookingPrice price = priced.Price ?? BookingPrice.Free(currency);
        Occurrence o = priced.Occurrence;
        return new SeriesSummaryRow(
            o.Date,
            o.Start,
            o.End,
            priced.Status,
            SeriesAmounts.Of(price, taxOn(price.Fee)),
            priced.Price is null ? null : LocalDate.Max(madeOn, AccountingHorizon.EntryOf(o.Date)),
            priced.SkipReason);
    }
}
