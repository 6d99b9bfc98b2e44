using System.Text.Json.Nodes;
using Flex.Local.Demo;
using Xunit;

namespace Flex.EndToEnd.Tests.Support;

/// <summary>A request of the set-up that carried an Idempotency-Key.</summary>
public sealed record KeyedRequest(string Role, string Path, string Key, JsonObject Body);

/// <summary>
/// A coworking space on a host of its own, shared by the tests of a collection: Ada pays for a plan and has booked, Bob was
/// given the plan, Eve has nothing. It is Wednesday, 1 January 2025, 09:10 in Berlin.
/// </summary>
public sealed class Space : IAsyncLifetime
{
    private readonly TemporaryDirectory _data = new();
    private readonly List<KeyedRequest> _keyed = [];
    private ApiDescription? _description;

    public TestHost Host { get; private set; } = null!;

    public string Data => _data.Path;

    public FlexClient Client => Host.Client;

    public IReadOnlyList<KeyedRequest> Keyed => _keyed;

    public string Location { get; private set; } = string.Empty;

    /// <summary>Prices there are in US dollars, elsewhere in euros.</summary>
    public string Boston { get; private set; } = string.Empty;

    public string Tax { get; private set; } = string.Empty;

    public string Plan { get; private set; } = string.Empty;

    public string HiddenPlan { get; private set; } = string.Empty;

    public string Rate { get; private set; } = string.Empty;

    public string Room { get; private set; } = string.Empty;

    /// <summary>A resource without a rate.</summary>
    public string Cellar { get; private set; } = string.Empty;

    public Resident Ada { get; private set; } = null!;

    public Resident Bob { get; private set; } = null!;

    public Resident Eve { get; private set; } = null!;

    public string AdasMembership { get; private set; } = string.Empty;

    public string AdasBooking { get; private set; } = string.Empty;

    public string AdasInvoice { get; private set; } = string.Empty;

    public async ValueTask InitializeAsync()
    {
        CancellationToken cancel = CancellationToken.None;
        Host = await TestHost.StartAsync(_data.Path, cancel);
        await MakeCatalogueAsync(cancel);
        Ada = await AddAsync("Ada", cancel);
        Bob = await AddAsync("Bob", cancel);
        Eve = await AddAsync("Eve", cancel);
        await PostAsync("staff", $"/api/v1/customers/{Ada.Customer}/payment-methods", new() { ["paymentMethod"] = "pm_card_visa" }, cancel);
        AdasMembership = await PostAsync(Ada.Member, "/api/v1/memberships/sign-up", new() { ["planId"] = Plan }, cancel);
        await PostAsync("staff", "/api/v1/memberships", new() { ["memberId"] = Bob.Member, ["planId"] = Plan }, cancel);
        await Host.AdvanceAsync("PT5M", cancel);
        AdasBooking = await PostAsync(
            Ada.Member, "/api/v1/bookings", new() { ["resourceId"] = Room, ["start"] = "2025-01-06T13:00:00Z", ["end"] = "2025-01-06T14:00:00Z" }, cancel);
        await PostAsync("staff", "/api/v1/bill-runs", new() { ["customerId"] = Bob.Customer }, cancel);
        await Host.AdvanceAsync("PT5M", cancel);
        JsonObject invoices = await Client.GetAsync("staff", $"/api/v1/invoices?customerId={Ada.Customer}", cancel);
        AdasInvoice = (string)invoices["results"]![0]!["id"]!;
    }

    public async Task<ApiDescription> DescriptionAsync(CancellationToken cancel) => _description ??= await ApiDescription.ReadAsync(Host.Http, cancel);

    /// <param name="who">staff, owner, ada, bob, eve, or a member's id.</param>
    public async Task<string> TokenAsync(string who, CancellationToken cancel)
    {
        string? member = who switch
        {
            "staff" or "owner" => null,
            "ada" => Ada.Member,
            "bob" => Bob.Member,
            "eve" => Eve.Member,
            _ => who,
        };
        JsonObject body = member is null ? new() { ["role"] = who } : new() { ["role"] = "member", ["memberId"] = member };
        return (string)(await Client.PostAsync(string.Empty, "/local/token", body, "token", cancel))["token"]!;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _data.Dispose();
    }

    private async Task MakeCatalogueAsync(CancellationToken cancel)
    {
        await PostAsync("owner", "/api/v1/settings/operator/activate", [], cancel);
        Location = await PostAsync("staff", "/api/v1/locations", new() { ["name"] = "Mitte", ["timeZone"] = "Europe/Berlin", ["currency"] = "eur" }, cancel);
        Boston = await PostAsync("staff", "/api/v1/locations", new() { ["name"] = "West", ["timeZone"] = "America/New_York", ["currency"] = "usd" }, cancel);
        JsonArray vat = new(new JsonObject { ["name"] = "VAT", ["percent"] = 19 });
        Tax = await PostAsync("staff", "/api/v1/tax-rates", new() { ["name"] = "VAT", ["components"] = vat }, cancel);
        Plan = await PostAsync("staff", "/api/v1/plans", Bodies.Plan(this, "Full time", isPublic: true), cancel);
        HiddenPlan = await PostAsync("staff", "/api/v1/plans", Bodies.Plan(this, "Friends", isPublic: false), cancel);
        Rate = await PostAsync("staff", "/api/v1/rates", Bodies.Rate(this), cancel);
        Room = await PostAsync("staff", "/api/v1/resources", Bodies.Resource(this, Rate), cancel);
        Cellar = await PostAsync("staff", "/api/v1/resources", Bodies.Resource(this, null), cancel);
    }

