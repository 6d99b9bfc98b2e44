using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

public sealed class AvailabilityTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_day_is_open_taken_and_free()
    {
        await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");
        await _spaces.BookAsync("2025-01-10T16:00:00Z", "2025-01-10T16:30:00Z");
        await _spaces.BookAsync("2025-01-10T22:30:00Z", "2025-01-11T00:00:00Z");

        Answer answer = await ReadAsync("2025-01-10", "2025-01-10");

        JsonNode room = Assert.Single(answer.Json["resources"]!.AsArray())!;
        Assert.Equal(("Blue room", "meetingRoom", 8), ((string?)room["name"], (string?)room["kind"], (int)room["capacity"]!));
        Assert.Equal("America/New_York", (string?)answer.Json["timeZone"]);
        Assert.Equal("14:00-23:00", Times(room["open"]));
        Assert.Equal("15:00-16:30 22:30-00:00", Times(room["busy"]));
        Assert.Equal("14:00-15:00 16:30-22:30", Times(room["free"]));
        Assert.DoesNotContain("bkg_", answer.Body, StringComparison.Ordinal);
    }

    [Fact, Trait("Rule", "BKG-2")]
    public async Task What_is_kept_free_around_bookings_is_busy_and_a_booking_needs_its_own()
    {
        ResourceId room = await _spaces.AddRoomAsync("Hall", BookingTerms.None with { BufferBeforeMinutes = 15, BufferAfterMinutes = 30 });
        await _spaces.BookAsync("2025-01-10T17:00:00Z", "2025-01-10T18:00:00Z", room: room);

        JsonNode hall = Of(await ReadAsync("2025-01-10", "2025-01-10"), room);

        Assert.Equal("16:45-18:30", Times(hall["busy"]));
        Assert.Equal("14:00-16:15 18:45-23:00", Times(hall["free"]));
        Assert.Equal(409, (await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:20:00Z", room: room)).Status);
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:15:00Z", room: room)).Status);
        Assert.Equal(201, (await _spaces.BookAsync("2025-01-10T18:45:00Z", "2025-01-10T19:00:00Z", room: room)).Status);
    }

    [Fact]
    public async Task A_booking_of_the_night_before_reaches_into_the_month_with_what_is_kept_free_after_it()
    {
        OpeningHours night = new([new OpeningTime(IsoDayOfWeek.Saturday, LocalTime.Midnight, new LocalTime(6, 0))]);
        ResourceId room = await _spaces.AddRoomAsync("Hall", BookingTerms.None with { OpeningHours = night, BufferAfterMinutes = 60 });
        await _spaces.BookAsync("2025-02-01T03:00:00Z", "2025-02-01T05:00:00Z", room: room);

        JsonNode hall = Of(await ReadAsync("2025-02-01", "2025-02-01"), room);

        Assert.Equal(("05:00-11:00", "05:00-06:00", "06:00-11:00"), (Times(hall["open"]), Times(hall["busy"]), Times(hall["free"])));
    }

    [Theory, Trait("Rule", "REC-8")]
    [InlineData("2025-03-09", "05:00-06:30 07:00-04:00")]
    [InlineData("2025-11-02", "04:00-05:30 06:00-06:30 07:30-05:00")]
    public async Task On_days_of_a_clock_change_it_is_open_by_the_clock(string day, string open)
    {
        OpeningHours hours = new(
        [
            new OpeningTime(IsoDayOfWeek.Sunday, new LocalTime(2, 30), LocalTime.Midnight),
            new OpeningTime(IsoDayOfWeek.Sunday, LocalTime.Midnight, new LocalTime(1, 30)),
        ]);
        ResourceId room = await _spaces.AddRoomAsync("Hall", BookingTerms.None with { OpeningHours = hours });

        JsonNode hall = Of(await ReadAsync(day, day), room);

        Assert.Equal(open, Times(hall["open"]));
    }

    [Fact]
    public async Task Thirty_resources_in_a_week_cost_one_storage_call()
    {
        for (int i = 0; i < 29; i++)
        {
            ResourceId room = await _spaces.AddRoomAsync($"Room {i}");
            await _spaces.BookAsync("2025-01-31T15:00:00Z", "2025-01-31T16:00:00Z", room: room);
            await _spaces.BookAsync("2025-02-02T15:00:00Z", "2025-02-02T16:00:00Z", room: room);
        }

        await ReadAsync("2025-01-27", "2025-02-02");
        using StorageCallScope calls = StorageCalls.Measure();
        Answer answer = await ReadAsync("2025-01-27", "2025-02-02");

        Assert.Equal((200, 30, 1), (answer.Status, answer.Json["resources"]!.AsArray().Count, calls.Count));
        Assert.Equal(58, answer.Json["resources"]!.AsArray().Sum(r => r!["busy"]!.AsArray().Count));
    }

    [Fact]
    public async Task Members_see_published_resources_of_the_kind_and_size_they_ask_for()
    {
        await _spaces.AddAsync<ResourceId>("Resources_Create", new
        {
            locationId = _spaces.Location.Value,
            name = "Secret",
            kind = "meetingRoom",
            capacity = 20,
            rateId = _spaces.Rate.Value,
            isPublished = false,
        });
        await _spaces.AddAsync<ResourceId>("Resources_Create", new
        {
            locationId = _spaces.Location.Value,
            name = "Desk",
            kind = "hotDesk",
            capacity = 1,
            rateId = _spaces.Rate.Value,
        });

        Assert.Equal(["Blue room", "Desk"], await NamesAsync(Spaces.As(_spaces.Member)));
        Assert.Equal(["Blue room", "Desk", "Secret"], await NamesAsync("staff"));
        Assert.Equal(["Desk"], await NamesAsync("staff", "&kind=hotDesk"));
        Assert.Equal(["Blue room", "Secret"], await NamesAsync("staff", "&capacity=8"));
    }

    [Theory]
    [InlineData("2025-01-01", "2025-02-01", 422, ErrorCodes.InvalidValue)]
    [InlineData("2025-01-02", "2025-01-01", 422, ErrorCodes.EndBeforeStart)]
    [InlineData("1999-01-02", "2025-01-01", 422, ErrorCodes.InvalidValue)]
    [InlineData("2025-01-02", "9999-12-31", 422, ErrorCodes.InvalidValue)]
    [InlineData("2025-01-32", "2025-01-01", 400, ErrorCodes.MalformedRequest)]
    [InlineData("", "2025-01-01", 400, ErrorCodes.MalformedRequest)]
    public async Task Bad_days_are_refused(string from, string to, int status, string code)
    {
        Answer answer = await ReadAsync(from, to);

        Assert.Equal((status, code), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_location_of_nothing_is_refused()
    {
        string nowhere = EntityId.Derive<LocationId>("nowhere").Value;

        Answer answer = await _spaces.SendAsync("Resources_Availability", query: $"?location={nowhere}&from=2025-01-01&to=2025-01-01");

        Assert.Equal((422, ErrorCodes.UnknownReference), (answer.Status, answer.Code));
    }

    /// <summary>The routes overlap, and the host tries functions by name.</summary>
    [Fact]
    public void Its_name_comes_before_that_of_the_function_whose_route_it_would_match()
    {
        FunctionEntry[] functions = [.. new[] { "Resources_Availability", "Resources_Get" }.Select(n => _spaces.Get<FunctionCatalog>().Find(n)!)];

        Assert.Equal(["v1/resources/availability", "v1/resources/{id}"], functions.Select(f => f.Route));
        Assert.True(string.Compare("Resources_Availability", "Resources_Get", StringComparison.OrdinalIgnoreCase) < 0);
    }

    private Task<Answer> ReadAsync(string from, string to, string caller = "staff", string more = "") =>
        _spaces.SendAsync("Resources_Availability", caller: caller, query: $"?location={_spaces.Location.Value}&from={from}&to={to}{more}");

    private async Task<string[]> NamesAsync(string caller, string more = "") =>
        [.. (await ReadAsync("2025-01-10", "2025-01-10", caller, more)).Json["resources"]!.AsArray().Select(r => (string)r!["name"]!).Order(StringComparer.Ordinal)];

    private static JsonNode Of(Answer answer, ResourceId room) => answer.Json["resources"]!.AsArray().Single(r => (string?)r!["id"] == room.Value)!;

    /// <summary>Times of day in UTC.</summary>
    private static string Times(JsonNode? ranges) =>
        string.Join(' ', ranges!.AsArray().Select(r => $"{((string)r!["start"]!)[11..16]}-{((string)r["end"]!)[11..16]}"));
}
