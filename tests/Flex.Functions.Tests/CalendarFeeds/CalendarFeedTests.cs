using Flex.CalendarFeeds;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using NodaTime.Text;
using Xunit;
using Calendar = Ical.Net.Calendar;
using IcalEvent = Ical.Net.CalendarComponents.CalendarEvent;

namespace Flex.Functions.Tests.CalendarFeeds;

public sealed class CalendarFeedTests : IAsyncLifetime
{
    private const string OfMember = "OfMember";
    private const string OfResource = "OfResource";

    private Spaces _spaces = null!;
    private string _self = null!;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        _self = Spaces.As(_spaces.Member);
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_members_feed_is_this_file()
    {
        Answer booked = await _spaces.BookAsync("2025-03-09T05:30:00Z", "2025-03-09T08:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);

        Answer feed = await ReadAsync(await CreateAsync(OfMember));

        Assert.Equal((200, "text/calendar; charset=utf-8", "private, no-cache"), (feed.Status, feed.Headers.ContentType.ToString(), feed.Headers.CacheControl.ToString()));
        Assert.Equal(
            $"""
            BEGIN:VCALENDAR
            VERSION:2.0
            PRODID:-//Flex//Calendar feeds//EN
            CALSCALE:GREGORIAN
            X-WR-CALNAME:Flex
            X-WR-TIMEZONE:America/New_York
            REFRESH-INTERVAL;VALUE=DURATION:PT1H
            X-PUBLISHED-TTL:PT1H
            BEGIN:VEVENT
            UID:{(string)booked.Json["id"]!}@flex
            DTSTAMP:20250101T000000Z
            SEQUENCE:1
            DTSTART:20250309T053000Z
            DTEND:20250309T080000Z
            SUMMARY:Blue room
            LOCATION:Main
            STATUS:CONFIRMED
            END:VEVENT
            END:VCALENDAR

            """.ReplaceLineEndings("\r\n"),
            feed.Body);
    }

    [Fact]
    public async Task A_cancelled_booking_is_shown_as_cancelled_in_a_later_version()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        string path = await CreateAsync(OfMember);
        IcalEvent before = Assert.Single(Events(await ReadAsync(path)));
        _spaces.App.Time.Advance(TimeSpan.FromMinutes(7));

        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(_spaces.Member, _spaces.Now));

