using Flex.Bookings;
using Flex.Invoicing;
using Flex.Members;
using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>What a summary needs to know besides the prices. Pure.</summary>
/// <param name="Anchor">Local day from which the member's cycles count.</param>
/// <param name="Tax">Null: untaxed.</param>
public sealed record SummaryTerms(Currency Currency, LocalDate Anchor, TaxSnapshot? Tax)
{
    /// <summary>Without a paid membership the cycles are calendar months.</summary>
    public static readonly LocalDate CalendarMonths = new(2000, 1, 1);

    /// <param name="madeOn">The local day on which the series was made.</param>
    public SeriesSummary Summarise(IReadOnlyList<PricedOccurrence> priced, LocalDate madeOn) =>
        SeriesSummary.Of(priced, madeOn, Currency, Anchor, TaxOn);

    /// <summary>Each component is a tax of its own and rounded by itself.</summary>
    private Money TaxOn(Money net) => (Tax?.Components ?? []).Aggregate(Money.Zero(net.Currency), (sum, c) => sum + net.Times(c.Percent / 100m));
}

/// <summary>Summaries of series, planned and booked.</summary>
public sealed class SeriesSummaries(InvoiceTerms invoices, BookingWishes wishes, SeriesRunner runner)
{
    /// <summary>No storage call. The cycles are those of the member's first paid membership.</summary>
    public async Task<SummaryTerms> TermsAsync(BookingWish wish, CancellationToken cancellation) => new(
        wish.Location.Currency,
        wish.Member.Standing.FirstOrDefault(MemberStanding.IsPaid)?.AnchorDate ?? SummaryTerms.CalendarMonths,
        await invoices.TaxAsync(wish.Rate.TaxRateId, cancellation));

    /// <summary>What the occurrences of a series cost as they are booked. One read for each, and one for the member.</summary>
    public async Task<SeriesSummary> ReadAsync(Series series, CancellationToken cancellation)
    {
        Dictionary<LocalDate, Booking> booked = (await runner.ReadAsync(series.Dates().Select(series.BookingIdOf), cancellation))
            .ToDictionary(b => b.Value.Series!.Date, b => b.Value);
        Dictionary<LocalDate, ExclusionReason> excluded = series.Exclusions.ToDictionary(e => e.Date, e => e.Reason);
        PricedOccurrence[] priced =
        [
            .. series.Schedule.Occurrences()
                .Where(o => !(o.Date < series.FirstOn) && !(o.Date > series.LastOn))
                .Select(o => PricedOf(o, booked.GetValueOrDefault(o.Date), excluded.GetValueOrDefault(o.Date, ExclusionReason.Cancelled))),
        ];
        SummaryTerms terms = booked.Count == 0
            ? new SummaryTerms(await wishes.CurrencyAsync(series.LocationId, cancellation), SummaryTerms.CalendarMonths, null)
            : await TermsAsync(await wishes.OfAsync(booked.Values.First(), cancellation), cancellation);
        return terms.Summarise(priced, new SiteCalendar(series.Schedule.TimeZone).DateOf(series.CreatedAt));
    }

    /// <summary>A booking that has ended without costing anything is as if the day were left out.</summary>
    private static PricedOccurrence PricedOf(Occurrence occurrence, Booking? booking, ExclusionReason excluded) => booking switch
    {
        null => PricedOccurrence.Skipped(occurrence, excluded),
        { State: BookingState.Cancelled or BookingState.Expired } => PricedOccurrence.Skipped(occurrence, ExclusionReason.Cancelled),
        { State: BookingState.Tentative or BookingState.Held } => PricedOccurrence.Estimated(occurrence, booking.Price.Fee),
        _ => PricedOccurrence.Accounted(occurrence, booking.Price),
    };
}
