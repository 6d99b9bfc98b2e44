using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Flex.Local.Demo;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Testing;
using Flex.Platform.Identity;
using NodaTime;
using NodaTime.Text;

namespace Flex.Benchmarks.Cost;

/// <summary>What a member does, and what comes of it: the names in <see cref="Mix"/> and in the document.</summary>
internal enum MemberAction
{
    OpensApp,
    LooksForRoom,
    SeesPicture,
    PreviewsBooking,
    BooksOnAccount,
    BooksFromCredit,
    CancelsBooking,
    PaysForBookings,
    BooksSeries,
    ChecksIn,
    CalendarPolls,
    SignsUp,
    Renews,
    RenewsWithNewCard,
    FailsToRenew,
}

/// <summary>What was counted: per action, with everything that follows from it; per month of doing nothing; per location and month beside that.</summary>
internal sealed record Measured(IReadOnlyDictionary<MemberAction, Work> Actions, Work Idle, Work Location);

/// <summary>
/// Counts what each action asks for by doing it in a world: the same functions, on memory tables and simulated time. Counts do
/// not depend on the machine. Time that passes is long enough for everything that follows: messages, sweeps, webhooks.
/// </summary>
internal static class WorkBench
{
    /// <summary>Days of January on which somebody signs up: a ladder that begins on the same day of February ends before March.</summary>
    private const int Days = 20;

    /// <summary>Longer than a sweep, a delivered webhook and the first question about a payment take; ends before the next timer runs.</summary>
    private static readonly Duration Aftermath = Duration.FromMinutes(13);

    /// <summary>What is due later than that is waited for: who has checked in is checked out at the end of the day.</summary>
    private const int MostHours = 10;

    /// <summary>Past the hour: after its last timer but those of every quarter, and what comes of them.</summary>
    private static readonly Duration Quiet = Duration.FromMinutes(17);

    private static readonly Instant Start = Instant.FromUtc(2025, 1, 1, 8, 0);
    private static readonly Instant February = Instant.FromUtc(2025, 2, 1, 0, 0);
    private static readonly Instant March = Instant.FromUtc(2025, 3, 1, 0, 0);

    /// <summary>A month has 365 / 12 days; what is measured is a February of 28.</summary>
    private const decimal Month = 365m / 12 / 28;

    public static async Task<Measured> RunAsync(CancellationToken cancellation)
    {
        Dictionary<MemberAction, Work> actions = await ActionsAsync(cancellation);
        Work idle = await FebruaryAsync(0, [], cancellation);
        Work locations = await FebruaryAsync(2, [], cancellation);

        // Beside one who does not pay: while anybody of a location is due its day is run every hour, once for all of them.
        Work failing = await FebruaryAsync(0, [Card.Failing], cancellation);
        actions[MemberAction.Renews] = await BesideAsync(Card.Good);
        actions[MemberAction.RenewsWithNewCard] = await BesideAsync(Card.Replaced);
        Work ladder = actions[MemberAction.FailsToRenew] = await BesideAsync(Card.Failing);
        Work dayRuns = failing - idle - (ladder * Days);
        return new Measured(actions, idle * Month, (((locations - idle) * 0.5m) + dayRuns) * Month);

        async Task<Work> BesideAsync(Card card) => (await FebruaryAsync(0, [Card.Failing, card], cancellation) - failing) * (1m / Days);
    }

