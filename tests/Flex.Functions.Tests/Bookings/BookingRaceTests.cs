using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Flex.Tests.Shared;
using Flex.Wallets;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class BookingRaceTests(AzuriteFixture azurite)
{
    private static readonly RequestContext Staff = RequestContext.For(new Caller(Role.Staff, "staff-1"));
    private static readonly Instant Slot = Instant.FromUtc(2025, 1, 10, 15, 0);

    [Fact, Trait("Rule", "BKG-2")]
    public async Task Fifty_clients_for_one_slot_get_one_201_and_49_conflicts()
    {
        using Spaces spaces = await Spaces.CreateAsync();

        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 50)
            .Select(_ => Task.Run(() => spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z"))));

        Assert.Equal(1, answers.Count(a => a.Status == 201));
        Assert.Equal(49, answers.Count(a => a is { Status: 409, Code: ErrorCodes.BookingConflict }));
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task Without_the_gate_it_is_still_one_and_49()
    {
        using Spaces spaces = await Spaces.CreateAsync();

        Reply<BookingView>[] replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() =>
            OtherProcess(spaces, spaces.Tables).HandleAsync(Wish(spaces, Slot), Staff, Spaces.Cancellation))));

        AssertOneWinner(spaces.Tables, spaces, replies);
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task Without_the_gate_it_is_still_one_and_49_on_azurite()
    {
        AzureTableStore tables = await azurite.NewStoreAsync();
        using Spaces spaces = await Spaces.CreateAsync();
        await CopyAsync(spaces.Tables, tables);

        Reply<BookingView>[] replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            OtherProcess(spaces, tables).HandleAsync(Wish(spaces, Slot), Staff, Spaces.Cancellation)));

        Assert.Equal(1, replies.Count(r => r.Error is null));
        Assert.Equal(49, replies.Count(r => r.Error?.Code == ErrorCodes.BookingConflict));
    }

    /// <summary>A writer is held between reading the agenda and committing while another books the same time.</summary>
    [Fact, Trait("Rule", "BKG-2")]
    public async Task A_slot_taken_between_reading_the_agenda_and_committing_is_a_conflict()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        bool interfered = false;
        spaces.Tables.BeforeCommit = async batch =>
        {
            if (batch.Table == BookingStore.Table && !interfered)
            {
                interfered = true;
                Reply<BookingView> rival = await OtherProcess(spaces, spaces.Tables).HandleAsync(Wish(spaces, Slot), Staff, Spaces.Cancellation);
                Assert.Null(rival.Error);
            }
        };

        Answer answer = await spaces.BookAsync("2025-01-10T15:30:00Z", "2025-01-10T16:30:00Z");

        Assert.True(interfered);
        Assert.Equal((409, ErrorCodes.BookingConflict), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Another_slot_taken_between_reading_and_committing_is_no_conflict()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        bool interfered = false;
        spaces.Tables.BeforeCommit = async batch =>
        {
            if (batch.Table == BookingStore.Table && !interfered)
            {
                interfered = true;
                await OtherProcess(spaces, spaces.Tables).HandleAsync(Wish(spaces, Slot), Staff, Spaces.Cancellation);
            }
        };

        Answer answer = await spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z");

        Assert.Equal(201, answer.Status);
        BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
    }

    /// <summary>Every client goes through the 200 slots in an order of its own.</summary>
    [Fact, Trait("Rule", "BKG-2")]
    public async Task Sixty_four_clients_racing_for_200_slots_book_each_once()
    {
        using Spaces spaces = await Spaces.CreateAsync();

        int[][] statuses = await Task.WhenAll(Enumerable.Range(0, 64).Select(client => Task.Run(async () =>
        {
            int[] slots = [.. Enumerable.Range(0, 200)];
            new Random(client).Shuffle(slots);
            var seen = new List<int>();
            foreach (int slot in slots.Take(25))
            {
                Instant start = Slot + Duration.FromMinutes(30 * slot);
                seen.Add((await spaces.BookAsync(start.ToString(), (start + Duration.FromMinutes(30)).ToString())).Status);
            }

            return seen.ToArray();
        })));

        Assert.All(statuses.SelectMany(s => s), s => Assert.True(s is 201 or 409, $"{s}"));
        Assert.Equal(statuses.SelectMany(s => s).Count(s => s == 201), BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room));
    }

    [Fact]
    public async Task A_failed_commit_leaves_the_partition_as_it_was_and_answers_503()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        await spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        IReadOnlyList<TableRow> before = spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(spaces.Location));
        spaces.Tables.BeforeCommit = _ => throw new TransientFaultException("storage is away");

        Answer answer = await spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z");

        Assert.Equal((503, ErrorCodes.Unavailable), (answer.Status, answer.Code));
        Assert.Equal(before, spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(spaces.Location)));
    }

    /// <summary>A handler with a gate of its own, as in another process: only ETags keep it apart from the others.</summary>
    private static CreateBookingHandler OtherProcess(Spaces spaces, ITableStore tables)
    {
        var committer = new Committer(tables, spaces.Queue, spaces.Get<IIdSource>(), spaces.Get<TimeProvider>(), NullLogger<Committer>.Instance);
        var bookings = new BookingStore(tables, committer);
        var members = new MemberStore(tables, committer, spaces.App.Time);
        var wallets = new WalletStore(tables, committer);
        var ledger = new WalletLedger(wallets, spaces.Get<SettingsStore>(), spaces.App.Time);
        var gate = new AgendaGate();
        var canceller = new BookingCanceller(bookings, members, ledger, gate, spaces.App.Time);
        return new CreateBookingHandler(
            new BookingWishes(spaces.Get<CatalogueStore>(), spaces.Get<SettingsStore>(), members, spaces.Get<WalletReader>()),
            bookings,
            new BookingSettler(bookings, canceller, spaces.Get<BookingQuotes>(), ledger, spaces.Get<IIdSource>(), spaces.App.Time),
            spaces.Get<BookingQuotes>(),
            gate,
            spaces.Get<IIdSource>(),
            spaces.App.Time);
    }

    private static CreateBookingRequest Wish(Spaces spaces, Instant start) =>
        new(spaces.Room, start, start + Duration.FromHours(1), spaces.Member);

    private static void AssertOneWinner(MemoryTableStore tables, Spaces spaces, Reply<BookingView>[] replies)
    {
        Assert.Equal(1, replies.Count(r => r.Error is null));
        Assert.Equal(replies.Length - 1, replies.Count(r => r.Error?.Code == ErrorCodes.BookingConflict));
        Assert.Equal(1, BookingInvariants.Check(tables, spaces.Location, spaces.Room));
    }

    private static async Task CopyAsync(MemoryTableStore from, AzureTableStore to)
    {
        TableRow row = (await from.ReadAsync(MemberStore.Table, MemberStore.Partition, RowRange.Prefix(MemberId.Prefix), 1, Spaces.Cancellation)).Single();
        (await to.CommitAsync(new TableBatch(MemberStore.Table, MemberStore.Partition).Insert(row.Key, row.As<Member>()), Spaces.Cancellation)).Require();
    }
}
