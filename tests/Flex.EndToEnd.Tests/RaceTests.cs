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
