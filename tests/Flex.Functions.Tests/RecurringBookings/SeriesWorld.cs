using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.RecurringBookings;
using Flex.Wallets;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

/// <summary>What tests of recurring bookings ask of <see cref="Spaces"/>: it is 2025-01-01T00:00Z, that is 31 December in New York.</summary>
internal static class SeriesWorld
{
    public const string Weekly = "FREQ=WEEKLY;COUNT=";
    public const string Daily = "FREQ=DAILY;COUNT=";

    public static object Recurring(
        this Spaces spaces,
        string rrule,
        string start = "2025-01-06T10:00:00",
        string end = "2025-01-06T11:00:00",
        string onConflict = "reject",
        MemberId? member = null,
        ResourceId? room = null,
        bool overridePolicy = false) => new
        {
            resourceId = (room ?? spaces.Room).Value,
            localStart = start,
            localEnd = end,
            recurrence = new { rrule },
            onConflict,
            memberId = (member ?? spaces.Member).Value,
            overridePolicy,
        };

    public static Task<Answer> RepeatAsync(this Spaces spaces, object body, string caller = "staff", string? key = null) =>
        spaces.SendAsync("RecurringBookings_Create", body, caller, headers: key is null ? [] : [("Idempotency-Key", key)]);

    /// <summary>A series that is booked, and its id.</summary>
    public static async Task<SeriesId> MakeAsync(this Spaces spaces, string rrule, string start = "2025-01-06T10:00:00", string end = "2025-01-06T11:00:00")
    {
        Answer answer = await spaces.RepeatAsync(spaces.Recurring(rrule, start, end));
        Assert.True(answer.Status == 201, answer.Body);
        return EntityId.Parse<SeriesId>((string)answer.Json["id"]!);
    }

    public static async Task<Series> SeriesAsync(this Spaces spaces, SeriesId id) => (await spaces.Get<SeriesStore>().RequireAsync(id, Spaces.Cancellation)).Value;

    /// <summary>All bookings of the location, by their day.</summary>
    public static IReadOnlyList<Booking> Bookings(this Spaces spaces) =>
    [
        .. spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(spaces.Location))
            .Where(r => r.Key.StartsWith("B|", StringComparison.Ordinal))
            .Select(r => r.As<Booking>())
            .OrderBy(b => b.Start),
    ];

    public static IReadOnlyList<Booking> Standing(this Spaces spaces) => [.. spaces.Bookings().Where(b => b.HoldsSlot())];

    public static IReadOnlyList<Series> AllSeries(this Spaces spaces) =>
    [
        .. spaces.Tables.Snapshot(BookingStore.Table, EntityId.Home(spaces.Location))
            .Where(r => r.Key.StartsWith("S|", StringComparison.Ordinal))
            .Select(r => r.As<Series>()),
    ];

    public static LocalDate Day(string iso) => LocalDatePattern.Iso.Parse(iso).Value;

    public static JsonObject Row(this JsonNode summary, string date) =>
        summary["rows"]!.AsArray().Select(r => r!.AsObject()).Single(r => (string?)r["date"] == date);

    public static string Fee(this JsonNode amounts) => (string)amounts["fee"]!["amount"]!;

    public static IReadOnlyList<string> Dates(this JsonNode list) => [.. list.AsArray().Select(d => (string)d!)];

    /// <summary>A member whose plan has credit for the room: minutes a month.</summary>
    public static async Task<MemberId> AddMemberWithCreditAsync(this Spaces spaces, int minutes)
    {
        PlanId plan = await spaces.AddPlanAsync(
            ("credits", new[] { new { name = "Rooms", resourceIds = new[] { spaces.Room.Value }, minutes } }));
        return await AddMemberOnAsync(spaces, plan);
    }

    public static async Task<MemberId> AddMemberOnAsync(this Spaces spaces, PlanId plan, Instant? endsAt = null)
    {
        MemberId member = await spaces.AddMemberAsync(status: null);
        await spaces.SetStandingAsync(member, spaces.NewStanding(MembershipStatus.Active, endsAt) with { PlanId = plan });
        return member;
    }

    public static async Task<Wallet> WalletAsync(this Spaces spaces, MemberId member) =>
        (await spaces.Get<WalletStore>().ReadAsync(member, Spaces.Cancellation)).Wallet;

    /// <summary>Messages of a queue, in any order and each more than once.</summary>
    public static async Task DeliverHostilelyAsync(this Spaces spaces, string queue, Random dice)
    {
        var seen = new List<Envelope>();
        while (spaces.Queue.Take(queue) is { } message)
        {
            seen.Add(message);
            if (seen.Count % 50 == 0)
            {
                await spaces.DeliverAsync(queue, seen[dice.Next(seen.Count)]);
            }

            await spaces.DeliverAsync(queue, message);
        }

        foreach (Envelope again in seen.OrderBy(_ => dice.Next()))
        {
            await spaces.DeliverAsync(queue, again);
        }
    }

    /// <summary>The error that a test lets a commit fail with.</summary>
    public static TransientFaultException Death() => new("The process died here.");
}
