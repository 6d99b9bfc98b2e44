using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>Two rooms with a day's notice; it is 9 January, 16:00Z, so that the first of three bookings is inside it.</summary>
public sealed class BulkCancelTests : IAsyncLifetime
{
    private Spaces _spaces = null!;
    private ResourceId _other;
    private BookingId _inside;
    private BookingId _credited;
    private BookingId _elsewhere;

    public async ValueTask InitializeAsync()
    {
        BookingTerms terms = BookingTerms.None with { CancellationNoticeMinutes = 24 * 60 };
        _spaces = await Spaces.CreateAsync();
        await _spaces.SetTermsAsync(_spaces.Room, terms);
        _other = await _spaces.AddRoomAsync(terms);
        _inside = await _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.GiveCreditAsync(30);
        _credited = await _spaces.BookedAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z");
        _elsewhere = await _spaces.BookedAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z", _other);
        await _spaces.DrainAsync(Queues.Bookings);
        _spaces.SetTime(Instant.FromUtc(2025, 1, 9, 16, 0));
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "BKG-6")]
    public async Task The_preview_says_what_becomes_of_each_and_what_comes_back_and_changes_nothing()
    {
        IReadOnlyList<TableRow> before = Rows();

        JsonArray kept = await ResultsAsync("Bookings_PreviewBulkCancel", At(_spaces.Room, waive: false));
        JsonArray waived = await ResultsAsync("Bookings_PreviewBulkCancel", At(_spaces.Room, waive: true));
        JsonArray unsaid = await ResultsAsync("Bookings_PreviewBulkCancel", At(_spaces.Room));

        Assert.Equal([$"{_inside} lateCancelled True 0.00 0 ", $"{_credited} cancelled False 6.00 30 "], kept.Select(Line));
        Assert.Equal([$"{_inside} cancelled True 12.00 0 ", $"{_credited} cancelled False 6.00 30 "], waived.Select(Line));
        Assert.Equal([$"{_inside} notCancellable True 0.00 0 invalid_value", $"{_credited} cancelled False 6.00 30 "], unsaid.Select(Line));
        Assert.Equal(before, Rows());
    }

    [Theory, Trait("Rule", "BKG-5"), Trait("Rule", "BKG-6")]
    [InlineData(false, BookingState.LateCancelled)]
    [InlineData(true, BookingState.Cancelled)]
    public async Task Each_is_cancelled_as_the_preview_said(bool waive, BookingState inside)
    {
        object request = At(_spaces.Room, waive: waive);
        JsonArray preview = await ResultsAsync("Bookings_PreviewBulkCancel", request);

        JsonArray done = await ResultsAsync("Bookings_BulkCancel", request);

        Assert.Equal(preview.Select(Line), done.Select(Line));
        Assert.Equal(inside, (await _spaces.ReadAsync(_inside)).State);
        Assert.Equal(BookingState.Cancelled, (await _spaces.ReadAsync(_credited)).State);
        Assert.Equal(BookingState.Confirmed, (await _spaces.ReadAsync(_elsewhere)).State);
        await _spaces.SettleAsync(_other);
    }

    [Fact, Trait("Rule", "BKG-6")]
    public async Task The_space_closes_a_location_and_returns_everything()
    {
        JsonArray done = await ResultsAsync(
            "Bookings_BulkCancel", new { locationId = _spaces.Location.Value, from = "2025-01-10T00:00:00Z", to = "2025-01-12T00:00:00Z", bySpace = true });

        Assert.Equal(["cancelled", "cancelled", "cancelled"], done.Select(r => (string?)r!["outcome"]));
        Assert.Equal(BookingCancelReason.BySpace, (await _spaces.ReadAsync(_inside)).CancelReason);
        await _spaces.SettleAsync(_other);
    }

    [Theory]
    [InlineData("2025-01-11T16:00:00Z", "2025-01-12T00:00:00Z", 0)]
    [InlineData("2025-01-11T15:55:00Z", "2025-01-12T00:00:00Z", 2)]
    [InlineData("2025-01-10T00:00:00Z", "2025-01-11T15:00:00Z", 1)]
    public async Task What_shares_time_with_the_range_is_meant(string from, string to, int count)
    {
        Assert.Equal(count, (await ResultsAsync("Bookings_PreviewBulkCancel", new { locationId = _spaces.Location.Value, from, to, bySpace = true })).Count);
        Assert.Equal(count, (await ResultsAsync("Bookings_PreviewBulkCancel", new { memberId = _spaces.Member.Value, from, to, bySpace = true })).Count);
    }

    [Fact]
    public async Task One_member_at_one_place()
    {
        MemberId member = await _spaces.AddMemberAsync();
        await _spaces.BookAsync("2025-01-11T17:00:00Z", "2025-01-11T18:00:00Z", member: member);
        await _spaces.DrainAsync(Queues.Bookings);

        JsonArray mine = await ResultsAsync("Bookings_PreviewBulkCancel", new
        {
            memberId = member.Value,
            resourceId = _spaces.Room.Value,
            from = "2025-01-10T00:00:00Z",
            to = "2025-01-12T00:00:00Z",
        });
        JsonArray none = await ResultsAsync("Bookings_PreviewBulkCancel", new
        {
            memberId = member.Value,
            resourceId = _other.Value,
            from = "2025-01-10T00:00:00Z",
            to = "2025-01-12T00:00:00Z",
        });

        Assert.Equal(member.Value, (string?)Assert.Single(mine)!["memberId"]);
        Assert.Empty(none);
    }

    [Fact]
    public async Task A_moved_booking_is_found_once_and_where_it_is()
    {
        await _spaces.ChangeAsync(_credited, new { start = "2025-01-11T10:00:00Z" });
        await _spaces.DrainAsync(Queues.Bookings);

        JsonArray found = await ResultsAsync("Bookings_PreviewBulkCancel", new
        {
            memberId = _spaces.Member.Value,
            from = "2025-01-11T00:00:00Z",
            to = "2025-01-11T15:00:00Z",
            bySpace = true,
        });

        Assert.Equal(_credited.Value, (string?)Assert.Single(found)!["bookingId"]);
    }

    [Fact]
    public async Task Named_ones_that_are_cancelled_already_count_as_cancelled_and_others_say_why_not()
    {
        await _spaces.CancelAsync(_credited);
        await _spaces.CancelAsync(_inside, new { waive = false });
        BookingId held = await _spaces.BookedAsync("2025-01-13T15:00:00Z", "2025-01-13T16:00:00Z");
        await _spaces.SetTermsAsync(_other, BookingTerms.None with { CheckInGraceMinutes = 10 });
        await _spaces.ChangeAsync(held, new { resourceId = _other.Value });
        _spaces.SetTime(Instant.FromUtc(2025, 1, 13, 15, 10));

        JsonArray done = await ResultsAsync(
            "Bookings_BulkCancel", new { bookingIds = new[] { held.Value, _credited.Value, _inside.Value }, waive = true });

        Assert.Equal(
            [$"{_inside} lateCancelled True 0.00 0 ", $"{_credited} cancelled True 0.00 0 ", $"{held} notCancellable True 0.00 0 invalid_transition"],
            done.Select(Line));
    }

    /// <summary>Storage fails for one of them; the same request again does the rest.</summary>
    [Fact]
    public async Task One_that_fails_holds_up_no_other_and_the_same_request_finishes_it()
    {
        object request = At(_spaces.Room, waive: true);
        int commits = 0;
        _spaces.Tables.BeforeCommit = _ => ++commits == 1 ? throw new TransientFaultException("killed") : Task.CompletedTask;

        JsonArray first = await ResultsAsync("Bookings_BulkCancel", request);
        JsonArray second = await ResultsAsync("Bookings_BulkCancel", request);

        Assert.Equal(["cancelled", "failed"], first.Select(r => (string?)r!["outcome"]).Order());
        Assert.Equal(ErrorCodes.Unavailable, (string?)first.Single(r => (string?)r!["outcome"] == "failed")!["code"]);
        Assert.Equal(["cancelled"], second.Select(r => (string?)r!["outcome"]));
        await _spaces.SettleAsync(_other);
        Assert.Equal(2, _spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject).Count);
    }

    [Fact]
    public async Task The_same_command_twice_at_once_cancels_each_once()
    {
        object request = new { bookingIds = new[] { _inside.Value, _credited.Value, _elsewhere.Value }, bySpace = true };

        JsonArray[] both = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => ResultsAsync("Bookings_BulkCancel", request))));

        Assert.Equal(3, _spaces.Queue.On<ChargeCancelled>(Queues.Billing, ChargeCancelled.Subject).Count);
        Assert.All(both.SelectMany(b => b), r => Assert.Contains((string?)r!["outcome"], (string[])["cancelled", "notCancellable"]));
        await _spaces.SettleAsync(_other);
    }

    [Theory]
    [InlineData("""{}""", "/locationId", ErrorCodes.InvalidValue)]
    [InlineData("""{"locationId":"$LOC","resourceId":"$ROOM","from":"2025-01-10T00:00:00Z","to":"2025-01-12T00:00:00Z"}""", "/locationId", ErrorCodes.InvalidValue)]
    [InlineData("""{"locationId":"$LOC","to":"2025-01-12T00:00:00Z"}""", "/from", ErrorCodes.InvalidValue)]
    [InlineData("""{"locationId":"$LOC","from":"2025-01-12T00:00:00Z","to":"2025-01-12T00:00:00Z"}""", "/to", ErrorCodes.InvalidValue)]
    [InlineData("""{"locationId":"$LOC","from":"2025-01-12T00:00:00Z","to":"2026-01-14T00:00:00Z"}""", "/to", ErrorCodes.InvalidValue)]
    [InlineData("""{"bookingIds":[]}""", "/bookingIds", ErrorCodes.InvalidValue)]
    [InlineData("""{"bookingIds":["$BOOKING","$BOOKING"]}""", "/bookingIds", ErrorCodes.InvalidValue)]
    [InlineData("""{"bookingIds":["$BOOKING"],"locationId":"$LOC"}""", "/bookingIds", ErrorCodes.InvalidValue)]
    [InlineData("""{"bookingIds":["$BOOKING","bkg_00000000000000000000000000000000"]}""", "/bookingIds/1", ErrorCodes.UnknownReference)]
    [InlineData("""{"locationId":"loc_00000000000000000000000000","from":"2025-01-10T00:00:00Z","to":"2025-01-12T00:00:00Z"}""", "/locationId", ErrorCodes.UnknownReference)]
    [InlineData("""{"resourceId":"res_00000000000000000000000000","from":"2025-01-10T00:00:00Z","to":"2025-01-12T00:00:00Z"}""", "/resourceId", ErrorCodes.UnknownReference)]
    [InlineData("""{"memberId":"mbr_00000000000000000000000000","from":"2025-01-10T00:00:00Z","to":"2025-01-12T00:00:00Z"}""", "/memberId", ErrorCodes.UnknownReference)]
    public async Task A_request_that_names_no_bookings_is_422(string body, string pointer, string code)
    {
        Answer answer = await _spaces.SendAsync("Bookings_BulkCancel", body
            .Replace("$LOC", _spaces.Location.Value, StringComparison.Ordinal)
            .Replace("$ROOM", _spaces.Room.Value, StringComparison.Ordinal)
            .Replace("$BOOKING", _inside.Value, StringComparison.Ordinal));

        Assert.Equal((422, code, pointer), (answer.Status, answer.Code, answer.Pointer));
    }

    [Fact]
    public async Task More_than_500_are_refused_and_members_may_not()
    {
        Agenda agenda = Agenda.Empty;
        for (int i = 0; i < 501; i++)
        {
            agenda = agenda.With(new AgendaSlot(EntityId.Derive<BookingId>($"{i}", EntityId.Home(_spaces.Location)), 30_000_000 + (5 * i), 30_000_005 + (5 * i)));
        }

        Instant from = Instant.FromUnixTimeSeconds(30_000_000 * 60);
        string month = from.InUtc().ToString("uuuuMM", null);
        (await _spaces.Tables.CommitAsync(BookingStore.BatchFor(_spaces.Location).Insert($"A|{month}|{_spaces.Room}", agenda), Spaces.Cancellation)).Require();

        Answer many = await _spaces.SendAsync("Bookings_BulkCancel", new { resourceId = _spaces.Room.Value, from, to = from + Duration.FromDays(5) });
        Answer member = await _spaces.SendAsync("Bookings_BulkCancel", At(_spaces.Room), Spaces.As(_spaces.Member));

        Assert.Equal((422, ErrorCodes.InvalidValue, 403), (many.Status, many.Code, member.Status));
    }

    [Fact]
    public async Task It_costs_one_storage_call_one_for_each_and_what_each_cancellation_takes()
    {
        await ResultsAsync("Bookings_PreviewBulkCancel", At(_spaces.Room, waive: true));
        using StorageCallScope calls = StorageCalls.Measure();

        await ResultsAsync("Bookings_PreviewBulkCancel", At(_spaces.Room, waive: true));
        Assert.Equal(3, calls.Count);

        await ResultsAsync("Bookings_BulkCancel", At(_spaces.Room, waive: true));

        // One agenda, which both are in: they wait for each other instead of losing a commit.
        Assert.Equal(3 + 3 + 2 + 2 + 2, calls.Count);
    }

    private static object At(ResourceId room, bool? waive = null) =>
        new { resourceId = room.Value, from = "2025-01-10T00:00:00Z", to = "2025-01-12T00:00:00Z", waive };

    private async Task<JsonArray> ResultsAsync(string function, object request)
    {
        Answer answer = await _spaces.SendAsync(function, request);
        Assert.True(answer.Status == 200, answer.Body);
        return answer.Json["results"]!.AsArray();
    }

    private static string Line(JsonNode? item) =>
        $"{item!["bookingId"]} {item["outcome"]} {(bool)item["isInsideNotice"]!} {item["fee"]!["amount"]} {item["creditMinutes"]} {item["code"]}";

    private IReadOnlyList<TableRow> Rows() => _spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(_spaces.Location));
}
