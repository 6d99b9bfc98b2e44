using Flex.Bookings;
using Flex.Platform.Tables;
using Flex.RecurringBookings;
using NodaTime;

namespace Flex.Local.Audit;

/// <summary>Series have the bookings that they say, bookings belong to one series, and work on series comes to an end.</summary>
internal static class SeriesAudit
{
    /// <summary>Of a world at rest.</summary>
    public static IEnumerable<Finding> CheckAtRest(IReadOnlyCollection<TableRow> rows, IReadOnlyDictionary<BookingId, Booking> bookings, Instant now)
    {
        Series[] all = [.. Of<Series>(rows, "S|")];
        Dictionary<SeriesId, Series> byId = all.ToDictionary(s => s.Id);
        foreach (SeriesOperation operation in Of<SeriesOperation>(rows, "P|").Where(o => o.State == OperationState.Running))
        {
            yield return new Finding("unfinished", $"{operation.Id} on {operation.SeriesId} is still running.");
        }

        foreach (Series series in all)
        {
            if (series.Running is not null || series.State == SeriesState.Creating)
            {
                yield return new Finding("unfinished", $"{series.Id} is {series.State} and {series.Running?.Value ?? "nothing"} runs on it.");
                continue;
            }

            foreach (LocalDate date in series.State == SeriesState.Rejected ? [] : series.Dates())
            {
                Booking? booking = bookings.GetValueOrDefault(series.BookingIdOf(date));
                if (booking?.Series is not { } of || of.SeriesId != series.Id || of.Date != date)
                {
                    yield return new Finding("series", $"{series.Id} has an occurrence on {date}; its booking is {booking?.Series?.ToString() ?? "none"}.");
                }
                else if (booking.IsToAccount(now) && booking.Accounting != BookingAccounting.NeedsAttention
                    && of.AccountOn < new SiteCalendar(booking.TimeZone).DateOf(now))
                {
                    yield return new Finding("overdue", $"{booking.Id} was to be accounted on {of.AccountOn}.");
                }
            }
        }

        foreach (Booking booking in bookings.Values.Where(b => b.HoldsSlot() && b.Series is not null))
        {
            OccurrenceOf of = booking.Series!;
            if (!byId.TryGetValue(of.SeriesId, out Series? series) || series.State == SeriesState.Rejected || series.BookingIdOf(of.Date) != booking.Id
                || !series.Dates().Contains(of.Date))
            {
                yield return new Finding("series", $"{booking.Id} is the {of.Date} of {of.SeriesId}, which does not have it.");
            }
        }
    }

    private static IEnumerable<T> Of<T>(IEnumerable<TableRow> rows, string prefix) =>
        rows.Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(r => r.As<T>());
}
