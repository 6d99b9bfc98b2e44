using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Flex.Local.Audit;
using Flex.Local.Demo;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.EndToEnd.Tests;

public sealed class RaceTests(Space space) : IClassFixture<Space>
{
    private const int Clients = 64;
    private const int Slots = 200;

    /// <summary>How many clients want each slot; wishes are dealt in the order of the slots, so that those for one slot meet.</summary>
    private const int Rivals = 4;

    private static readonly Duration Length = Duration.FromMinutes(30);

    [Fact]
    [Trait("Rule", "BKG-1")]
    [Trait("Rule", "BKG-2")]
    public async Task Of_64_clients_racing_for_200_slots_one_gets_each_slot_and_the_others_a_conflict()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string room = (string)(await space.Client.PostAsync("staff", "/api/v1/resources", Bodies.Resource(space, space.Rate), "race-room", cancel))["id"]!;
        Instant first = Instant.FromUtc(2025, 2, 3, 0, 0);
        var wishes = new ConcurrentQueue<int>(Enumerable.Range(0, Slots * Rivals));
        var answers = new ConcurrentBag<(Instant Slot, HttpStatusCode Status, string? Code)>();

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async number =>
        {
            using var http = new HttpClient { BaseAddress = space.Host.Local.Address };
            var client = new FlexClient(http, TimeProvider.System) { Patience = TimeSpan.Zero };
            string member = number % 2 == 0 ? space.Ada.Member : space.Bob.Member;
            while (wishes.TryDequeue(out int wished))
            {
                Instant slot = first + (wished / Rivals * Length);
                (string start, string end) = (InstantPattern.General.Format(slot), InstantPattern.General.Format(slot + Length));
                JsonObject wish = Bodies.Booking(space, start, end).With("resourceId", room);
                string key = string.Create(CultureInfo.InvariantCulture, $"race-{wished}");
                (HttpStatusCode status, JsonObject answer) = await client.SendAsync(member, HttpMethod.Post, "/api/v1/bookings", wish, key, null, cancel);
                answers.Add((slot, status, (string?)answer["code"]));
            }
        }));

        Assert.Equal(Slots * Rivals, answers.Count);
        Assert.All(answers, a => Assert.True(
            a is { Status: HttpStatusCode.Created } or { Status: HttpStatusCode.Conflict, Code: "booking_conflict" }, $"{a.Status} {a.Code}"));
        Assert.All(answers.GroupBy(a => a.Slot), slot => Assert.Single(slot, a => a.Status == HttpStatusCode.Created));
        Instant[] booked = await BookedAsync(room, cancel);
        Assert.Equal(Enumerable.Range(0, Slots).Select(i => first + (i * Length)), booked);
        AuditReport audit = await HostAudit.RunAsync(space.Host.Local.Runtime.Services, atRest: false, cancel);
        Assert.Empty(audit.Findings);
    }

    [Fact]
    [Trait("Rule", "BKG-2")]
    public async Task Of_50_clients_for_one_slot_one_gets_it_and_49_a_conflict()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string room = (string)(await space.Client.PostAsync("staff", "/api/v1/resources", Bodies.Resource(space, space.Rate), "race-one", cancel))["id"]!;
        JsonObject wish = Bodies.Booking(space, "2025-02-10T09:00:00Z", "2025-02-10T10:00:00Z").With("resourceId", room);

        (HttpStatusCode Status, JsonObject Answer)[] answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(i => BookAsync(space.Ada.Member, wish.DeepClone().AsObject(), $"race-one-{i}", cancel)));

        Assert.Single(answers, a => a.Status == HttpStatusCode.Created);
        Assert.Equal(49, answers.Count(a => a.Status == HttpStatusCode.Conflict && (string?)a.Answer["code"] == "booking_conflict"));
        AuditReport audit = await HostAudit.RunAsync(space.Host.Local.Runtime.Services, atRest: false, cancel);
        Assert.Empty(audit.Findings);
    }

    [Fact]
    [Trait("Rule", "CRD-1")]
    public async Task Twenty_bookings_at_once_in_twenty_rooms_spend_five_hours_of_credit_exactly()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        var rooms = new List<string>();
        for (int i = 0; i < 20; i++)
        {
            JsonObject room = Bodies.Resource(space, space.Rate).With("name", $"Credit room {i}");
            rooms.Add((string)(await space.Client.PostAsync("staff", "/api/v1/resources", room, $"race-credit-room-{i}", cancel))["id"]!);
        }

        var grant = new JsonObject
        {
            ["name"] = "Five hours",
            ["resourceIds"] = new JsonArray([.. rooms.Select(r => (JsonNode)r)]),
            ["minutes"] = 300,
            ["from"] = "2025-01-01",
        };
        string given = $"/api/v1/members/{space.Bob.Member}/credit-grants";
        await space.Client.PostAsync("staff", given, grant, "race-credit-grant", cancel);
        JsonObject wish = Bodies.Booking(space, "2025-02-11T09:00:00Z", "2025-02-11T09:30:00Z");

        (HttpStatusCode Status, JsonObject Answer)[] answers = await Task.WhenAll(rooms.Select((room, i) =>
            BookAsync(space.Bob.Member, wish.DeepClone().AsObject().With("resourceId", room), $"race-credit-{i}", cancel)));

        Assert.All(answers, a => Assert.True(a.Status == HttpStatusCode.Created, a.Answer.ToJsonString()));
        Assert.Equal(300, answers.Sum(a => (int)a.Answer["creditMinutes"]!));
        Assert.Equal(10, answers.Count(a => (int)a.Answer["creditMinutes"]! == 30));
        JsonObject wallet = await space.Client.GetAsync("staff", $"/api/v1/members/{space.Bob.Member}/wallet", cancel);
        Assert.Equal(0, (int)Assert.Single(wallet["grants"]!.AsArray(), g => (string?)g!["name"] == "Five hours")!["leftMinutes"]!);
        AuditReport audit = await HostAudit.RunAsync(space.Host.Local.Runtime.Services, atRest: false, cancel);
        Assert.Empty(audit.Findings);
    }

    /// <summary>One request on a connection of its own, without patience.</summary>
    private async Task<(HttpStatusCode Status, JsonObject Answer)> BookAsync(string member, JsonObject wish, string key, CancellationToken cancel)
    {
        using var http = new HttpClient { BaseAddress = space.Host.Local.Address };
        var client = new FlexClient(http, TimeProvider.System) { Patience = TimeSpan.Zero };
        return await client.SendAsync(member, HttpMethod.Post, "/api/v1/bookings", wish, key, null, cancel);
    }

    /// <summary>The starts of the room's bookings in order, read page by page.</summary>
    private async Task<Instant[]> BookedAsync(string room, CancellationToken cancel)
    {
        var starts = new List<Instant>();
        string? cursor = null;
        do
        {
            string after = cursor is null ? string.Empty : "&cursor=" + cursor;
            string list = $"/api/v1/bookings?resourceId={room}&from=2025-02-01&to=2025-02-28&limit=100{after}";
            JsonObject page = await space.Client.GetAsync("staff", list, cancel);
            starts.AddRange(page["results"]!.AsArray().Select(b => InstantPattern.ExtendedIso.Parse((string)b!["start"]!).Value));
            cursor = (string?)page["cursorNext"];
        }
        while (cursor is not null);
        return [.. starts];
    }
}
