using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Kernel;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Storage;
using Flex.Local.Runtime.Testing;
using Flex.Local.Simulators.Salto;
using Flex.Platform.Identity;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Functions.Tests.Simulation;

internal sealed record SimulatedMember(string Name, string Email, string CustomerId, string MemberId)
{
    public List<string> Memberships { get; } = [];
}

/// <summary>One operator's world: Flex, its surroundings, and people who use it over HTTP as a patient client does.</summary>
internal sealed class SimulatedOperator : IAsyncDisposable
{
    private const int Patience = 6;

    private readonly Dictionary<string, HttpClient> _clients = new(StringComparer.Ordinal);
    private readonly Dice _dice;

    private SimulatedOperator(FlexWorld world, int seed)
    {
        World = world;
        Seed = seed;
        _dice = new Dice(seed, "people");
        Disturbances = new Disturbances(world, seed);
    }

    public int Seed { get; }

    public FlexWorld World { get; }

    public Disturbances Disturbances { get; }

    public string TimeZone { get; set; } = string.Empty;

    public SiteCalendar Calendar => new(TimeZone);

    public string Location { get; private set; } = string.Empty;

    public string Plan { get; private set; } = string.Empty;

    public string Room { get; private set; } = string.Empty;

    public List<SimulatedMember> Members { get; } = [];

    /// <summary>What happened, a line per step, for whoever replays a failed seed.</summary>
    public List<string> Log { get; } = [];

    public int Crashes { get; private set; }

    public static async Task<SimulatedOperator> OpenAsync(int seed, Action<IServiceCollection>? services = null)
    {
        var dice = new Dice(seed, "opening");
        SimulatedOperator opened = await StartAsync(
            seed, Instant.FromUtc(2025, 1, 1, 0, 0) + Duration.FromMinutes(5 * dice.Between(0, 12 * 24 * 360)), dice, tables: null, services);
        await opened.SetUpAsync(dice);
        return opened;
    }

    /// <summary>A world in which nothing has been set up but what is in the tables.</summary>
    /// <param name="tables">What an earlier world has left; null: nothing.</param>
    public static async Task<SimulatedOperator> StartAsync(
        int seed, Instant start, Dice dice, MemoryTableStore? tables, Action<IServiceCollection>? services)
    {
        FlexWorld world = await FlexWorld.StartAsync(new FlexWorldOptions
        {
            Seed = seed,
            Start = start,
            Tables = tables,
            Hostile = new HostileDelivery(seed, Duplicates: 0.1, Delays: 0.15, Duration.FromMinutes(dice.Pick(1, 20, 120))),
            ShuffleTies = dice.Roll(0.7),
            Services = services ?? (_ => { }),
        });
        return new SimulatedOperator(world, seed);
    }

    public async Task AdvanceAsync(Duration by)
    {
        Instant target = World.Now + by;
        while (true)
        {
            try
            {
                await World.AdvanceToAsync(target);
                return;
            }
            catch (Exception) when (World.Crash.IsTripped)
            {
                await RestartAsync();
            }
        }
    }

    public async Task RestartAsync()
    {
        Crashes++;
        bool disturbed = Disturbances.IsOn;
        Disturbances.IsOn = false;
        await World.CrashAsync();
        Disturbances.IsOn = disturbed;
    }

    /// <summary>
    /// Sends a request as a patient client does: again under the same key while Flex is away or busy. Null when it gave up, which is when
    /// the client does not know whether anything has happened.
    /// </summary>
    public async Task<(HttpStatusCode Status, JsonObject Answer)?> SendAsync(
        string who, HttpMethod method, string path, JsonObject? body = null, string? key = null, long? version = null)
    {
        for (int tries = 0; tries < Patience; tries++)
        {
            try
            {
                using HttpRequestMessage request = Request(method, path, body, key, version);
                using HttpResponseMessage response = await ClientOf(who).SendAsync(request);
                string text = await response.Content.ReadAsStringAsync();
                if (response.StatusCode == HttpStatusCode.InternalServerError)
                {
                    throw new SimulationFailureException($"{method} {path} answered 500: {text}");
                }

                if (response.StatusCode != HttpStatusCode.ServiceUnavailable)
                {
                    return (response.StatusCode, JsonNode.Parse(text.Length == 0 ? "{}" : text)!.AsObject());
                }
            }
            catch (Exception) when (World.Crash.IsTripped)
            {
                await RestartAsync();
            }

            if (_dice.Roll(0.15))
            {
                return null;
            }

            if (_dice.Roll(0.3))
            {
                await AdvanceAsync(Duration.FromSeconds(_dice.Between(1, 900)));
            }
        }

        return null;
    }

