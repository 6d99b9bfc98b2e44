using Flex.Bookings;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>What must hold of a resource's bookings at any time.</summary>
internal static class BookingInvariants
{
    /// <summary>
    /// No two bookings share time, buffers included; every month's agenda holds exactly the bookings that keep a slot in it; what is owed
    /// for a confirmed booking is its price. Returns the number of confirmed bookings.
    /// </summary>
    public static int Check(MemoryTableStore tables, LocationId location, ResourceId resource)
    {
        IReadOnlyList<TableRow> rows = tables.Snapshot(BookingStore.Table, EntityId.Home(location));
        Booking[] all = [.. Rows(rows, "B|").Select(r => r.As<Booking>()).Where(b => b.ResourceId == resource)];
        Booking[] holding = [.. all.Where(b => b.HoldsSlot()).OrderBy(b => b.Start)];
        foreach ((Booking earlier, Booking later) in holding.Zip(holding.Skip(1)))
        {
            Assert.True(
                AgendaSlot.Of(earlier).OccupiedUntil <= AgendaSlot.Of(later).OccupiedFrom, $"{earlier.Id} and {later.Id} share time.");
        }

        IEnumerable<(string Month, AgendaSlot Slot)> expected =
            from booking in holding
            from month in AgendaSlot.Of(booking).Months()
            select (month.ToString("uuuuMM", null), AgendaSlot.Of(booking));
        IEnumerable<(string Month, AgendaSlot Slot)> actual =
            from row in Rows(rows, "A|")
            where row.Key.EndsWith($"|{resource}", StringComparison.Ordinal)
            from slot in row.As<Agenda>().Slots
            select (row.Key.Split('|')[1], slot);
        Assert.Equal(expected.OrderBy(Order).ToArray(), actual.OrderBy(Order).ToArray());
        Assert.All(all.Where(b => b.State == BookingState.Confirmed), b => Assert.Equal(b.Price.Fee, b.Owed));
        return all.Count(b => b.State == BookingState.Confirmed);
    }

    private static (string, long) Order((string Month, AgendaSlot Slot) entry) => (entry.Month, entry.Slot.From);

    private static IEnumerable<TableRow> Rows(IEnumerable<TableRow> rows, string prefix) =>
        rows.Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal));
}
