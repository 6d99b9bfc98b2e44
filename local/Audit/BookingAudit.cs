using Flex.Bookings;
using Flex.Invoicing;
using Flex.Platform.Tables;

namespace Flex.Local.Audit;

/// <summary>No resource is taken twice at a time, and every priced booking is charged once.</summary>
internal static class BookingAudit
{
    public static IEnumerable<Finding> Check(IReadOnlyCollection<Booking> bookings, IEnumerable<TableRow> rows)
    {
        foreach (IGrouping<ResourceId, Booking> resource in bookings.Where(b => b.HoldsSlot()).GroupBy(b => b.ResourceId))
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
        HashSet<BookingId> holding = [.. bookings.Where(b => b.HoldsSlot()).Select(b => b.Id)];
        foreach (BookingId id in inAgenda.Except(holding))
        {
            yield return new Finding("agenda", $"{id} occupies a slot that it does not hold.");
        }

        foreach (BookingId id in holding.Except(inAgenda))
        {
            yield return new Finding("agenda", $"{id} holds a slot and is in no agenda.");
        }
    }

    /// <summary>Of a world at rest: what is owed for a booking is its price, and each of its charges is in the ledger or on an invoice.</summary>
    public static IEnumerable<Finding> CheckCharges(IEnumerable<Booking> bookings, BillingSnapshot billing)
    {
        HashSet<ChargeId> known = [.. billing.OpenCharges, .. billing.Claims.SelectMany(c => c.Charges).Select(c => c.ChargeId)];
        foreach (Booking booking in bookings.Where(b => b.State is BookingState.Confirmed or BookingState.CheckedIn or BookingState.NoShow or BookingState.LateCancelled))
        {
            if (booking.Owed != booking.Price.Fee && booking.Accounting != BookingAccounting.Waived)
            {
                yield return new Finding("charge", $"{booking.Id} costs {booking.Price.Fee} and {booking.Owed} is charged.");
            }

            foreach (BookingCharge charge in booking.Charges.Where(c => c is { CancelledAt: null, IsPaid: false } && !known.Contains(c.Id)))
            {
                yield return new Finding("charge", $"{booking.Id} has a charge {charge.Id} that is nowhere.");
            }
        }
    }
}