    private static async Task<Dictionary<MemberAction, Work>> ActionsAsync(CancellationToken cancellation)
    {
        using var recorder = new WorkRecorder();
        await using FlexWorld world = await FlexWorld.StartAsync(new FlexWorldOptions { Start = Start, Services = recorder.Attach });
        using HttpClient http = world.Anonymous();
        var client = new FlexClient(http, TimeProvider.System);
        var space = new Space(client, cancellation);
        await space.OpenAsync(1);
        await client.EditAsync("owner", "/api/v1/settings/operator", CollectAtOnce, cancellation);
        (string room, Person person) = (space.Rooms[0], space.People[0]);
        for (int i = 1; i < Mix.RoomsPerLocation; i++)
        {
            await space.AddRoomAsync(i);
        }

        await world.AdvanceAsync(Aftermath);
        using HttpClient member = world.AsMember(person.Member);
        using HttpClient staff = world.As(Role.Staff);
        await SetPictureAsync(staff, room, cancellation);
        string feed = (string)(await client.PostAsync(person.Member, $"/api/v1/members/{person.Member}/calendar-feed", new JsonObject(), "feed", cancellation))["path"]!;
        string availability = $"/api/v1/resources/availability?location={space.Location}&from=2025-01-06&to=2025-01-12";
        string booked = string.Empty;

        // What fills caches is not what every day costs.
        Func<Task> opensApp = async () =>
        {
            foreach (string path in new[] { $"members/{person.Member}", $"memberships?memberId={person.Member}", $"bookings?memberId={person.Member}", $"members/{person.Member}/wallet" })
            {
                await GetAsync(member, "/api/v1/" + path, null, cancellation);
            }
        };
        await opensApp();
        await GetAsync(member, availability, null, cancellation);
        string tag = await GetAsync(member, $"/api/v1/resources/{room}/image", null, cancellation);
        await BookAsync("warm", 1);

        var actions = new Dictionary<MemberAction, Work>
        {
            [MemberAction.OpensApp] = await MeasureAsync(MemberAction.OpensApp, opensApp),
            [MemberAction.LooksForRoom] = await MeasureAsync(MemberAction.LooksForRoom, () => GetAsync(member, availability, null, cancellation)),
            [MemberAction.SeesPicture] = await MeasureAsync(MemberAction.SeesPicture, () => GetAsync(member, $"/api/v1/resources/{room}/image", tag, cancellation)),
            [MemberAction.PreviewsBooking] = await MeasureAsync(MemberAction.PreviewsBooking, () => client.PostAsync(person.Member, "/api/v1/bookings/preview", Booking(2), "preview", cancellation)),
            [MemberAction.BooksOnAccount] = await MeasureAsync(MemberAction.BooksOnAccount, async () => booked = await BookAsync("account", 2)),
            [MemberAction.CalendarPolls] = await MeasureAsync(MemberAction.CalendarPolls, () => GetAsync(http, feed, null, cancellation)),
            [MemberAction.ChecksIn] = await MeasureAsync(MemberAction.ChecksIn, () => client.PostAsync(
                person.Member, "/api/v1/check-ins", new JsonObject { ["locationId"] = space.Location }, "check-in", cancellation)),
            [MemberAction.CancelsBooking] = await MeasureAsync(MemberAction.CancelsBooking, () => CancelAsync(client, person.Member, booked, cancellation)),
            [MemberAction.SignsUp] = await MeasureAsync(MemberAction.SignsUp, () => space.JoinAsync(1)),
        };
        actions[MemberAction.PaysForBookings] = await MeasureAsync(MemberAction.PaysForBookings, async () =>
        {
            // Billed by a run and collected by the next hour's.
            await client.PostAsync("staff", "/api/v1/bill-runs", new JsonObject { ["customerId"] = person.Customer }, "bill", cancellation);
            await world.AdvanceAsync(Duration.FromHours(1));
        });
        await space.GrantAsync(person, room);
        await BookAsync("warm-credit", 3);
        actions[MemberAction.BooksFromCredit] = await MeasureAsync(MemberAction.BooksFromCredit, () => BookAsync("credit", 4));
        actions[MemberAction.BooksSeries] = await MeasureAsync(MemberAction.BooksSeries, () => SeriesAsync(5));
        return actions;

        Task<string> BookAsync(string key, int day) => IdOfAsync(client.PostAsync(person.Member, "/api/v1/bookings", Booking(day), key, cancellation));

        JsonObject Booking(int day) => new()
        {
            ["resourceId"] = room,
            ["memberId"] = person.Member,
            ["start"] = InstantPattern.General.Format(Start + Duration.FromDays(day)),
            ["end"] = InstantPattern.General.Format(Start + Duration.FromDays(day) + Duration.FromHours(1)),
        };

        Task SeriesAsync(int day)
        {
            LocalDateTime start = (Start + Duration.FromDays(day)).InUtc().LocalDateTime;
            return client.PostAsync(
                person.Member,
                "/api/v1/recurring-bookings",
                new JsonObject
                {
                    ["resourceId"] = room,
                    ["memberId"] = person.Member,
                    ["localStart"] = LocalDateTimePattern.GeneralIso.Format(start),
                    ["localEnd"] = LocalDateTimePattern.GeneralIso.Format(start.PlusHours(1)),
                    ["recurrence"] = new JsonObject { ["frequency"] = "weekly", ["count"] = 12 },
                },
                "series",
                cancellation);
        }

        async Task<Work> MeasureAsync(MemberAction action, Func<Task> act)
        {
            Instant hour = Instant.FromUnixTimeSeconds(world.Now.ToUnixTimeSeconds() / 3600 * 3600);
            await world.AdvanceToAsync(hour + Duration.FromHours(1) + Quiet);
            int waiting = Waiting(world);
            recorder.Take(timers: false);
            Work before = await WorkRecorder.StoredAsync(world.Tables, cancellation);
            await act();
            await world.AdvanceAsync(Aftermath);
            for (int hours = 0; Waiting(world) > waiting && hours < MostHours; hours++)
            {
                await world.AdvanceAsync(Duration.FromHours(1));
            }

            return Waiting(world) > waiting
                ? throw new InvalidOperationException($"More follows from {action} later, which is not counted.")
                : recorder.Take(timers: false) + (await WorkRecorder.StoredAsync(world.Tables, cancellation) - before);
        }
    }

