using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>
/// A change that draws on the wallet is three commits: both slots are kept, the wallet draws, the booking is at its new place. Here it is
/// killed before or after each of them, and everything else happens in between.
/// </summary>
public sealed class ChangeRaceTests : IAsyncLifetime
{
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 10, 15, 0);
    private static readonly object Longer = new { end = "2025-01-10T17:00:00Z" };
    private Spaces _spaces = null!;
    private BookingId _id;

    /// <summary>90 minutes of credit, of which the booking takes 60.</summary>
    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        await _spaces.SetTermsAsync(_spaces.Room, BookingTerms.None with { CheckInGraceMinutes = 10 });
        await _spaces.GiveCreditAsync(90);
        _id = await _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory, Trait("Rule", "BKG-7")]
    [InlineData(1, true, true)]
    [InlineData(1, false, false)]
    [InlineData(2, true, true)]
    [InlineData(2, false, true)]
    [InlineData(3, true, true)]
    [InlineData(3, false, true)]
    public async Task Killed_before_a_commit_it_is_finished_by_its_repetition_and_by_time(int killedAt, bool isRepeated, bool isMoved)
    {
        int commits = 0;
        _spaces.Tables.BeforeCommit = _ => ++commits == killedAt ? throw new TransientFaultException("killed") : Task.CompletedTask;
        Assert.Equal(503, (await _spaces.ChangeAsync(_id, Longer, key: "k")).Status);
        _spaces.Tables.BeforeCommit = null;

        await RecoverAsync(isRepeated, isMoved);
    }

    [Theory, Trait("Rule", "BKG-7")]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public async Task Killed_after_a_commit_it_is_finished_by_its_repetition_and_by_time(int killedAt, bool isRepeated)
    {
        int commits = 0;
        _spaces.Tables.AfterCommit = _ => ++commits == killedAt ? throw new TransientFaultException("killed") : Task.CompletedTask;
        Assert.Equal(503, (await _spaces.ChangeAsync(_id, Longer, key: "k")).Status);
        _spaces.Tables.AfterCommit = null;

        // What was committed and not published leaves with the outbox's sweep.
        await _spaces.DeliverAsync(Queues.Outbox, new Envelope(
            "sweep", OutboxSweep.Subject, Flex.Platform.StorageJson.Write(new OutboxSweep(BookingStore.Table, EntityId.Home(_spaces.Location))), null));
        await RecoverAsync(isRepeated, isMoved: true);
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task The_repetition_of_a_change_that_time_has_finished_is_told_what_it_cost()
    {
        int commits = 0;
        _spaces.Tables.BeforeCommit = _ => ++commits == 2 ? throw new TransientFaultException("killed") : Task.CompletedTask;
        await _spaces.ChangeAsync(_id, Longer, key: "k");
        _spaces.Tables.BeforeCommit = null;
        await _spaces.DrainAsync(Queues.Bookings);

        Answer repeat = await _spaces.ChangeAsync(_id, Longer, key: "k");
        Answer reuse = await _spaces.ChangeAsync(_id, new { start = "2025-01-11T15:00:00Z" }, key: "k");

        Assert.Equal((200, "6.00"), (repeat.Status, (string?)repeat.Json["summary"]!["delta"]!["amount"]));
        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), (reuse.Status, reuse.Code));
        await _spaces.SettleAsync();
    }

    [Fact]
    public async Task While_both_slots_are_kept_nobody_else_gets_either()
    {
        await CutOffAsync();

        Assert.Equal(2, SlotsTaken());
        Assert.Equal(ErrorCodes.BookingConflict, (await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T15:30:00Z")).Code);
        Assert.Equal(ErrorCodes.BookingConflict, (await _spaces.BookAsync("2025-01-10T16:30:00Z", "2025-01-10T17:30:00Z")).Code);
        Answer list = await _spaces.SendAsync("Bookings_List", query: $"?resourceId={_spaces.Room}&from=2025-01-10&to=2025-01-10");
        Assert.Equal("2025-01-10T16:00:00Z", (string?)Assert.Single(list.Json["results"]!.AsArray())!["end"]);
    }

    /// <summary>Whoever comes next finds a change that was cut off, and finishes it before doing what they came for.</summary>
    [Theory]
    [InlineData("cancel", BookingState.Cancelled)]
    [InlineData("late", BookingState.LateCancelled)]
    [InlineData("checkIn", BookingState.CheckedIn)]
    [InlineData("noShow", BookingState.NoShow)]
    [InlineData("downgrade", BookingState.Cancelled)]
    [InlineData("bulk", BookingState.Cancelled)]
    [InlineData("change", BookingState.Confirmed)]
    [InlineData("invoiced", BookingState.Confirmed)]
    public async Task After_a_change_that_was_cut_off_everything_else_goes_on(string what, BookingState state)
    {
        await CutOffAsync();

        await DoAsync(_spaces, what);

        await _spaces.SettleAsync();
        Assert.Equal(state, (await _spaces.ReadAsync(_id)).State);
    }

    [Fact, Trait("Rule", "MEM-13")]
    public async Task A_change_to_another_room_that_was_cut_off_leaves_no_slot_behind_when_the_membership_is_lost()
    {
        ResourceId other = await _spaces.AddRoomAsync(BookingTerms.None);
        int commits = 0;
        _spaces.Tables.BeforeCommit = _ => ++commits == 2 ? throw new TransientFaultException("killed") : Task.CompletedTask;
        await _spaces.ChangeAsync(_id, new { resourceId = other.Value });
        _spaces.Tables.BeforeCommit = null;

        await DoAsync(_spaces, "downgrade");

        Assert.Equal(0, SlotsTaken());
        await _spaces.SettleAsync(other);
    }

    /// <summary>Another process does something else before the n-th commit of a change.</summary>
    [Theory]
    [MemberData(nameof(Interleavings))]
    public async Task Whatever_happens_between_the_commits_of_a_change_nothing_is_lost_and_nothing_doubled(string what, int at)
    {
        using Spaces other = _spaces.OtherProcess();
        int commits = 0;
        _spaces.Tables.BeforeCommit = async _ =>
        {
            if (++commits == at)
            {
                _spaces.Tables.BeforeCommit = null;
                await DoAsync(other, what);
            }
        };

        Answer answer = await _spaces.ChangeAsync(_id, Longer);

        Assert.True(commits >= at);
        Assert.True(answer.Status is 200 or 409 or 422, answer.Body);
        await _spaces.SettleAsync();
    }

    public static TheoryData<string, int> Interleavings
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (string what in (string[])["cancel", "late", "downgrade", "bulk", "change", "invoiced", "noShow", "checkIn", "look", "same"])
            {
                for (int at = 1; at <= 3; at++)
                {
                    data.Add(what, at);
                }
            }

            return data;
        }
    }

    /// <summary>
    /// The passes that the change needs are gone when it comes to draw: it is withdrawn, and the booking keeps what it had.
    /// </summary>
    [Fact, Trait("Rule", "BPS-4")]
    public async Task A_change_that_the_wallet_refuses_leaves_the_booking_where_it_was()
    {
        await GivePassesAsync();
        BookingId id = await _spaces.BookedAsync("2025-01-12T15:00:00Z", "2025-01-12T16:00:00Z");
        using Spaces other = _spaces.OtherProcess();
        int commits = 0;
        _spaces.Tables.BeforeCommit = async _ =>
        {
            if (++commits == 2)
            {
                _spaces.Tables.BeforeCommit = null;
                Assert.Equal(201, (await other.BookAsync("2025-01-13T15:00:00Z", "2025-01-13T17:00:00Z")).Status);
            }
        };

        Answer answer = await _spaces.ChangeAsync(id, new { end = "2025-01-12T17:00:00Z" });

        Assert.Equal((409, ErrorCodes.OutOfPasses), (answer.Status, answer.Code));
        Booking booking = await _spaces.ReadAsync(id);
        Assert.Equal((Duration.FromHours(1), 60, null), (booking.End - booking.Start, booking.Price.PassMinutes, booking.Change));
        await _spaces.SettleAsync();
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-12T16:00:00Z", "2025-01-12T16:30:00Z", member: await _spaces.AddMemberAsync())).Status);
    }

    /// <summary>
    /// Two finish the same change. One is refused by the wallet and withdraws it; then passes come back, and the other must not draw for a
    /// change that is no more.
    /// </summary>
    [Fact, Trait("Rule", "BPS-4")]
    public async Task A_refusal_is_the_same_for_everybody_who_finishes_the_change()
    {
        await GivePassesAsync();
        BookingId id = await _spaces.BookedAsync("2025-01-12T15:00:00Z", "2025-01-12T16:00:00Z");
        BookingId rival = default;
        using Spaces other = _spaces.OtherProcess();
        int commits = 0;
        _spaces.Tables.BeforeCommit = async batch =>
        {
            if (++commits == 2)
            {
                _spaces.Tables.BeforeCommit = null;
                rival = await other.BookedAsync("2025-01-13T15:00:00Z", "2025-01-13T17:00:00Z");
                await other.DeliverAsync(Queues.Bookings, BookingMessages.LookAtChange(await other.ReadAsync(id)).ToEnvelope());
                await other.CancelAsync(rival);
            }
        };

        Answer answer = await _spaces.ChangeAsync(id, new { end = "2025-01-12T17:00:00Z" });

        Assert.Equal(409, answer.Status);
        Assert.Equal(Duration.FromHours(1), (await _spaces.ReadAsync(id)).End - (await _spaces.ReadAsync(id)).Start);
        await _spaces.SettleAsync();
        Assert.Equal(200, (await _spaces.ChangeAsync(id, new { end = "2025-01-12T17:00:00Z" })).Status);
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "BKG-8")]
    public async Task A_quote_that_the_wallet_cannot_honour_any_more_is_stale_and_changes_nothing()
    {
        string quote = (string)(await _spaces.SendAsync("Bookings_PreviewChange", Longer, id: _id.Value)).Json["quoteId"]!;
        using Spaces other = _spaces.OtherProcess();
        int commits = 0;
        _spaces.Tables.BeforeCommit = async _ =>
        {
            if (++commits == 2)
            {
                _spaces.Tables.BeforeCommit = null;
                Assert.Equal(201, (await other.BookAsync("2025-01-13T15:00:00Z", "2025-01-13T15:30:00Z")).Status);
            }
        };

        Answer answer = await _spaces.ChangeAsync(_id, new { end = "2025-01-10T17:00:00Z", quoteId = quote });

        Assert.Equal((409, ErrorCodes.QuoteStale), (answer.Status, answer.Code));
        Assert.Equal(60, (await _spaces.ReadAsync(_id)).Price.CreditMinutes);
        await _spaces.SettleAsync();
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task Ten_bookings_that_want_the_same_slot_get_it_once()
    {
        var ids = new List<BookingId>();
        for (int i = 0; i < 10; i++)
        {
            ids.Add(await _spaces.BookedAsync($"2025-01-{11 + i}T15:00:00Z", $"2025-01-{11 + i}T16:00:00Z"));
        }

        Answer[] answers = await Task.WhenAll(ids.Select(id => Task.Run(() => _spaces.ChangeAsync(id, new { start = "2025-01-25T15:00:00Z" }))));

        Assert.Equal(1, answers.Count(a => a.Status == 200));
        Assert.Equal(9, answers.Count(a => a is { Status: 409, Code: ErrorCodes.BookingConflict }));
        await _spaces.SettleAsync();
    }

    [Fact]
    public async Task Ten_changes_of_one_booking_at_once_leave_it_at_one_of_them()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(11, 10)
            .Select(day => Task.Run(() => _spaces.ChangeAsync(_id, new { start = $"2025-01-{day}T15:00:00Z", end = $"2025-01-{day}T16:30:00Z" }))));

        Assert.All(answers, a => Assert.Equal(200, a.Status));
        await _spaces.SettleAsync();
        Assert.Equal(1, SlotsTaken());
    }

    private async Task CutOffAsync()
    {
        int commits = 0;
        _spaces.Tables.BeforeCommit = _ => ++commits == 2 ? throw new TransientFaultException("killed") : Task.CompletedTask;
        await _spaces.ChangeAsync(_id, Longer);
        _spaces.Tables.BeforeCommit = null;
        Assert.NotNull((await _spaces.ReadAsync(_id)).Change);
    }

    private async Task RecoverAsync(bool isRepeated, bool isMoved)
    {
        if (isRepeated)
        {
            Answer repeat = await _spaces.ChangeAsync(_id, Longer, key: "k");
            Assert.Equal((200, "6.00"), (repeat.Status, (string?)repeat.Json["summary"]!["delta"]!["amount"]));
        }

        await _spaces.SettleAsync();
        Booking booking = await _spaces.ReadAsync(_id);
        Assert.Equal(
            isMoved ? (Duration.FromHours(2), 90, 600) : (Duration.FromHours(1), 60, 0),
            (booking.End - booking.Start, booking.Price.CreditMinutes, booking.Owed.Minor));
    }

    private async Task DoAsync(Spaces process, string what)
    {
        switch (what)
        {
            case "cancel":
                await process.CancelAsync(_id, caller: Spaces.As(process.Member));
                break;
            case "late":
                process.SetTime(Start + Duration.FromMinutes(5));
                await process.CancelAsync(_id, new { waive = false });
                break;
            case "checkIn":
                process.SetTime(Start);
                Assert.Equal(200, (await process.SendAsync("Bookings_CheckIn", id: _id.Value)).Status);
                break;
            case "noShow":
                process.SetTime(Start + Duration.FromMinutes(10));
                await process.DeliverAsync(Queues.Bookings, Look());
                break;
            case "look":
                await process.DeliverAsync(Queues.Bookings, Look());
                break;
            case "downgrade":
                await process.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(process.Member, Start - Duration.FromDays(1)));
                break;
            case "bulk":
                await process.SendAsync("Bookings_BulkCancel", new { resourceId = process.Room.Value, from = "2025-01-10T00:00:00Z", to = "2025-01-11T00:00:00Z" });
                break;
            case "change":
                await process.ChangeAsync(_id, new { start = "2025-01-11T15:00:00Z", end = "2025-01-11T15:30:00Z" });
                break;
            case "same":
                await process.ChangeAsync(_id, Longer);
                break;
            case "invoiced":
                await process.InvoiceAsync(_id, isPaid: true);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }

    private Envelope Look() => new("look", LookAtBooking.Subject, Flex.Platform.StorageJson.Write(new LookAtBooking(_id)), null);

    private async Task GivePassesAsync()
    {
        PlanId plan = await _spaces.AddPlanAsync(
            ("passOffers", new[] { new { name = "Hour", hours = 1, price = Spaces.Money("10.00"), resourceIds = new[] { _spaces.Room.Value } } }));
        await _spaces.SetStandingAsync(_spaces.Member, (await _spaces.StandingAsync()) with { PlanId = plan, Version = 9 });
        JsonObject settings = (await _spaces.SendAsync("Operator_Get", caller: "owner")).Json.AsObject();
        settings["bookingPassesEnabled"] = true;
        settings.Remove("version");
        settings.Remove("accountStatus");
        Answer on = await _spaces.SendAsync("Operator_Edit", settings.ToJsonString(), "owner", headers: ("If-Match", "*"));
        Assert.True(on.Status == 200, on.Body);
        Answer given = await _spaces.SendAsync("BookingPasses_Assign", new { offer = "Hour", quantity = 3 }, id: _spaces.Member.Value);
        Assert.True(given.Status == 201, given.Body);
    }

    private int SlotsTaken() => _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location))
        .Where(r => r.Key.StartsWith("A|", StringComparison.Ordinal)).SelectMany(r => r.As<Agenda>().Slots).Count();
}
