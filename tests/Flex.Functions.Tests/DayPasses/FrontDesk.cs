using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.DayPasses;
using Flex.Kernel;
using Flex.Local.Audit;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Testing;
using Flex.Local.Simulators.Salto;
using Flex.Platform.Identity;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.DayPasses;

/// <summary>What came back from a call.</summary>
internal sealed record Told(int Status, JsonObject Body)
{
    public string? Code => (string?)Body["code"];

    public string Id => (string)Body["id"]!;

    public decimal Used => (decimal)Body["used"]!;

    public decimal? Remaining => (decimal?)Body["remaining"];
}

/// <summary>
/// A location in New York, open 09:00 to 18:00 on weekdays, with doors at Salto that free the seats of who has lost all access. It is
/// Wednesday, 8 January 2025, 10:00 there. Calls are staff's unless a test says otherwise.
/// </summary>
internal sealed class FrontDesk : IAsyncDisposable
{
    private readonly HttpClient _staff;
    private string _defaultCustomer = string.Empty;
    private int _made;

    private FrontDesk(FlexWorld world, string timeZone)
    {
        World = world;
        Calendar = new SiteCalendar(timeZone);
        _staff = world.As(Role.Owner);
    }

    public FlexWorld World { get; }

    public SiteCalendar Calendar { get; }

    public string Location { get; private set; } = string.Empty;

    /// <summary>The access group of the doors.</summary>
    public string Group { get; private set; } = string.Empty;

    public LocalDate Today => Calendar.DateOf(World.Now);

    public static async Task<FrontDesk> OpenAsync(string timeZone = "America/New_York", Instant? start = null, HostileDelivery? hostile = null)
    {
        FlexWorld world = await FlexWorld.StartAsync(
            new FlexWorldOptions { Start = start ?? Instant.FromUtc(2025, 1, 8, 15, 0), Hostile = hostile });
        var desk = new FrontDesk(world, timeZone);
        await desk.SetUpAsync();
        return desk;
    }

    public static string Text(LocalDate day) => LocalDatePattern.Iso.Format(day);

    public async Task<string> CustomerAsync(string name = "Acme") =>
        (await PostAsync("/api/v1/customers", new JsonObject { ["name"] = name, ["billingEmail"] = "billing@example.test" })).Id;

    public async Task<string> MemberAsync(string? customer = null) => (await PostAsync("/api/v1/members", new JsonObject
    {
        ["customerId"] = customer ?? _defaultCustomer,
        ["locationId"] = Location,
        ["email"] = $"member{++_made}@example.test",
        ["firstName"] = "Ann",
        ["lastName"] = "Lee",
    })).Id;

    /// <summary>A free public plan that comes with day passes, or for null without.</summary>
    public async Task<string> PlanAsync(PlanKind kind, DayPassTerms? passes, params string[] groups) => (await PostAsync("/api/v1/plans", new JsonObject
    {
        ["locationId"] = Location,
        ["name"] = "Plan",
        ["kind"] = kind == PlanKind.Recurring ? "recurring" : "oneOff",
        ["intervalMonths"] = kind == PlanKind.Recurring ? 1 : 0,
        ["price"] = new JsonObject { ["amount"] = "0.00", ["currency"] = "usd" },
        ["taxRateId"] = null,
        ["accessGroups"] = new JsonArray([.. groups.Select(g => JsonValue.Create(g))]),
        ["isDefault"] = false,
        ["isPublic"] = true,
        ["dayPasses"] = passes is null ? null : new JsonObject { ["passes"] = passes.Passes, ["validDays"] = passes.ValidDays },
    })).Id;

    /// <summary>Gives the member a membership and lets the news of it arrive.</summary>
    public async Task<string> AssignAsync(string member, string plan, LocalDate? renewalOn = null)
    {
        JsonObject body = new() { ["memberId"] = member, ["planId"] = plan };
        if (renewalOn is { } on)
        {
            body["renewalOn"] = Text(on);
        }

        Told told = await PostAsync("/api/v1/memberships", body);
        await World.RunUntilIdleAsync();
        return told.Id;
    }