    private async Task<Resident> AddAsync(string name, CancellationToken cancel)
    {
        string customer = await PostAsync("staff", "/api/v1/customers", Bodies.Customer(name), cancel);
        return new Resident(customer, await PostAsync("staff", "/api/v1/members", Bodies.Member(customer, Location, name), cancel));
    }

    /// <returns>The id of what was made, if it has one.</returns>
    private async Task<string> PostAsync(string role, string path, JsonObject body, CancellationToken cancel)
    {
        var request = new KeyedRequest(role, path, $"space-{_keyed.Count}", body);
        _keyed.Add(request);
        return (string?)(await Client.PostAsync(role, path, body, request.Key, cancel))["id"] ?? string.Empty;
    }
}

/// <summary>A customer and their one member.</summary>
public sealed record Resident(string Customer, string Member);

/// <summary>Acceptable bodies, for tests to make one thing wrong with.</summary>
internal static class Bodies
{
    public static JsonObject Passes(int quantity = 1) => new() { ["offer"] = "Hour", ["quantity"] = quantity };

    public static JsonObject Credit(string resource, int? minutes = 60) => new()
    {
        ["name"] = "Sorry",
        ["resourceIds"] = new JsonArray(resource),
        ["minutes"] = minutes,
        ["from"] = "2025-01-01",
    };

    public static JsonObject Location(string name = "North") => new() { ["name"] = name, ["timeZone"] = "Europe/Berlin", ["currency"] = "eur" };

    public static JsonObject Plan(Space space, string name = "Part time", bool isPublic = true) => new()
    {
        ["locationId"] = space.Location,
        ["name"] = name,
        ["kind"] = "recurring",
        ["intervalMonths"] = 1,
        ["price"] = Money("200.00"),
        ["taxRateId"] = space.Tax,
        ["accessGroups"] = new JsonArray(),
        ["isDefault"] = false,
        ["isPublic"] = isPublic,
    };

    public static JsonObject Rate(Space space) =>
        new() { ["name"] = "Rooms", ["hourlyPrice"] = Money("12.00"), ["taxRateId"] = space.Tax, ["locationIds"] = new JsonArray(space.Location) };

    public static JsonObject Resource(Space space, string? rate) =>
        new() { ["locationId"] = space.Location, ["name"] = "Aquarium", ["kind"] = "meetingRoom", ["capacity"] = 6, ["rateId"] = rate };

    public static JsonObject Customer(string name) => new() { ["name"] = name + " Ltd", ["billingEmail"] = Mail(name) };

    public static JsonObject Member(string customer, string location, string name) =>
        new() { ["customerId"] = customer, ["locationId"] = location, ["email"] = Mail(name), ["firstName"] = name, ["lastName"] = "Example" };

    public static JsonObject Booking(Space space, string start = "2025-01-06T10:00:00Z", string end = "2025-01-06T11:00:00Z") =>
        new() { ["resourceId"] = space.Room, ["start"] = start, ["end"] = end };

    public static JsonObject Series(Space space) => new()
    {
        ["resourceId"] = space.Room,
        ["localStart"] = "2025-02-03T10:00:00",
        ["localEnd"] = "2025-02-03T11:00:00",
        ["recurrence"] = new JsonObject { ["rrule"] = "FREQ=WEEKLY;COUNT=4" },
    };

    public static JsonObject Visitor(Space space) => Booking(space)
        .With("firstName", "Zoe").With("lastName", "Example").With("email", Mail("Zoe")).With("paymentMethodId", "pm_card_visa");

    public static JsonObject Money(string amount, string currency = "eur") => new() { ["amount"] = amount, ["currency"] = currency };

    /// <summary>The same with one member changed or added.</summary>
    public static JsonObject With(this JsonObject body, string member, JsonNode? value)
    {
        body[member] = value;
        return body;
    }

    public static JsonObject Without(this JsonObject body, string member)
    {
        body.Remove(member);
        return body;
    }

    private static string Mail(string name) => $"{name.ToLowerInvariant()}@example.test";
}

/// <summary>Tests that share one space; they run one after another, so each can tell that nothing has changed.</summary>
[CollectionDefinition(nameof(Space))]
public sealed class SpaceTests : ICollectionFixture<Space>
{
}
