using Flex.Bookings;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
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
        Booking[] everywhere = [.. Rows(rows, "B|").Select(r => r.As<Booking>())];
        Booking[] all = [.. everywhere.Where(b => b.ResourceId == resource)];
        Booking[] holding = [.. everywhere.Where(b => b.HoldsSlot() && AgendaSlot.AllOf(b).Any(s => s.Resource == resource))];
        AgendaSlot[] slots = [.. holding.SelectMany(AgendaSlot.AllOf).Where(s => s.Resource == resource).Select(s => s.Slot).OrderBy(s => s.From)];
        foreach ((AgendaSlot earlier, AgendaSlot later) in slots.Zip(slots.Skip(1)).Where(s => s.First.Booking != s.Second.Booking))
        {
            Assert.True(earlier.OccupiedUntil <= later.OccupiedFrom, $"{earlier.Booking} and {later.Booking} share time.");
        }

        IEnumerable<(string Month, AgendaSlot Slot)> expected =
            from booking in holding
            from kept in AgendaSlot.AllOf(booking)
            where kept.Resource == resource
            from month in kept.Slot.Months()
            select (month.ToString("uuuuMM", null), kept.Slot);
        IEnumerable<(string Month, AgendaSlot Slot)> actual =
            from row in Rows(rows, "A|")
            where row.Key.EndsWith($"|{resource}", StringComparison.Ordinal)
            from slot in row.As<Agenda>().Slots
            select (row.Key.Split('|')[1], slot);
        Assert.Equal(expected.OrderBy(Order).ToArray(), actual.OrderBy(Order).ToArray());
        Assert.All(all.Where(b => b.State == BookingState.Confirmed), b => Assert.Equal(b.Price.Fee, b.Owed));
        return all.Count(b => b.State == BookingState.Confirmed);
    }

    /// <summary>
    /// What the wallet has given is what the bookings have taken that have not returned it, and what billing has heard is what is owed.
    /// For when nothing is under way and every message has arrived.
    /// </summary>
    public static void CheckAccounts(Spaces spaces, MemberId member)
    {
        Booking[] all = [.. Rows(spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(spaces.Location)), "B|")
            .Select(r => r.As<Booking>()).Where(b => b.MemberId == member)];
        IReadOnlyList<TableRow> wallet = spaces.Tables.Snapshot(WalletStore.Table, member.Value);
        Dictionary<BookingId, Draw> draws = Rows(wallet, "V|").Select(r => r.As<Draw>()).ToDictionary(d => d.BookingId);
        Assert.All(all, b => Assert.Null(b.Change));
        Assert.All(all, b => Assert.Equal(
            TakingsOf(Keeps(b) ? b.Price.Takings : []), TakingsOf(draws.GetValueOrDefault(b.Id)?.Price?.Takings ?? [])));
        Wallet? now = wallet.SingleOrDefault(r => r.Key == "W")?.As<Wallet>();
        Assert.Equal(
            all.Where(Keeps).SelectMany(b => b.Price.Takings).GroupBy(t => t.Source).Select(g => (g.Key, g.Sum(t => t.Minutes))).OrderBy(s => s.Key),
            (now?.Used ?? []).Select(u => (u.Source, u.Minutes))
                .Concat((now?.Passes ?? []).Where(p => p.UsedMinutes != 0).Select(p => (p.Id.Value, p.UsedMinutes)))
                .OrderBy(s => s.Item1));

        HashSet<ChargeId> dropped = [.. spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject).Select(c => c.ChargeId)];
        ILookup<ChargeId, Money> lowered = spaces.Queue.On<ChargeReduced>(Queues.Billing, ChargeReduced.Subject)
            .DistinctBy(r => (r.ChargeId, r.ReductionId)).ToLookup(r => r.ChargeId, r => r.By);
        ILookup<string, Money> owed = spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject)
            .DistinctBy(c => c.ChargeId).Where(c => !dropped.Contains(c.ChargeId))
            .ToLookup(c => c.Source, c => lowered[c.ChargeId].Aggregate(c.Net, (net, by) => net - by));
        Assert.All(all, b => Assert.Equal(b.Owed, owed[b.Id.Value].Aggregate(Money.Zero(b.Price.Fee.Currency), (sum, net) => sum + net)));
        Assert.All(
            all.Where(b => b.State is BookingState.Confirmed or BookingState.CheckedIn or BookingState.LateCancelled or BookingState.NoShow),
            b => Assert.Equal(b.Price.Fee, b.Owed));
    }

    /// <summary>Whether what the booking took stays taken.</summary>
    private static bool Keeps(Booking b) =>
        b.State is BookingState.Confirmed or BookingState.CheckedIn or BookingState.LateCancelled or BookingState.NoShow;

    private static string[] TakingsOf(IEnumerable<Taking> takings) => [.. takings.Select(t => $"{t.Source} {t.Minutes} {t.Amount}")];

    private static (string, long) Order((string Month, AgendaSlot Slot) entry) => (entry.Month, entry.Slot.From);

    private static IEnumerable<TableRow> Rows(IEnumerable<TableRow> rows, string prefix) =>
        rows.Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal));
}
