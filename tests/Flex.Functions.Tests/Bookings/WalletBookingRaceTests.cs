using Flex.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Local.Audit;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>Bookings that draw on one wallet at a time, and those that are cut off on the way.</summary>
public sealed class WalletBookingRaceTests
{
    private const string Start = "2025-01-10T15:00:00Z";
    private const string End = "2025-01-10T17:00:00Z";

    [Fact, Trait("Rule", "CRD-1")]
    public async Task Twenty_bookings_of_half_an_hour_in_twenty_rooms_spend_five_hours_of_credit_exactly()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        var rooms = new List<ResourceId>();
        for (int i = 0; i < 20; i++)
        {
            rooms.Add(await spaces.AddRoomAsync($"Room {i}"));
        }

        await spaces.GiveCreditAsync(300, rooms: [.. rooms]);

        Answer[] answers = await Task.WhenAll(rooms.Select((room, i) => Task.Run(() => spaces.BookAsync(Start, "2025-01-10T15:30:00Z", room: room, key: $"k{i}"))));

        Assert.All(answers, a => Assert.Equal(201, a.Status));
        Assert.Equal(300, answers.Sum(a => (int)a.Json["creditMinutes"]!));
        Assert.Equal(10 * 6.00m, answers.Sum(a => decimal.Parse((string)a.Json["price"]!["amount"]!, System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(300, Assert.Single((await WalletAsync(spaces)).Used).Minutes);
        await AssertSoundAsync(spaces);
    }

    /// <summary>The wallet is found emptied only when the slot is kept already: it is given up again, although its own request keeps others waiting for it.</summary>
    [Fact, Trait("Rule", "MEM-14")]
    public async Task A_booking_whose_credit_somebody_else_takes_on_the_way_is_refused_and_leaves_its_slot()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        ResourceId other = await spaces.AddRoomAsync("Other room");
        await spaces.GiveCreditAsync(120, rooms: [spaces.Room, other]);
        MembershipStanding standing = await spaces.StandingAsync();
        await spaces.SetStandingAsync(spaces.Member, standing with { Status = MembershipStatus.Delinquent, Version = standing.Version + 1 });
        Answer? rival = null;
        spaces.Tables.BeforeCommit = async batch =>
        {
            if (batch.Table == WalletStore.Table)
            {
                spaces.Tables.BeforeCommit = null;
                using Spaces process = spaces.OtherProcess();
                rival = await process.BookAsync(Start, End, room: other);
            }
        };

        Answer answer = await spaces.BookAsync(Start, End).WaitAsync(TimeSpan.FromSeconds(20), Spaces.Cancellation);

        Assert.Equal((201, 409, ErrorCodes.PaymentRequired), (rival!.Status, answer.Status, answer.Code));
        Assert.Equal(120, Assert.Single((await WalletAsync(spaces)).Used).Minutes);
        Assert.Empty((await spaces.Get<BookingStore>().ReadAgendaAsync(spaces.Location, spaces.Room, January(spaces), Spaces.Cancellation)).SlotsOf(spaces.Room));
        await AssertSoundAsync(spaces);
    }

    /// <summary>The process dies before or after its n-th commit, for every n; then the request comes again, or nobody ever comes again.</summary>
    [Theory, Trait("Rule", "API-2"), Trait("Rule", "CRD-6")]
    [InlineData(true, "create")]
    [InlineData(false, "create")]
    [InlineData(true, "change")]
    [InlineData(false, "change")]
    [InlineData(true, "cancel")]
    [InlineData(false, "cancel")]
    public async Task Wherever_a_process_dies_nothing_is_lost_and_nothing_taken_twice(bool comesAgain, string act)
    {
        int places = 0;
        for (int place = 0; await DieAtAsync(place, comesAgain, act); place++)
        {
            places++;
        }

        // Two at least: before and after the only commit of the shortest of them.
        Assert.InRange(places, 2, 30);
    }

    /// <returns>False when it was over before.</returns>
    private static async Task<bool> DieAtAsync(int place, bool comesAgain, string act)
    {
        using Spaces spaces = await Spaces.CreateAsync();
        await spaces.GiveCreditAsync(90);
        BookingId? id = act == "create" ? null : await spaces.BookedAsync(Start, End);
        await spaces.DrainAsync(Queues.Bookings);
        int step = 0;
        bool isDead = false;
        Task DieAsync(TableBatch batch)
        {
            isDead |= step++ == place;
            return isDead ? throw new TransientFaultException("Simulated: the process has been killed.") : Task.CompletedTask;
        }

        (spaces.Tables.BeforeCommit, spaces.Tables.AfterCommit) = (DieAsync, DieAsync);
        Task<Answer> ActAsync() => act switch
        {
            "create" => spaces.BookAsync(Start, End, key: "k"),
            "change" => spaces.ChangeAsync(id!.Value, new { end = "2025-01-10T16:00:00Z" }, key: "k"),
            _ => spaces.CancelAsync(id!.Value, key: "k"),
        };
        Answer cut = await ActAsync();
        (spaces.Tables.BeforeCommit, spaces.Tables.AfterCommit) = (null, null);

        if (comesAgain)
        {
            Answer again = await ActAsync();
            Assert.True(again.Status is 200 or 201, again.Body);
            Assert.Equal(again.Body, (await ActAsync()).Body);
        }

        // Messages whose publishing was cut off come by the sweep; holds and changes that nobody goes on with end by themselves.
        spaces.App.Time.Advance(TimeSpan.FromMinutes(11));
        await SweepAsync(spaces);
        int used = (await WalletAsync(spaces)).Used.Sum(u => u.Minutes);
        Booking[] stand = [.. Standing(spaces)];
        Assert.Equal(stand.Sum(b => b.Price.CreditMinutes), used);
        Assert.Equal(comesAgain ? (act == "create" ? (1, 90) : act == "change" ? (1, 60) : (0, 0)) : (stand.Length, used), (stand.Length, used));
        await AssertSoundAsync(spaces);
        return isDead && cut.Status == 503;
    }

    private static IEnumerable<Booking> Standing(Spaces spaces) => spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(spaces.Location))
        .Where(r => r.Key.StartsWith("B|", StringComparison.Ordinal))
        .Select(r => r.As<Booking>())
        .Where(b => b.HoldsSlot());

