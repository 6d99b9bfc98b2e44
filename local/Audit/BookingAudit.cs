using Flex.Bookings;
using Flex.Invoicing;
using Flex.Platform.Tables;

namespace Flex.Local.Audit;

/// <summary>No resource is taken twice at a time, and every priced booking is charged once.</summary>
internal static class BookingAudit
{
    public static IEnumerable<Finding> Check(IReadOnlyCollection<Booking> bookings, IEnumerable<TableRow> rows)
    {
        foreach (IGrouping<ResourceId, Booking> resource in bookings.Where(b => b.State == BookingState.Confirmed).GroupBy(b => b.ResourceId))
        {
            Booking? last = null;
            foreach (Booking booking in resource.OrderBy(b => b.Start))
            {
                if (last is not null && booking.Start < last.End)
                {
                    yield return new Finding("overlap", $"{resource.Key}: {last.Id} until {last.End} and {booking.Id} from {booking.Start}.");
                }

                last = last is null || booking.End > last.End ? booking : last;
            }
        }

        HashSet<BookingId> inAgenda = [.. rows.Where(r => r.Key.StartsWith("A|", StringComparison.Ordinal)).SelectMany(r => r.As<Agenda>().Slots).Select(s => s.Booking)];
        HashSet<BookingId> confirmed = [.. bookings.Where(b => b.State == BookingState.Confirmed).Select(b => b.Id)];
        foreach (BookingId id in inAgenda.Except(confirmed))
        {
            yield return new Finding("agenda", $"{id} occupies a slot and is not confirmed.");
        }

        foreach (BookingId id in confirmed.Except(inAgenda))
        {
            yield return new Finding("agenda", $"{id} is confirmed and occupies no slot.");
        }
    }

    /// <summary>Of a world at rest: each confirmed, priced booking has its charge in the ledger or on an invoice, and nothing else has one.</summary>
    public static IEnumerable<Finding> CheckCharges(IEnumerable<Booking> bookings, BillingSnapshot billing)
    {
        HashSet<ChargeId> known = [.. billing.OpenCharges, .. billing.Claims.SelectMany(c => c.Charges).Select(c => c.ChargeId)];
        return bookings
            .Where(b => b is { State: BookingState.Confirmed, ChargeId: { } charge } && !known.Contains(charge))
            .Select(b => new Finding("charge", $"{b.Id} costs {b.Price} and its charge {b.ChargeId} is nowhere."));
    }
}