    public async Task<Told> IssueAsync(
        string member, int passes = 1, LocalDate? from = null, LocalDate? to = null, bool shared = false, string[]? groups = null)
    {
        Told told = await PostAsync($"/api/v1/members/{member}/day-passes", new JsonObject
        {
            ["locationId"] = Location,
            ["passes"] = passes,
            ["validFrom"] = from is { } first ? Text(first) : null,
            ["validTo"] = to is { } last ? Text(last) : null,
            ["shared"] = shared,
            ["accessGroups"] = new JsonArray([.. (groups ?? []).Select(g => JsonValue.Create(g))]),
        });
        Assert.True(told.Status == 201, told.Body.ToJsonString());
        return told;
    }

    public Task<Told> CheckInAsync(string member, bool halfDay = false, string? key = null) =>
        PostAsync("/api/v1/check-ins", new JsonObject { ["locationId"] = Location, ["memberId"] = member, ["halfDay"] = halfDay }, key);

    public Task<Told> CheckOutAsync(string checkIn) => PostAsync($"/api/v1/check-ins/{checkIn}/check-out", null);

    /// <summary>The member's passes, in the list's order.</summary>
    public async Task<List<Told>> PassesAsync(string member) =>
        [.. (await GetAsync($"/api/v1/members/{member}/day-passes")).Body["results"]!.AsArray().Select(p => new Told(200, p!.AsObject()))];

    public async Task<Told> PassAsync(string member) => Assert.Single(await PassesAsync(member));

    public async Task UseHalfDaysAsync()
    {
        JsonObject settings = (await GetAsync("/api/v1/settings/operator")).Body;
        await EditAsync(settings, new() { ["halfDayPasses"] = true });
    }

    public async Task<SaltoUserFacts?> SaltoUserAsync(string member)
    {
        string email = (string)(await GetAsync($"/api/v1/members/{member}")).Body["email"]!;
        return World.Salto.Inspection.Users().SingleOrDefault(u => u.Email == email);
    }

    public Task AdvanceToAsync(LocalDate day, int minuteOfDay = 0) => World.AdvanceToAsync(Calendar.At(day, minuteOfDay));

    public Task<Told> GetAsync(string path) => SendAsync(_staff, HttpMethod.Get, path, null);

    public Task<Told> PostAsync(string path, JsonObject? body, string? key = null) => SendAsync(_staff, HttpMethod.Post, path, body, key);

    public Task<Told> DeleteAsync(string path) => SendAsync(_staff, HttpMethod.Delete, path, null);

    public static async Task<Told> SendAsync(HttpClient client, HttpMethod method, string path, JsonObject? body, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using HttpResponseMessage answer = await client.SendAsync(request);
        return new Told((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject());
    }

    /// <summary>The store of the running process; another one after a crash.</summary>
    public DayPassStore Store => World.Get<DayPassStore>();

    public async Task AssertSoundAsync(bool atRest = true)
    {
        AuditReport report = await HostAudit.RunAsync(World.Services, atRest, TestContext.Current.CancellationToken);
        Assert.Empty(report.Findings);
        Assert.Empty(World.Log.Errors);
    }

    public ValueTask DisposeAsync()
    {
        _staff.Dispose();
        return World.DisposeAsync();
    }

    private async Task SetUpAsync()
    {
        SaltoSeeded salto = World.Salto.Control.Seed(new SaltoSiteSeed("House", 20, ["doors"], []));
        Group = salto.Groups["doors"];
        await PostAsync("/api/v1/settings/operator/activate", []);
        JsonObject settings = (await GetAsync("/api/v1/settings/operator")).Body;
        await EditAsync(settings, new()
        {
            ["salto"] = new JsonObject { ["unsubscribeWhenAllRevoked"] = true, ["siteId"] = salto.SiteId, ["groups"] = new JsonArray(Group) },
        });
        Location = (await PostAsync("/api/v1/locations", new() { ["name"] = "Here", ["timeZone"] = Calendar.Zone.Id, ["currency"] = "usd" })).Id;
        _defaultCustomer = await CustomerAsync("House");
    }

    private async Task EditAsync(JsonObject settings, JsonObject changes)
    {
        using var edit = new HttpRequestMessage(HttpMethod.Put, "/api/v1/settings/operator");
        edit.Headers.TryAddWithoutValidation("If-Match", $"\"{(long)settings["version"]!}\"");
        settings.Remove("version");
        settings.Remove("accountStatus");
        foreach ((string name, JsonNode? value) in changes)
        {
            settings[name] = value?.DeepClone();
        }

        edit.Content = JsonContent.Create(settings);
        using HttpResponseMessage answer = await _staff.SendAsync(edit);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