    private static async Task<Wallet> WalletAsync(Spaces spaces) => (await spaces.Get<WalletStore>().ReadAsync(spaces.Member, Spaces.Cancellation)).Wallet;

    private static AgendaSlot[] January(Spaces spaces) =>
        [AgendaSlot.Of(EntityId.Derive<BookingId>("any", EntityId.Home(spaces.Location)), new Interval(Instant.FromUtc(2025, 1, 1, 0, 0), Instant.FromUtc(2025, 1, 31, 0, 0)), Buffers.None)];

    private static async Task SweepAsync(Spaces spaces)
    {
        foreach (string partition in (string[])[EntityId.Home(spaces.Location), spaces.Member.Value])
        {
            foreach (string table in (string[])[BookingStore.Table, WalletStore.Table])
            {
                foreach (TableRow row in spaces.Tables.Snapshot(table, partition).Where(r => r.Key.StartsWith("O|", StringComparison.Ordinal)))
                {
                    OutboxMessage message = row.As<OutboxMessage>();
                    await spaces.DeliverAsync(message.Queue, message.ToEnvelope());
                }
            }
        }

        await spaces.DrainAsync(Queues.Bookings);
        await spaces.DrainAsync(Queues.Billing);
        await spaces.DrainAsync(Queues.Bookings);
    }

    private static async Task AssertSoundAsync(Spaces spaces)
    {
        await SweepAsync(spaces);
        Assert.Empty((await new StoreAudit(spaces.Tables, null, null).RunAsync(spaces.Now, atRest: true, Spaces.Cancellation)).Findings);
    }
}
