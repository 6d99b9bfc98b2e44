using System.Text.Json.Nodes;
using Flex.Local.Demo;

namespace Flex.Benchmarks;

/// <summary>A coworking space made over HTTP, as staff make one: a location in UTC, plans, rooms, and members who may book.</summary>
internal sealed class Space(FlexClient client, CancellationToken cancellation)
{
    public const string Currency = "usd";

    public string Location { get; private set; } = string.Empty;

    public string Plan { get; private set; } = string.Empty;

    public string Rate { get; private set; } = string.Empty;

    public IReadOnlyList<Person> People { get; private set; } = [];

    public IReadOnlyList<string> Rooms { get; private set; } = [];

    /// <param name="size">Rooms, and members with a customer, a card and a paid membership each.</param>
    public async Task OpenAsync(int size)
    {
        await client.PostAsync("owner", "/api/v1/settings/operator/activate", new JsonObject(), "bench-activate", cancellation);
        Location = await AddLocationAsync("House");
        Plan = await CreateAsync("plans", "plan", PlanOf("Full time", "100.00", isDefault: false));
        await CreateAsync("plans", "default", PlanOf("Community", "0.00", isDefault: true));
        Rate = await CreateAsync(
            "rates", "rate", new JsonObject { ["name"] = "Rooms", ["hourlyPrice"] = Price("12.00"), ["locationIds"] = new JsonArray() });
        List<string> made = [];
        List<Person> people = [];
        for (int i = 0; i < size; i++)
        {
            made.Add(await AddRoomAsync(i));
            people.Add(await JoinAsync(i));
        }

        (Rooms, People) = (made, people);
    }

    public Task<string> AddLocationAsync(string name) => CreateAsync(
        "locations", name, new JsonObject { ["name"] = name, ["timeZone"] = "Etc/UTC", ["currency"] = Currency });

    /// <param name="key">A repeat under the same one changes nothing.</param>
    public Task<JsonObject> AttachAsync(Person person, string paymentMethod, string key = "first") => client.PostAsync(
        "staff",
        $"/api/v1/customers/{person.Customer}/payment-methods",
        new JsonObject { ["paymentMethod"] = paymentMethod },
        $"bench-{person.Customer}-{paymentMethod}-{key}",
        cancellation);

    /// <summary>Gives credit beside the plan for a room: as good as endless hours.</summary>
    public Task<JsonObject> GrantAsync(Person person, string room) => client.PostAsync(
        "staff",
        $"/api/v1/members/{person.Member}/credit-grants",
        new JsonObject { ["name"] = "Bench", ["resourceIds"] = new JsonArray(room), ["minutes"] = 525_600, ["from"] = "2025-01-01" },
        $"bench-grant-{person.Member}",
        cancellation);

    public Task<string> AddRoomAsync(int number) => CreateAsync(
        "resources",
        $"room-{number}",
        new JsonObject { ["locationId"] = Location, ["name"] = $"Room {number}", ["kind"] = "meetingRoom", ["capacity"] = 4, ["rateId"] = Rate });

    /// <summary>A member with a customer, a card and a paid membership.</summary>
    public async Task<Person> JoinAsync(int number)
    {
        string email = $"p{number}@example.test";
        string customer = await CreateAsync("customers", $"customer-{number}", new JsonObject { ["name"] = $"Customer {number}", ["billingEmail"] = email });
        string member = await CreateAsync(
            "members",
            $"member-{number}",
            new JsonObject { ["customerId"] = customer, ["locationId"] = Location, ["email"] = email, ["firstName"] = "Some", ["lastName"] = "One" });
        var person = new Person(customer, member);
        await AttachAsync(person, "pm_card_visa");
        await client.PostAsync(
            "staff", "/api/v1/memberships/sign-up", new JsonObject { ["planId"] = Plan, ["memberId"] = member }, "bench-sign-up-" + member, cancellation);
        return person;
    }

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

/// <summary>A member and who pays.</summary>
internal sealed record Person(string Customer, string Member);
