using System.Text.Json.Nodes;
using Flex.Local.Demo;

namespace Flex.Benchmarks;

/// <summary>A coworking space made over HTTP, as staff make one: a location in UTC, plans, rooms, and a member who may book.</summary>
internal sealed class Space(FlexClient client, CancellationToken cancellation)
{
    public const string Currency = "eur";

    public string Location { get; private set; } = string.Empty;

    public string Plan { get; private set; } = string.Empty;

    public string Customer { get; private set; } = string.Empty;

    public string Member { get; private set; } = string.Empty;

    public IReadOnlyList<string> Rooms { get; private set; } = [];

    /// <param name="card">Stripe's test payment method that the member's customer pays with.</param>
    public async Task OpenAsync(int rooms, string card)
    {
        await client.PostAsync("owner", "/api/v1/settings/operator/activate", new JsonObject(), "bench-activate", cancellation);
        Location = await CreateAsync("locations", "location", new JsonObject { ["name"] = "House", ["timeZone"] = "Etc/UTC", ["currency"] = Currency });
        Plan = await CreateAsync("plans", "plan", PlanOf("Full time", "100.00", isDefault: false));
        await CreateAsync("plans", "default", PlanOf("Community", "0.00", isDefault: true));
        string rate = await CreateAsync("rates", "rate", new JsonObject { ["name"] = "Rooms", ["hourlyPrice"] = Price("12.00"), ["locationIds"] = new JsonArray() });
        Customer = await CreateAsync("customers", "customer", new JsonObject { ["name"] = "Someone", ["billingEmail"] = "someone@example.test" });
        Member = await CreateAsync(
            "members",
            "member",
            new JsonObject { ["customerId"] = Customer, ["locationId"] = Location, ["email"] = "someone@example.test", ["firstName"] = "Some", ["lastName"] = "One" });
        await AttachAsync(card);
        await client.PostAsync(
            "staff", "/api/v1/memberships/sign-up", new JsonObject { ["planId"] = Plan, ["memberId"] = Member }, "bench-sign-up", cancellation);
        List<string> made = [];
        for (int i = 0; i < rooms; i++)
        {
            made.Add(await CreateAsync(
                "resources",
                $"room-{i}",
                new JsonObject { ["locationId"] = Location, ["name"] = $"Room {i}", ["kind"] = "meetingRoom", ["capacity"] = 4, ["rateId"] = rate }));
        }

        Rooms = made;
    }

    public Task<JsonObject> AttachAsync(string card) => client.PostAsync(
        "staff", $"/api/v1/customers/{Customer}/payment-methods", new JsonObject { ["paymentMethod"] = card }, "bench-" + card, cancellation);

    private JsonObject PlanOf(string name, string price, bool isDefault) => new()
    {
        ["locationId"] = Location,
        ["name"] = name,
        ["kind"] = "recurring",
        ["intervalMonths"] = 1,
        ["price"] = Price(price),
        ["accessGroups"] = new JsonArray(),
        ["isDefault"] = isDefault,
        ["isPublic"] = true,
    };

    private static JsonObject Price(string amount) => new() { ["amount"] = amount, ["currency"] = Currency };

    private async Task<string> CreateAsync(string collection, string key, JsonObject body) =>
        (string)(await client.PostAsync("staff", "/api/v1/" + collection, body, "bench-" + key, cancellation))["id"]!;
}
