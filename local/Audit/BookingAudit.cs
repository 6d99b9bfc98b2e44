using System.Globalization;
using Flex.Bookings;
using Flex.Invoicing;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;

namespace Flex.Local.Audit;

/// <summary>No resource is taken twice at a time, agendas say what bookings say, and every priced booking is charged once.</summary>
internal static class BookingAudit
{
    private static readonly YearMonthPattern Month = YearMonthPattern.CreateWithInvariantCulture("uuuuMM");

    /// <summary>What holds between any two commits.</summary>
    public static IEnumerable<Finding> Check(IReadOnlyCollection<Booking> bookings, IEnumerable<TableRow> rows) =>
        [.. Overlaps(bookings), .. Agendas(bookings, rows), .. bookings.SelectMany(Owed), .. ChargedTwice(bookings)];

    /// <summary>Of a world at rest: nothing that was due is left undone, and billing knows exactly the charges that stand.</summary>
    public static IEnumerable<Finding> CheckAtRest(IEnumerable<Booking> bookings, BillingSnapshot billing, Instant now)
    {
        HashSet<ChargeId> open = [.. billing.OpenCharges];
        HashSet<ChargeId> known = [.. open, .. billing.Claims.SelectMany(c => c.Charges).Select(c => c.ChargeId)];
        foreach (Booking booking in bookings)
        {
            if (booking.Expire(now) is { } overdue)
            {
                yield return new Finding("overdue", $"{booking.Id} is {booking.State} and was to be {overdue.State} at {booking.ActBy}.");
            }

            if (booking.Change is { } change)
            {
                yield return new Finding("unfinished", $"{booking.Id} has a change of {change.At} that is neither made nor given up.");
            }

            foreach (BookingCharge charge in booking.Charges.Where(c => c is { CancelledAt: null, IsPaid: false } && !known.Contains(c.Id)))
            {
                yield return new Finding("charge", $"{booking.Id} has a charge {charge.Id} that is nowhere.");
            }

            foreach (BookingCharge charge in booking.Charges.Where(c => c.CancelledAt is not null && open.Contains(c.Id)))
            {
                yield return new Finding("charge", $"{booking.Id} does not owe {charge.Id} any more, and it waits for an invoice.");
            }
        }
    }

    /// <summary>What it cost, or will cost, stays to be paid.</summary>
    public static bool Stands(Booking booking) =>
        booking.State is BookingState.Confirmed or BookingState.CheckedIn or BookingState.NoShow or BookingState.LateCancelled;

    /// <summary>Buffers included; a resource's bookings need not have the same ones.</summary>
    private static IEnumerable<Finding> Overlaps(IEnumerable<Booking> bookings)
    {
        foreach (IGrouping<ResourceId, Booking> resource in bookings.Where(b => b.HoldsSlot()).GroupBy(b => b.ResourceId))
        {
            AgendaSlot? last = null;
            foreach (AgendaSlot slot in resource.Select(AgendaSlot.Of).OrderBy(s => s.OccupiedFrom))
            {
                if (last is not null && slot.OccupiedFrom < last.OccupiedUntil)
                {
                    yield return new Finding("overlap", $"{resource.Key}: {last.Booking} until {last.End} and {slot.Booking} from {slot.Start}.");
                }

                last = last is null || slot.OccupiedUntil > last.OccupiedUntil ? slot : last;
            }
        }
    }

    /// <summary>A booking stands, with its time and buffers, in the agendas of its months and in no other; while it is being changed, also at its new place.</summary>
    private static IEnumerable<Finding> Agendas(IReadOnlyCollection<Booking> bookings, IEnumerable<TableRow> rows)
    {
        HashSet<(string Agenda, AgendaSlot Slot)> actual = [.. rows
            .Where(r => r.Key.StartsWith("A|", StringComparison.Ordinal))
            .SelectMany(r => r.As<Agenda>().Slots.Select(s => (r.Key, s)))];
        HashSet<(string Agenda, AgendaSlot Slot)> expected = [.. bookings
            .Where(b => b.HoldsSlot())
            .SelectMany(AgendaSlot.AllOf)
            .SelectMany(kept => kept.Keys.Select(k => (string.Create(CultureInfo.InvariantCulture, $"A|{Month.Format(k.Month)}|{k.Resource}"), kept.Slot)))];
        foreach ((string agenda, AgendaSlot slot) in actual.Except(expected))
        {
            yield return new Finding("agenda", $"{slot.Booking} occupies {slot.Start} to {slot.End} in {agenda}, a slot that it does not hold.");
        }

        foreach ((string agenda, AgendaSlot slot) in expected.Except(actual))
        {
            yield return new Finding("agenda", $"{slot.Booking} holds a slot from {slot.Start} to {slot.End} and is not in {agenda}.");
        }
    }

    private static IEnumerable<Finding> Owed(Booking booking)
    {
        Money due = Stands(booking) && booking.Accounting is not (BookingAccounting.Waived or BookingAccounting.NeedsAttention)
            ? booking.Price.Fee
            : Money.Zero(booking.Price.Fee.Currency);
        if (booking.Owed != due)
        {
            yield return new Finding("charge", $"{booking.Id} is {booking.State}, costs {due} and {booking.Owed} is charged.");
        }
    }

    private static IEnumerable<Finding> ChargedTwice(IEnumerable<Booking> bookings) => bookings
        .SelectMany(b => b.Charges.Select(c => (c.Id, Booking: b.Id)))
        .GroupBy(c => c.Id, c => c.Booking)
        .Where(g => g.Count() > 1)
        .Select(g => new Finding("charge", $"{g.Key} is a charge of {string.Join(" and ", g)}."));
}
