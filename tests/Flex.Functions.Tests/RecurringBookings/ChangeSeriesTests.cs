using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.RecurringBookings;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

/// <summary>Series cancelled and changed from an occurrence on, and skipped days booked again.</summary>
public sealed class ChangeSeriesTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "REC-4"), Trait("Rule", "BKG-6")]
    public async Task A_cancellation_ends_the_series_gives_everything_back_and_leaves_the_past_alone()
    {
        MemberId member = await _spaces.AddMemberWithCreditAsync(90);
        SeriesId id = await MakeAsync(SeriesWorld.Weekly + 20, member);
        AdvanceTo("2025-01-21T00:00:00Z");

        Answer answer = await CancelAsync(id, new { from = "2025-01-13" });

        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal(("cancelledFrom", "2025-01-20"), ((string?)answer.Json["series"]!["state"], (string?)answer.Json["series"]!["lastOn"]));
        Assert.All(answer.Json["occurrences"]!.AsArray(), o => Assert.Equal("cancelled", (string?)o!["status"]));
        Assert.Equal(17, answer.Json["occurrences"]!.AsArray().Count);
        Assert.Equal(["2025-01-06", "2025-01-13", "2025-01-20"], _spaces.Standing().Select(b => b.Series!.Date.ToString("uuuu-MM-dd", null)));
        Assert.All(_spaces.Standing(), b => Assert.Equal(BookingState.Confirmed, b.State));
        Assert.Equal(90, (await _spaces.WalletAsync(member)).Used.Sum(u => u.Minutes));
        Assert.Equal(
            _spaces.Bookings().SelectMany(b => b.Charges).Where(c => c.CancelledAt is not null).Select(c => c.Id).Order(Comparer<ChargeId>.Create((a, b) => string.CompareOrdinal(a.Value, b.Value))),
            _spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject).Select(c => c.ChargeId).Order(Comparer<ChargeId>.Create((a, b) => string.CompareOrdinal(a.Value, b.Value))));
        BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room);

        Answer again = await CancelAsync(id, new { from = "2025-01-21" });
        Assert.Equal((200, 0), (again.Status, again.Json["occurrences"]!.AsArray().Count));
    }

    [Theory, Trait("Rule", "REC-4"), Trait("Rule", "BKG-5")]
    [InlineData("member", null, 1, BookingState.Confirmed)]
    [InlineData("staff", null, 1, BookingState.Confirmed)]
    [InlineData("staff", true, 0, BookingState.Cancelled)]
    [InlineData("staff", false, 0, BookingState.LateCancelled)]
    public async Task What_is_inside_the_notice_is_reported_by_itself_and_stays_unless_staff_decide(string caller, bool? waive, int notCancellable, BookingState first)
    {
        ResourceId room = await AddRoomAsync(BookingTerms.None with { CancellationNoticeMinutes = 24 * 60 });
        SeriesId id = await MakeAsync(SeriesWorld.Daily + 10, _spaces.Member, room);
        AdvanceTo("2025-01-07T16:00:00Z");

        Answer answer = await CancelAsync(id, new { from = "2025-01-08", waive }, caller == "staff" ? caller : Spaces.As(_spaces.Member));

        Assert.True(answer.Status == 200, answer.Body);
        JsonObject[] results = [.. answer.Json["occurrences"]!.AsArray().Select(o => o!.AsObject())];
        Assert.Equal(notCancellable, results.Count(o => (string?)o["status"] == "notCancellable" && (string?)o["code"] == ErrorCodes.CancellationNotice));
        Assert.Equal(8 - notCancellable, results.Count(o => (string?)o["status"] == "cancelled"));
        Assert.Equal(first, BookingOf("2025-01-08").State);
        Assert.Equal(BookingState.Cancelled, BookingOf("2025-01-09").State);
    }

    [Fact, Trait("Rule", "REC-4")]
    public async Task Only_staff_waive_and_only_those_concerned_cancel()
    {
        SeriesId id = await MakeAsync(SeriesWorld.Weekly + 4, _spaces.Member);
        MemberId stranger = await _spaces.AddMemberAsync();

        Answer waived = await CancelAsync(id, new { from = "2025-01-06", waive = true }, Spaces.As(_spaces.Member));
        Answer others = await CancelAsync(id, new { from = "2025-01-06" }, Spaces.As(stranger));

        Assert.Equal((403, 404), (waived.Status, others.Status));
        Assert.Equal(4, _spaces.Standing().Count);
    }

    [Fact, Trait("Rule", "REC-4")]
    public async Task Killed_at_any_commit_a_cancellation_is_finished_by_its_message()
    {
        for (int dying = 1; ; dying++)
        {
            using Spaces spaces = await Spaces.CreateAsync();
            MemberId member = await spaces.AddMemberWithCreditAsync(500);
            Answer made = await spaces.RepeatAsync(spaces.Recurring(SeriesWorld.Daily + 95, member: member));
            SeriesId id = EntityId.Parse<SeriesId>((string)made.Json["id"]!);
            int commits = 0;
            spaces.Tables.AfterCommit = _ => ++commits >= dying ? throw SeriesWorld.Death() : Task.CompletedTask;
            Answer cancelled = await spaces.SendAsync("RecurringBookings_Cancel", new { from = "2025-01-16" }, id: id.Value, headers: ("Idempotency-Key", "k"));
            spaces.Tables.AfterCommit = null;
            if (dying % 2 == 0)
            {
                Answer repeated = await spaces.SendAsync("RecurringBookings_Cancel", new { from = "2025-01-16" }, id: id.Value, headers: ("Idempotency-Key", "k"));
                Assert.Equal((200, 85), (repeated.Status, repeated.Json["occurrences"]!.AsArray().Count));
            }

            await SweepAsync(spaces);
            await spaces.DeliverHostilelyAsync(Queues.Bookings, new Random(3));

            Series series = await spaces.SeriesAsync(id);
            Assert.Equal((SeriesState.CancelledFrom, null, 10), (series.State, series.Running, spaces.Standing().Count));
            Assert.Equal(spaces.Standing().Sum(b => b.Price.CreditMinutes), (await spaces.WalletAsync(member)).Used.Sum(u => u.Minutes));
            BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
            if (cancelled.Status == 200)
            {
                Assert.True(dying > 3, "It took fewer commits than a long cancellation should.");
                return;
            }
        }
    }

    [Fact, Trait("Rule", "REC-5"), Trait("Rule", "BKG-7")]
    public async Task An_update_moves_what_follows_at_the_difference_keeps_ids_and_leaves_the_past_alone()
    {
        SeriesId id = await MakeAsync(SeriesWorld.Weekly + 12, _spaces.Member);
        Dictionary<LocalDate, Booking> before = _spaces.Bookings().ToDictionary(b => b.Series!.Date);
        AdvanceTo("2025-01-21T00:00:00Z");

        Answer answer = await UpdateAsync(id, new { from = "2025-01-27", localStart = "2025-01-27T10:00:00", localEnd = "2025-01-27T11:30:00" });

        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal(9, answer.Json["occurrences"]!.AsArray().Count(o => (string?)o!["status"] == "moved"));
        Assert.Equal(("active", id.Value), ((string?)answer.Json["series"]!["state"], (string?)answer.Json["series"]!["splitFrom"]));
        SeriesId newId = EntityId.Parse<SeriesId>((string)answer.Json["series"]!["id"]!);
        Series old = await _spaces.SeriesAsync(id);
        Assert.Equal((SeriesState.Split, SeriesWorld.Day("2025-01-20"), newId), (old.State, old.LastOn, old.SplitInto));
        foreach (Booking after in _spaces.Bookings())
        {
            Booking was = before[after.Series!.Date];
            Assert.Equal((was.Id, was.Start), (after.Id, after.Start));
            bool isPast = after.Series.Date < SeriesWorld.Day("2025-01-27");
            Assert.Equal(isPast ? id : newId, after.Series.SeriesId);
            Assert.Equal(Duration.FromMinutes(isPast ? 60 : 90), after.End - after.Start);
            Assert.Equal(isPast ? was.Price.Fee : Rates.Usd(1800), after.Price.Fee);
            Assert.Equal(after.State == BookingState.Confirmed ? after.Price.Fee : Rates.Usd(0), after.Owed);
        }

        BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room);
    }

    [Fact, Trait("Rule", "REC-5")]
    public async Task An_update_of_the_rule_keeps_moves_drops_and_adds_and_accounts_what_is_new()
    {
        SeriesId id = await MakeAsync("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=20", _spaces.Member);
        Dictionary<LocalDate, BookingId> before = _spaces.Bookings().ToDictionary(b => b.Series!.Date, b => b.Id);

        Answer answer = await UpdateAsync(id, new { from = "2025-01-20", recurrence = new { rrule = "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=16" } });

        Assert.True(answer.Status == 200, answer.Body);
        string[] statuses = [.. answer.Json["occurrences"]!.AsArray().Select(o => (string)o!["status"]!)];
        Assert.Equal((8, 8, 8), (statuses.Count(s => s == "kept"), statuses.Count(s => s == "cancelled"), statuses.Count(s => s == "booked")));
        Booking[] standing = [.. _spaces.Standing()];
        Assert.Equal(20, standing.Length);
        Assert.All(standing.Where(b => before.ContainsKey(b.Series!.Date)), b => Assert.Equal(before[b.Series!.Date], b.Id));
        Assert.All(standing, b => Assert.Equal(b.Series!.Date <= SeriesWorld.Day("2025-02-28") ? BookingState.Confirmed : BookingState.Tentative, b.State));
        BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room);
    }

    [Fact, Trait("Rule", "REC-5"), Trait("Rule", "REC-3")]
    public async Task What_was_kept_of_an_updated_series_is_accounted_by_the_new_one()
    {
        SeriesId id = await MakeAsync(SeriesWorld.Weekly + 12, _spaces.Member);
        ResourceId room = await _spaces.AddRoomAsync("Red room");
        await UpdateAsync(id, new { from = "2025-03-10", resourceId = room.Value });

        for (int day = 0; day < 40; day++)
        {
            _spaces.App.Time.Advance(TimeSpan.FromDays(1));
            await _spaces.Get<DueSeriesRun>().RunAsync(Spaces.Cancellation);
            await _spaces.DrainAsync(Queues.Bookings);
        }

        Assert.Equal(12, _spaces.Bookings().Count(b => b.State == BookingState.Confirmed && b.Owed == Rates.Usd(1200)));
        Assert.Equal(3, _spaces.Bookings().Count(b => b.ResourceId == room));
    }

    [Theory, Trait("Rule", "REC-5"), Trait("Rule", "REC-6")]
    [InlineData("reject", 409)]
    [InlineData("skip", 200)]
    public async Task An_update_that_meets_others_changes_nothing_or_leaves_those_where_they_are(string onConflict, int status)
    {
        SeriesId id = await MakeAsync(SeriesWorld.Weekly + 6, _spaces.Member);
        await _spaces.BookAsync("2025-01-27T20:00:00Z", "2025-01-27T20:15:00Z");

        Answer answer = await UpdateAsync(id, new { from = "2025-01-13", localStart = "2025-01-13T15:00:00", onConflict });

        Assert.True(answer.Status == status, answer.Body);
        if (status == 409)
        {
            Assert.Equal((ErrorCodes.BookingConflict, "2025-01-27"), (answer.Code, (string?)answer.Json["conflicts"]![0]!["date"]));
            Assert.All(_spaces.Standing().Where(b => b.Series is not null), b => Assert.Equal(id, b.Series!.SeriesId));
            Assert.Single(_spaces.AllSeries());
        }
        else
        {
            Assert.Equal("conflict", (string?)answer.Json["occurrences"]!.AsArray().Single(o => (string?)o!["date"] == "2025-01-27")!["status"]);
            Assert.Equal(Instant.FromUtc(2025, 1, 27, 15, 0), BookingOf("2025-01-27").Start);
            Assert.Equal(Instant.FromUtc(2025, 2, 3, 20, 0), BookingOf("2025-02-03").Start);
            Assert.Equal(("2025-01-27", "edited"), ((string?)answer.Json["series"]!["exclusions"]![0]!["date"], (string?)answer.Json["series"]!["exclusions"]![0]!["reason"]));
        }
    }

    [Fact, Trait("Rule", "REC-5")]
    public async Task A_booking_that_was_moved_by_itself_stays_when_its_series_is_changed()
    {
        SeriesId id = await MakeAsync(SeriesWorld.Weekly + 6, _spaces.Member);
        await _spaces.SendAsync("Bookings_Change", new { start = "2025-01-28T22:00:00Z" }, id: BookingOf("2025-01-27").Id.Value);

        Answer answer = await UpdateAsync(id, new { from = "2025-01-13", localStart = "2025-01-13T15:00:00" });

        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal(Instant.FromUtc(2025, 1, 28, 22, 0), BookingOf("2025-01-27").Start);
        Assert.Equal((string?)answer.Json["series"]!["id"], BookingOf("2025-01-27").Series!.SeriesId.Value);
        Answer cancelled = await CancelAsync(BookingOf("2025-01-27").Series!.SeriesId, new { from = "2025-01-20" });
        Assert.Equal(200, cancelled.Status);
        Assert.Equal(BookingState.Cancelled, BookingOf("2025-01-27").State);
    }

    [Fact, Trait("Rule", "REC-5")]
    public async Task Overnight_occurrences_that_move_into_each_others_old_time_do_not_meet()
    {
        SeriesId id = await MakeAsync(SeriesWorld.Daily + 10, _spaces.Member, start: "2025-01-06T01:00:00", end: "2025-01-06T23:00:00");

        Answer later = await UpdateAsync(id, new { from = "2025-01-08", localStart = "2025-01-08T02:00:00", localEnd = "2025-01-09T01:00:00" });

        Assert.True(later.Status == 200, later.Body);
        Assert.Equal(8, later.Json["occurrences"]!.AsArray().Count(o => (string?)o!["status"] == "moved"));
        BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room);
    }

    [Fact, Trait("Rule", "REC-5")]
    public async Task Killed_at_any_commit_an_update_is_finished_by_its_message()
    {
        for (int dying = 1; ; dying++)
        {
            using Spaces spaces = await Spaces.CreateAsync();
            MemberId member = await spaces.AddMemberWithCreditAsync(200);
            Answer made = await spaces.RepeatAsync(spaces.Recurring("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=24", member: member));
            SeriesId id = EntityId.Parse<SeriesId>((string)made.Json["id"]!);
            var change = new
            {
                from = "2025-01-20",
                localStart = "2025-01-20T15:00:00",
                localEnd = "2025-01-20T16:30:00",
                recurrence = new { rrule = "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=20" },
            };
            int commits = 0;
            spaces.Tables.AfterCommit = _ => ++commits >= dying ? throw SeriesWorld.Death() : Task.CompletedTask;
            Answer updated = await spaces.SendAsync("RecurringBookings_Update", change, id: id.Value);
            spaces.Tables.AfterCommit = null;
            await SweepAsync(spaces);
            await spaces.DeliverHostilelyAsync(Queues.Bookings, new Random(3));

            Series[] all = [.. spaces.AllSeries()];
            Assert.All(all, s => Assert.Null(s.Running));
            Assert.Equal(24, spaces.Standing().Count);
            Assert.Equal(2, all.Length);
            Assert.Equal(20, spaces.Standing().Count(b => b.Series!.SeriesId != id && b.End - b.Start == Duration.FromMinutes(90)));
            Assert.Equal(
                spaces.Standing().Sum(b => b.Price.CreditMinutes), (await spaces.WalletAsync(member)).Used.Sum(u => u.Minutes));
            BookingInvariants.Check(spaces.Tables, spaces.Location, spaces.Room);
            if (updated.Status == 200)
            {
                return;
            }
        }
    }

    [Fact, Trait("Rule", "REC-5")]
    public async Task What_has_begun_is_not_changed_and_an_update_says_what_it_changes()
    {
        SeriesId id = await MakeAsync(SeriesWorld.Weekly + 4, _spaces.Member);
        AdvanceTo("2025-01-13T15:30:00Z");

        Answer past = await UpdateAsync(id, new { from = "2025-01-13", localStart = "2025-01-13T12:00:00" });
        Answer nothing = await UpdateAsync(id, new { from = "2025-01-20" });
        Answer noDay = await UpdateAsync(id, new { from = "2025-01-21", localStart = "2025-01-21T12:00:00" });

        Assert.Equal((422, ErrorCodes.InThePast), (past.Status, past.Code));
        Assert.Equal((422, ErrorCodes.InvalidValue), (nothing.Status, nothing.Code));
        Assert.Equal((422, ErrorCodes.InvalidValue), (noDay.Status, noDay.Code));
    }

    [Fact, Trait("Rule", "REC-6")]
    public async Task A_day_that_was_skipped_is_booked_when_it_has_become_free()
    {
        Answer other = await _spaces.BookAsync("2025-01-13T15:30:00Z", "2025-01-13T15:45:00Z");
        Answer made = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 20, onConflict: "skip"));
        string id = (string)made.Json["id"]!;

        Answer taken = await IncludeAsync(id, "2025-01-13");
        await _spaces.SendAsync("Bookings_Cancel", new { }, id: (string)other.Json["id"]!);
        Answer booked = await IncludeAsync(id, "2025-01-13", "k");
        Answer repeated = await IncludeAsync(id, "2025-01-13", "k");
        Answer twice = await IncludeAsync(id, "2025-01-13");

        Assert.Equal((409, ErrorCodes.BookingConflict), (taken.Status, taken.Code));
        Assert.True(booked.Status == 201, booked.Body);
        Assert.Equal(("confirmed", "12.00"), ((string?)booked.Json["state"], (string?)booked.Json["price"]!["amount"]));
        Assert.Equal((201, (string?)booked.Json["id"]), (repeated.Status, (string?)repeated.Json["id"]));
        Assert.Equal((422, ErrorCodes.InvalidValue), (twice.Status, twice.Code));
        Series series = await _spaces.SeriesAsync(EntityId.Parse<SeriesId>(id));
        Assert.Empty(series.Exclusions);
        Assert.Equal(20, _spaces.Standing().Count(b => b.Series is not null));
        Answer page = await _spaces.SendAsync("RecurringBookings_Occurrences", id: id, query: "?limit=100");
        Assert.Equal(20, page.Json["results"]!.AsArray().Count(o => o!["booking"] is not null));
    }

    [Fact, Trait("Rule", "REC-6"), Trait("Rule", "REC-3")]
    public async Task A_skipped_day_beyond_the_horizon_is_booked_as_an_estimate_and_accounted_in_its_turn()
    {
        Answer other = await _spaces.BookAsync("2025-03-10T14:30:00Z", "2025-03-10T14:45:00Z");
        Answer made = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 12, onConflict: "skip"));
        await _spaces.SendAsync("Bookings_Cancel", new { }, id: (string)other.Json["id"]!);

        Answer booked = await IncludeAsync((string)made.Json["id"]!, "2025-03-10");
        for (int day = 0; day < 12; day++)
        {
            _spaces.App.Time.Advance(TimeSpan.FromDays(1));
            await _spaces.Get<DueSeriesRun>().RunAsync(Spaces.Cancellation);
            await _spaces.DrainAsync(Queues.Bookings);
        }

        Assert.Equal((201, "tentative"), (booked.Status, (string?)booked.Json["state"]));
        Assert.Equal(BookingState.Confirmed, _spaces.Bookings().Single(b => b.Series?.Date == SeriesWorld.Day("2025-03-10")).State);
    }

    [Fact]
    public async Task A_members_series_are_listed_to_the_member_and_staff_only()
    {
        SeriesId first = await MakeAsync(SeriesWorld.Weekly + 2, _spaces.Member);
        SeriesId second = await MakeAsync(SeriesWorld.Weekly + 2, _spaces.Member, start: "2025-01-06T12:00:00", end: "2025-01-06T13:00:00");
        await _spaces.DrainAsync(Queues.Bookings);
        MemberId stranger = await _spaces.AddMemberAsync();

        Answer mine = await _spaces.SendAsync("RecurringBookings_List", caller: Spaces.As(_spaces.Member));
        Answer page = await _spaces.SendAsync("RecurringBookings_List", query: $"?memberId={_spaces.Member}&limit=1");
        Answer theirs = await _spaces.SendAsync("RecurringBookings_List", caller: Spaces.As(stranger), query: $"?memberId={_spaces.Member}");
        Answer nobodys = await _spaces.SendAsync("RecurringBookings_List");

        Assert.Equal(
            new[] { first.Value, second.Value }.Order(StringComparer.Ordinal), mine.Json["results"]!.AsArray().Select(s => (string?)s!["id"]));
        Assert.True((bool)page.Json["hasMore"]!);
        Assert.Equal((404, 422), (theirs.Status, nobodys.Status));
        foreach (string function in (string[])["RecurringBookings_Get", "RecurringBookings_Summary", "RecurringBookings_Occurrences"])
        {
            Assert.Equal(404, (await _spaces.SendAsync(function, caller: Spaces.As(stranger), id: first.Value)).Status);
        }
    }

    private void AdvanceTo(string instant) =>
        _spaces.App.Time.SetUtcNow(DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture));

    private Booking BookingOf(string date) => _spaces.Bookings().Single(b => b.Series?.Date == SeriesWorld.Day(date));

    private async Task<SeriesId> MakeAsync(
        string rrule, MemberId member, ResourceId? room = null, string start = "2025-01-06T10:00:00", string end = "2025-01-06T11:00:00")
    {
        Answer made = await _spaces.RepeatAsync(_spaces.Recurring(rrule, start, end, member: member, room: room));
        Assert.True(made.Status == 201, made.Body);
        return EntityId.Parse<SeriesId>((string)made.Json["id"]!);
    }

    private async Task<ResourceId> AddRoomAsync(BookingTerms terms) => await _spaces.AddAsync<ResourceId>(
        "Resources_Create",
        new { locationId = _spaces.Location.Value, name = "Red room", kind = "meetingRoom", capacity = 8, rateId = _spaces.Rate.Value, isPublished = true, terms });

    private Task<Answer> CancelAsync(SeriesId id, object body, string caller = "staff") =>
        _spaces.SendAsync("RecurringBookings_Cancel", body, caller, id.Value);

    private Task<Answer> UpdateAsync(SeriesId id, object body) => _spaces.SendAsync("RecurringBookings_Update", body, id: id.Value);

    private Task<Answer> IncludeAsync(string id, string date, string? key = null) => _spaces.SendAsync(
        "RecurringBookings_Include", new { date }, id: id, headers: key is null ? [] : [("Idempotency-Key", key)]);

    private static Task SweepAsync(Spaces spaces) => spaces.Get<IEnumerable<IMessageHandler>>().OfType<OutboxSweepHandler>().Single().HandleAsync(
        new Envelope("sweep", OutboxSweep.Subject, Flex.Platform.StorageJson.Write(new OutboxSweep(BookingStore.Table, EntityId.Home(spaces.Location))), null),
        Spaces.Cancellation);
}
