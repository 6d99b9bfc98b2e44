using System.Net;
using System.Text.Json.Nodes;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.EndToEnd.Tests.Support;

/// <summary>What the answer to a booking was.</summary>
internal sealed record BookingAnswer(HttpStatusCode Status, JsonObject Json)
{
    public string? Code => (string?)Json["code"];

    public string Id => (string)Json["id"]!;

    /// <summary>Price, minutes from credits, minutes from passes.</summary>
    public (string? Price, int Credit, int Pass) Cost =>
        ((string?)Json["price"]?["amount"], (int)Json["creditMinutes"]!, (int)Json["passMinutes"]!);
}

/// <summary>A space's rooms, plans and members for one vector each, made over HTTP, so that vectors do not disturb each other.</summary>
internal static class Vectors
{
    private static int _made;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A POST under a key of its own that must succeed.</summary>
    public static Task<JsonObject> PostAsync(this Space space, string role, string path, JsonObject body) =>
        space.Client.PostAsync(role, "/api/v1/" + path, body, NextKey(), Cancel);

    public static Task<JsonObject> GetAsync(this Space space, string role, string path) => space.Client.GetAsync(role, "/api/v1/" + path, Cancel);

    /// <summary>A POST under a key of its own, whatever its answer.</summary>
    public static async Task<BookingAnswer> TryAsync(this Space space, string role, string path, JsonObject body)
    {
        (HttpStatusCode status, JsonObject answer) = await space.Client.SendAsync(role, HttpMethod.Post, "/api/v1/" + path, body, NextKey(), null, Cancel);
        return new BookingAnswer(status, answer);
    }

    public static Task<BookingAnswer> BookAsync(this Space space, string member, string room, string start, string end, bool hold = false) =>
        space.TryAsync(member, "bookings", new JsonObject { ["resourceId"] = room, ["start"] = start, ["end"] = end, ["hold"] = hold });

    public static Task<BookingAnswer> BookAsync(this Space space, string member, string room, Instant start, Duration length, bool hold = false) =>
        space.BookAsync(member, room, Text(start), Text(start + length), hold);

    /// <summary>A room with a price per hour in the location's currency.</summary>
    public static async Task<string> RoomAsync(this Space space, string hourly = "12.00", int noticeMinutes = 0, bool inBoston = false, string audience = "members")
    {
        (string location, string currency) = inBoston ? (space.Boston, "usd") : (space.Location, "eur");
        JsonObject rate = await space.PostAsync("staff", "rates", Bodies.Rate(space)
            .With("hourlyPrice", Bodies.Money(hourly, currency))
            .With("locationIds", new JsonArray(location)));
        JsonObject terms = new() { ["cancellationNoticeMinutes"] = noticeMinutes, ["audience"] = audience };
        JsonObject room = await space.PostAsync(
            "staff", "resources", Bodies.Resource(space, (string)rate["id"]!).With("locationId", location).With("isPublished", true).With("terms", terms));
        return (string)room["id"]!;
    }

    public static JsonObject CreditOf(int minutes, string? pricePerHour, params string[] rooms) => new()
    {
        ["name"] = "Rooms",
        ["resourceIds"] = new JsonArray([.. rooms.Select(r => (JsonNode)r)]),
        ["minutes"] = minutes,
        ["pricePerHour"] = pricePerHour is null ? null : Bodies.Money(pricePerHour),
    };

    public static JsonObject OfferOf(Space space, string room) => new()
    {
        ["name"] = "Hour",
        ["hours"] = 1,
        ["price"] = Bodies.Money("10.00"),
        ["taxRateId"] = space.Tax,
        ["resourceIds"] = new JsonArray(room),
    };

    /// <summary>A customer with a card and their one member, without a membership.</summary>
    public static async Task<Resident> GuestAsync(this Space space)
    {
        string name = NextKey();
        string customer = (string)(await space.PostAsync("staff", "customers", Bodies.Customer(name)))["id"]!;
        await space.PostAsync("staff", $"customers/{customer}/payment-methods", new() { ["paymentMethod"] = "pm_card_visa" });
        return new Resident(customer, (string)(await space.PostAsync("staff", "members", Bodies.Member(customer, space.Location, name)))["id"]!);
    }

    /// <summary>A guest who was given a plan with a credit and an offer of passes, so that it bills nothing.</summary>
    /// <param name="passes">How many of the offered passes staff give.</param>
    public static async Task<Resident> MemberAsync(this Space space, JsonObject? credit = null, JsonObject? offer = null, int passes = 0, string? renewalOn = null)
    {
        Resident who = await space.GuestAsync();
        JsonObject plan = await space.PostAsync("staff", "plans", Bodies.Plan(space, NextKey())
            .With("credits", credit is null ? [] : new JsonArray(credit))
            .With("passOffers", offer is null ? [] : new JsonArray(offer)));
        await space.PostAsync("staff", "memberships", new() { ["memberId"] = who.Member, ["planId"] = (string)plan["id"]!, ["renewalOn"] = renewalOn });
        await space.SettleAsync();
        if (passes > 0)
        {
            await space.PostAsync("staff", $"members/{who.Member}/booking-passes", Bodies.Passes(passes));
        }

        return who;
    }

    /// <summary>Lets a minute pass, and with it every message.</summary>
    public static Task SettleAsync(this Space space) => space.Host.AdvanceAsync("PT1M", Cancel);

    public static async Task<Instant> NowAsync(this Space space) =>
        InstantPattern.ExtendedIso.Parse((string)(await space.Client.GetAsync(string.Empty, "/local/clock", Cancel))["now"]!).Value;

    public static Task AdvanceToAsync(this Space space, Instant to) =>
        space.Client.PostAsync(string.Empty, "/local/clock", new JsonObject { ["to"] = Text(to) }, "clock", Cancel);

    /// <summary>Bills a customer's open charges.</summary>
    /// <returns>Their newest invoice.</returns>
    public static async Task<JsonObject> BillAsync(this Space space, Resident who)
    {
        await space.SettleAsync();
        await space.PostAsync("staff", "bill-runs", new() { ["customerId"] = who.Customer });
        await space.SettleAsync();
        JsonArray invoices = (await space.GetAsync("staff", "invoices?customerId=" + who.Customer))["results"]!.AsArray();
        return invoices.MaxBy(i => (string)i!["createdAt"]!, StringComparer.Ordinal)!.AsObject();
    }

    public static string Text(Instant instant) => InstantPattern.General.Format(instant);

    private static string NextKey() => $"vector-{Interlocked.Increment(ref _made)}";
}