        IcalEvent after = Assert.Single(Events(await ReadAsync(path)));
        Assert.Equal(("CONFIRMED", "CANCELLED", before.Uid), (before.Status, after.Status, after.Uid));
        Assert.True(after.Sequence > before.Sequence);
        Assert.Equal(_spaces.Now.ToDateTimeUtc(), after.DtStamp!.AsUtc);
    }

    [Fact]
    public async Task A_members_feed_shows_their_bookings_and_no_others()
    {
        MemberId other = await _spaces.AddMemberAsync();
        ResourceId green = await _spaces.AddRoomAsync("Grün; groß, hell 🏢");
        await _spaces.BookAsync("2025-01-12T15:00:00Z", "2025-01-12T16:00:00Z", room: green);
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.BookAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z", member: other);
        await _spaces.DrainAsync(Queues.Bookings);

        Answer feed = await ReadAsync(await CreateAsync(OfMember));

        Assert.Equal(["Blue room", "Grün; groß, hell 🏢"], Events(feed).Select(e => e.Summary));
    }

    [Fact]
    public async Task A_resources_feed_shows_what_is_taken_and_no_personal_data()
    {
        ResourceId green = await _spaces.AddRoomAsync("Green room");
        MemberId other = await _spaces.AddMemberAsync();
        await _spaces.BookAsync("2025-01-10T23:00:00Z", "2025-01-11T01:00:00Z");
        await _spaces.BookAsync("2025-01-12T15:00:00Z", "2025-01-12T16:00:00Z", member: other);
        await _spaces.BookAsync("2025-01-13T15:00:00Z", "2025-01-13T16:00:00Z", room: green);
        await _spaces.DrainAsync(Queues.Bookings);
        await _spaces.DeliverAsync(Queues.Bookings, Envelopes.CancelFuture(other, _spaces.Now));

        Answer feed = await ReadAsync(await CreateAsync(OfResource, "staff"));

        IcalEvent only = Assert.Single(Events(feed));
        Assert.Equal(("Booked", "Main", "CONFIRMED"), (only.Summary, only.Location, only.Status));
        Assert.Equal(Utc("2025-01-10T23:00:00Z"), only.DtStart!.AsUtc);
        Assert.Contains("X-WR-CALNAME:Blue room\r\n", feed.Body, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?i)ann|lee|acme|mbr_|cus_", feed.Body);
    }

    [Theory]
    [InlineData(OfMember)]
    [InlineData(OfResource)]
    public async Task A_feed_reaches_from_60_days_back_to_400_days_ahead(string whose)
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.BookAsync("2025-01-10T15:05:00Z", "2025-01-10T15:10:00Z", room: await _spaces.AddRoomAsync("Other"));
        await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z");
        await _spaces.BookAsync("2026-04-15T14:55:00Z", "2026-04-15T15:00:00Z");
        await _spaces.BookAsync("2026-04-15T15:00:00Z", "2026-04-15T15:05:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        string path = await CreateAsync(whose, "staff");

        _spaces.App.Time.SetUtcNow(Offset("2025-03-11T15:00:00Z"));
        string[] ahead = Starts(await ReadAsync(path));
        _spaces.App.Time.SetUtcNow(Offset("2025-03-11T15:05:00Z"));
        string[] later = Starts(await ReadAsync(path));

        string[] blueAhead = ["2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", "2026-04-15T14:55:00Z"];
        string[] blueLater = ["2025-01-10T16:00:00Z", "2026-04-15T14:55:00Z", "2026-04-15T15:00:00Z"];
        string[] other = whose == OfMember ? ["2025-01-10T15:05:00Z"] : [];
        Assert.Equal([.. blueAhead.Take(1), .. other, .. blueAhead.Skip(1)], ahead);
        Assert.Equal([.. other, .. blueLater], later);
    }

    [Fact]
    public async Task A_feed_without_bookings_is_an_empty_calendar()
    {
        Answer feed = await ReadAsync(await CreateAsync(OfMember));

        Assert.Equal(200, feed.Status);
        Assert.Empty(Events(feed));
    }

    [Fact]
    public async Task Who_has_the_current_version_gets_304_until_something_changes()
    {
        string path = await CreateAsync(OfMember);
        string etag = (await ReadAsync(path)).Headers.ETag.ToString();
        _spaces.App.Time.Advance(TimeSpan.FromHours(1));

        Answer unchanged = await ReadAsync(path, ("If-None-Match", etag));
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        Answer changed = await ReadAsync(path, ("If-None-Match", etag));

        Assert.Matches("^\"[0-9a-f]{32}\"$", etag);
        Assert.Equal((304, string.Empty, etag, "private, no-cache"), (unchanged.Status, unchanged.Body, unchanged.Headers.ETag.ToString(), unchanged.Headers.CacheControl.ToString()));
        Assert.Equal(200, changed.Status);
        Assert.NotEqual(etag, changed.Headers.ETag.ToString());
    }

    [Fact]
    public async Task A_members_feed_is_read_with_four_storage_calls_and_one_per_booking()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.BookAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z");
        await _spaces.DrainAsync(Queues.Bookings);
        string path = await CreateAsync(OfMember);
        await ReadAsync(path);

        using StorageCallScope calls = StorageCalls.Measure();
        await ReadAsync(path);

        Assert.Equal(4 + 2, calls.Count);
    }

    [Fact]
    public async Task A_resources_feed_is_read_with_two_storage_calls_and_one_per_booking()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.BookAsync("2025-01-11T15:00:00Z", "2025-01-11T16:00:00Z");
        string path = await CreateAsync(OfResource, "staff");
        await ReadAsync(path);

        using StorageCallScope calls = StorageCalls.Measure();
        await ReadAsync(path);

        Assert.Equal(2 + 2, calls.Count);
    }

    [Theory]
    [InlineData(OfMember)]
    [InlineData(OfResource)]
    public async Task A_new_address_takes_the_place_of_the_old_one(string whose)
    {
        string first = await CreateAsync(whose, "staff");
        string second = await CreateAsync(whose, "staff");

        Assert.NotEqual(first, second);
        Assert.Equal((404, 200), ((await ReadAsync(first)).Status, (await ReadAsync(second)).Status));
        Assert.Equal(2, _spaces.Tables.Snapshot(CalendarFeedStore.Table, CalendarFeedStore.Partition).Count);
    }

    [Theory]
    [InlineData(OfMember)]
    [InlineData(OfResource)]
    public async Task A_revoked_feed_is_gone_and_revoking_it_again_is_done_already(string whose)
    {
        string path = await CreateAsync(whose, "staff");

        Answer revoked = await SendAsync("Revoke", whose, "staff");
        Answer again = await SendAsync("Revoke", whose, "staff");
        Answer read = await ReadAsync(path);

        Assert.Equal((204, string.Empty, 204), (revoked.Status, revoked.Body, again.Status));
        Assert.Equal((404, ErrorCodes.NotFound, "application/problem+json"), (read.Status, read.Code, read.Headers.ContentType.ToString()));
        Assert.Equal("no-store", read.Headers.CacheControl.ToString());
        Assert.Empty(_spaces.Tables.Snapshot(CalendarFeedStore.Table, CalendarFeedStore.Partition));
    }

    [Theory]
    [InlineData(OfMember)]
    [InlineData(OfResource)]
    public async Task It_is_said_since_when_there_is_a_feed_but_never_its_token(string whose)
    {
        Answer none = await SendAsync("Get", whose, "staff");
        string token = Token(await CreateAsync(whose, "staff"));
        _spaces.App.Time.Advance(TimeSpan.FromHours(1));
        Answer one = await SendAsync("Get", whose, "staff");

        Assert.Equal("""{"createdAt":null}""", none.Body);
        Assert.Equal("""{"createdAt":"2025-01-01T00:00:00Z"}""", one.Body);
        Assert.DoesNotContain(
            _spaces.Tables.Snapshot(CalendarFeedStore.Table, CalendarFeedStore.Partition),
            row => (row.Key + row.Data).Contains(token["feed_".Length..], StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_repeated_request_makes_another_token_and_stores_no_answer()
    {
        (string, string)[] key = [("Authorization", "Bearer " + _self), ("Idempotency-Key", "k1")];
        string path = $"/api/v1/members/{_spaces.Member}/calendar-feed";

        Answer first = await _spaces.App.SendAsync("CalendarFeeds_CreateOfMember", "POST", path, null, key);
        Answer second = await _spaces.App.SendAsync("CalendarFeeds_CreateOfMember", "POST", path, null, key);

        Assert.Equal((201, 201), (first.Status, second.Status));
        Assert.Equal((path, path), (first.Headers.Location.ToString(), second.Headers.Location.ToString()));
        Assert.Equal((404, 200), ((await ReadAsync((string)first.Json["path"]!)).Status, (await ReadAsync((string)second.Json["path"]!)).Status));
    }

    [Fact]
    public async Task A_token_has_256_bits_and_no_part_of_two_is_alike()
    {
        string[] tokens = [.. (await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => CreateAsync(OfMember)))).Select(Token)];

        Assert.All(tokens, t => Assert.Matches("^feed_[A-Za-z0-9_-]{43}$", t));
        Assert.Equal(50, tokens.Select(t => t[5..15]).Distinct().Count());
        Assert.Equal(50, tokens.Select(t => t[^10..]).Distinct().Count());
    }

    [Fact]
    public async Task Members_reach_neither_others_feeds_nor_resources()
    {
        string other = Spaces.As(await _spaces.AddMemberAsync());
        foreach (string action in new[] { "Create", "Get", "Revoke" })
        {
            Answer hidden = await SendAsync(action, OfMember, other);
            Answer missing = await SendAsync(action, OfMember, other, EntityId.Derive<MemberId>("nobody").Value);
            Answer room = await SendAsync(action, OfResource, _self);

            Assert.Equal((404, ErrorCodes.NotFound), (hidden.Status, hidden.Code));
            Assert.Equal((string?)missing.Json["detail"], (string?)hidden.Json["detail"]);
            Assert.Equal((403, ErrorCodes.Forbidden), (room.Status, room.Code));
        }

        Assert.Empty(_spaces.Tables.Snapshot(CalendarFeedStore.Table, CalendarFeedStore.Partition));
    }

    [Theory]
    [InlineData(OfMember, "mbr_00000000000000000000000000")]
    [InlineData(OfResource, "res_00000000000000000000000000")]
    [InlineData(OfMember, "mbr_1")]
    public async Task What_does_not_exist_has_no_feed(string whose, string id)
    {
        foreach (string action in new[] { "Create", "Get", "Revoke" })
        {
            Answer answer = await SendAsync(action, whose, "staff", id);

            Assert.Equal((404, ErrorCodes.NotFound), (answer.Status, answer.Code));
        }
    }

    [Theory]
    [InlineData("feed_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.ics", 1)]
    [InlineData("feed_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0)]
    [InlineData("feed_AAAA.ics", 0)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.ics", 0)]
    [InlineData("feed_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%7C.ics", 0)]
    [InlineData("x.ics", 0)]
    public async Task A_wrong_token_is_404_and_costs_a_read_at_most(string file, int reads)
    {
        await CreateAsync(OfMember);
        using StorageCallScope calls = StorageCalls.Measure();

        Answer answer = await ReadAsync("/api/v1/calendar-feeds/" + file);

        Assert.Equal((404, ErrorCodes.NotFound, reads), (answer.Status, answer.Code, calls.Count));
    }

    [Fact]
    public async Task Of_two_who_ask_at_once_the_later_ones_address_works()
    {
        await CreateAsync(OfMember);
        string? rival = null;
        _spaces.Tables.BeforeCommit = async batch =>
        {
            if (batch.Table == CalendarFeedStore.Table)
            {
                _spaces.Tables.BeforeCommit = null;
                rival = await CreateAsync(OfMember);
            }
        };

        string path = await CreateAsync(OfMember);

        Assert.Equal((404, 200), ((await ReadAsync(rival!)).Status, (await ReadAsync(path)).Status));
        Assert.Equal(2, _spaces.Tables.Snapshot(CalendarFeedStore.Table, CalendarFeedStore.Partition).Count);
    }

    [Fact]
    public async Task A_feed_that_is_revoked_while_it_is_changed_is_made_anew()
    {
        await CreateAsync(OfMember);
        _spaces.Tables.BeforeCommit = async batch =>
        {
            if (batch.Table == CalendarFeedStore.Table)
            {
                _spaces.Tables.BeforeCommit = null;
                await SendAsync("Revoke", OfMember, _self);
            }
        };

        string path = await CreateAsync(OfMember);

        Assert.Equal(200, (await ReadAsync(path)).Status);
    }

    [Fact]
    public async Task No_log_takes_a_token_in()
    {
        string token = Token(await CreateAsync(OfMember));
        string path = FeedToken.PathOf(token);
        _spaces.Tables.BeforeCommit = _ => throw new DefectException($"GET {path} failed.");

        Answer failed = await SendAsync("Create", OfMember, _self);
        await ReadAsync(path);

        Assert.Equal(500, failed.Status);
        Assert.Contains(_spaces.App.Logs.Entries, e => e.Everything.Contains("calendar-feeds/[hidden].ics failed", StringComparison.Ordinal));
        Assert.DoesNotContain(_spaces.App.Logs.Entries, e => e.Everything.Contains(token, StringComparison.Ordinal));
    }

    private async Task<string> CreateAsync(string whose, string? caller = null)
    {
        Answer answer = await SendAsync("Create", whose, caller ?? _self);
        Assert.True(answer.Status == 201, answer.Body);
        return (string)answer.Json["path"]!;
    }

    private Task<Answer> SendAsync(string action, string whose, string caller, string? id = null) =>
        _spaces.SendAsync($"CalendarFeeds_{action}{whose}", caller: caller, id: id ?? (whose == OfMember ? _spaces.Member.Value : _spaces.Room.Value));

    private Task<Answer> ReadAsync(string path, params (string Name, string Value)[] headers) =>
        _spaces.App.SendAsync("CalendarFeeds_Read", "GET", path, null, headers);

    private static string Token(string path) => path["/api/v1/calendar-feeds/".Length..^".ics".Length];

    private static IcalEvent[] Events(Answer feed) => [.. Calendar.Load(feed.Body)!.Events];

    private static string[] Starts(Answer feed) =>
        [.. Events(feed).Select(e => InstantPattern.General.Format(Instant.FromDateTimeUtc(e.DtStart!.AsUtc)))];

    private static DateTime Utc(string text) => Offset(text).UtcDateTime;

    private static DateTimeOffset Offset(string text) => InstantPattern.General.Parse(text).Value.ToDateTimeOffset();
}
