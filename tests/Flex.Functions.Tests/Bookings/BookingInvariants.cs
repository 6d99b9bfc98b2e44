using Flex.Bookings;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>What must hold in a resource's partition at any time.</summary>
internal static class BookingInvariants
{
    /// <summary>
    /// No two confirmed bookings share time; every day's agenda holds exactly the confirmed bookings that touch the day; every charge
    /// row says what its booking says. Returns the number of confirmed bookings.
    /// </summary>
    public static int Check(MemoryTableStore tables, ResourceId resource)
    {
        IReadOnlyList<TableRow> rows = tables.Snapshot(BookingStore.Table, EntityId.Home(resource));
        Booking[] all = [.. Rows(rows, "B|").Select(r => r.As<Booking>()).Where(b => b.ResourceId == resource)];
        Booking[] confirmed = [.. all.Where(b => b.State == BookingState.Confirmed).OrderBy(b => b.Start)];
        foreach ((Booking earlier, Booking later) in confirmed.Zip(confirmed.Skip(1)))
        {
            Assert.True(earlier.End <= later.Start, $"{earlier.Id} and {later.Id} share time.");
        }

        string prefix = $"A|{resource}|";
        IEnumerable<(string Day, AgendaSlot Slot)> expected =
            from booking in confirmed
            from day in AgendaDays.Touched(booking.Start, booking.End)
            select (day.ToString("uuuuMMdd", null), AgendaSlot.Of(booking));
        IEnumerable<(string Day, AgendaSlot Slot)> actual =
            from row in Rows(rows, prefix)
            from slot in row.As<Agenda>().Slots
            select (row.Key[prefix.Length..], slot);
        Assert.Equal(expected.OrderBy(Order).ToArray(), actual.OrderBy(Order).ToArray());

        Dictionary<ChargeId, BookingCharge> charges = Rows(rows, "C|").Select(r => r.As<BookingCharge>()).ToDictionary(c => c.Id);
        Assert.All(all.Where(b => b.ChargeId is not null), b => Assert.Equal(b.Charge(), charges[b.ChargeId!.Value]));
        return confirmed.Length;
    }

    private static (string, long) Order((string Day, AgendaSlot Slot) entry) => (entry.Day, entry.Slot.From);

    private static IEnumerable<TableRow> Rows(IEnumerable<TableRow> rows, string prefix) =>
        rows.Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal));
}