    /// <summary>One try, for requests in the middle of something else: time cannot pass there, and a death is the whole process's.</summary>
    public async Task TryAsync(string who, HttpMethod method, string path, JsonObject? body = null, string? key = null, long? version = null)
    {
        using HttpRequestMessage request = Request(method, path, body, key, version);
        using HttpResponseMessage response = await ClientOf(who).SendAsync(request);
        if (response.StatusCode == HttpStatusCode.InternalServerError)
        {
            throw new SimulationFailureException($"{method} {path} answered 500: {await response.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>A request of the undisturbed world, which succeeds.</summary>
    public async Task<JsonObject> OkAsync(string who, HttpMethod method, string path, JsonObject? body = null, string? key = null, long? version = null)
    {
        (HttpStatusCode Status, JsonObject Answer)? outcome = await SendAsync(who, method, path, body, key, version);
        return outcome is { } answered && (int)answered.Status is >= 200 and < 300
            ? answered.Answer
            : throw new SimulationFailureException($"{method} {path} answered {outcome?.Status}: {outcome?.Answer.ToJsonString()}");
    }

    /// <summary>Staff make something of the set-up; its name is its key.</summary>
    public async Task<string> CreateAsync(string collection, JsonObject body)
    {
        string key = $"{collection}-{body["name"] ?? body["email"]}".Replace(' ', '-');
        return (string)(await OkAsync("staff", HttpMethod.Post, "/api/v1/" + collection, body, key))["id"]!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HttpClient client in _clients.Values)
        {
            client.Dispose();
        }

        await World.DisposeAsync();
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, JsonObject? body, string? key, long? version)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        if (version is { } known)
        {
            request.Headers.TryAddWithoutValidation("If-Match", $"\"{known}\"");
        }

        return request;
    }

    private async Task SetUpAsync(Dice dice)
    {
        TimeZone = dice.Pick("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu");
        string currency = dice.Pick("eur", "usd", "gbp");
        SaltoSeeded salto = World.Salto.Control.Seed(new SaltoSiteSeed("House", 20, ["members"], []));
        string group = salto.Groups["members"];
        await OkAsync("owner", HttpMethod.Post, "/api/v1/settings/operator/activate", [], "activate");
        JsonObject settings = await OkAsync("staff", HttpMethod.Get, "/api/v1/settings/operator");
        long version = (long)settings["version"]!;
        settings.Remove("version");
        settings.Remove("accountStatus");
        settings["name"] = "House";
        settings["automaticCollection"] = true;
        settings["salto"] = new JsonObject { ["unsubscribeWhenAllRevoked"] = true, ["siteId"] = salto.SiteId, ["groups"] = new JsonArray(group) };
        await OkAsync("staff", HttpMethod.Put, "/api/v1/settings/operator", settings, null, version);
        Location = await CreateAsync("locations", new JsonObject { ["name"] = "House", ["timeZone"] = TimeZone, ["currency"] = currency });
        string tax = await CreateAsync(
            "tax-rates", new JsonObject { ["name"] = "VAT", ["components"] = new JsonArray(new JsonObject { ["name"] = "VAT", ["percent"] = 19 }) });
        Plan = await CreateAsync("plans", PlanOf("Full time", "200.00", currency, isDefault: false, tax, group));
        await CreateAsync("plans", PlanOf("Community", "0.00", currency, isDefault: true, null, null));
        string rate = await CreateAsync("rates", new JsonObject
        {
            ["name"] = "Rooms",
            ["hourlyPrice"] = new JsonObject { ["amount"] = "12.00", ["currency"] = currency },
            ["taxRateId"] = tax,
            ["locationIds"] = new JsonArray(),
        });
        Room = await CreateAsync("resources", new JsonObject
        {
            ["locationId"] = Location,
            ["name"] = "Aquarium",
            ["kind"] = "meetingRoom",
            ["capacity"] = 6,
            ["rateId"] = rate,
        });
        foreach (string name in new[] { "Ada", "Bob", "Carol", "Dan" }.Take(dice.Between(2, 4)))
        {
            await AddMemberAsync(name);
        }
    }

    private async Task AddMemberAsync(string name)
    {
        string email = name.ToLowerInvariant() + "@example.test";
        string customer = await CreateAsync("customers", new JsonObject { ["name"] = name + " Ltd", ["billingEmail"] = email });
        string member = await CreateAsync("members", new JsonObject
        {
            ["customerId"] = customer,
            ["locationId"] = Location,
            ["email"] = email,
            ["firstName"] = name,
            ["lastName"] = "Example",
        });
        Members.Add(new SimulatedMember(name, email, customer, member));
    }

    private JsonObject PlanOf(string name, string price, string currency, bool isDefault, string? tax, string? group) => new()
    {
        ["locationId"] = Location,
        ["name"] = name,
        ["kind"] = "recurring",
        ["intervalMonths"] = 1,
        ["price"] = new JsonObject { ["amount"] = price, ["currency"] = currency },
        ["taxRateId"] = tax,
        ["accessGroups"] = group is null ? [] : new JsonArray(group),
        ["isDefault"] = isDefault,
        ["isPublic"] = true,
    };

    private HttpClient ClientOf(string who)
    {
        if (!_clients.TryGetValue(who, out HttpClient? client))
        {
            _clients[who] = client = who switch
            {
                "staff" => World.As(Role.Staff),
                "owner" => World.As(Role.Owner),
                _ => World.AsMember(who),
            };
        }

        return client;
    }
}