    private enum Card
    {
        Good,
        Replaced,
        Failing,
    }

    /// <summary>
    /// All of a February in which on each of its first days as many memberships renew as there are cards: one is good, one is replaced two days
    /// after it was declined, one is declined until the end.
    /// </summary>
    private static async Task<Work> FebruaryAsync(int moreLocations, Card[] cards, CancellationToken cancellation)
    {
        using var recorder = new WorkRecorder();
        await using FlexWorld world = await FlexWorld.StartAsync(new FlexWorldOptions { Start = Start, Services = recorder.Attach });
        using HttpClient http = world.Anonymous();
        var space = new Space(new FlexClient(http, TimeProvider.System), cancellation);
        await space.OpenAsync(0);
        for (int i = 0; i < moreLocations; i++)
        {
            await space.AddLocationAsync($"House{i + 2}");
        }

        List<(int Day, Card Card, Person Person)> people = [];
        for (int day = 0; day < Days; day++)
        {
            await world.AdvanceToAsync(Start + Duration.FromDays(day));
            foreach (Card card in cards)
            {
                people.Add((day, card, await space.JoinAsync(people.Count)));
            }
        }

        await world.AdvanceToAsync(February - Duration.FromHours(2));
        foreach ((_, _, Person person) in people.Where(p => p.Card != Card.Good))
        {
            await space.AttachAsync(person, "pm_card_chargeCustomerFail");
        }

        await world.AdvanceToAsync(February);
        recorder.Take(timers: true);
        Work before = await WorkRecorder.StoredAsync(world.Tables, cancellation);
        foreach ((int day, _, Person person) in people.Where(p => p.Card == Card.Replaced))
        {
            await world.AdvanceToAsync(February + Duration.FromDays(day + 2));
            await space.AttachAsync(person, "pm_card_visa", "again");
        }

        await world.AdvanceToAsync(March);
        return world.Log.Errors.Count > 0
            ? throw new InvalidOperationException(world.Log.Errors[0].Message)
            : recorder.Take(timers: true) + (await WorkRecorder.StoredAsync(world.Tables, cancellation) - before);
    }

    private static void CollectAtOnce(JsonObject settings)
    {
        settings.Remove("accountStatus");
        settings["automaticCollection"] = true;
        settings["invoiceDueDays"] = 0;
    }

    private static int Waiting(FlexWorld world) => world.Get<LocalQueues>().Status().Sum(q => q.Active + q.Scheduled);

    private static async Task<string> IdOfAsync(Task<JsonObject> answer) => (string)(await answer)["id"]!;

    private static async Task CancelAsync(FlexClient client, string role, string booking, CancellationToken cancellation)
    {
        JsonObject current = await client.GetAsync(role, "/api/v1/bookings/" + booking, cancellation);
        await client.OkAsync(role, HttpMethod.Post, $"/api/v1/bookings/{booking}/cancel", new JsonObject(), "cancel", $"\"{(long)current["version"]!}\"", cancellation);
    }

    /// <summary>The answer's ETag, where it has one.</summary>
    private static async Task<string> GetAsync(HttpClient http, string path, string? tag, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (tag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        }

        using HttpResponseMessage answer = await http.SendAsync(request, cancellation);
        return (int)answer.StatusCode is 200 or 304
            ? answer.Headers.ETag?.Tag ?? string.Empty
            : throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellation)}");
    }

    private static async Task SetPictureAsync(HttpClient staff, string room, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/resources/{room}/image")
        {
            Content = new ByteArrayContent([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } },
        };
        request.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        using HttpResponseMessage answer = await staff.SendAsync(request, cancellation);
        answer.EnsureSuccessStatusCode();
    }
}
