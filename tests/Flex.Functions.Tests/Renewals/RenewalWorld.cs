using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Audit;
using Flex.Local.Runtime.Testing;
using Flex.Memberships;
using Flex.Payments;
using Flex.Platform.Identity;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>A world with one location, a plan with doors, a default plan and one member.</summary>
internal sealed class RenewalWorld : IAsyncDisposable
{
    private readonly HttpClient _staff;

    private RenewalWorld(FlexWorld world)
    {
        World = world;
        _staff = world.As(Role.Owner);
    }

    public FlexWorld World { get; }

    public SiteCalendar Calendar { get; } = new("America/New_York");

    public string LocationId { get; private set; } = string.Empty;

    public string PlanId { get; private set; } = string.Empty;

    public string CustomerId { get; private set; } = string.Empty;

    public string MemberId { get; private set; } = string.Empty;

    public static async Task<RenewalWorld> StartAsync(FlexWorldOptions? options = null)
    {
        var world = new RenewalWorld(await FlexWorld.StartAsync(options ?? new FlexWorldOptions { Start = Instant.FromUtc(2025, 1, 1, 15, 0) }));
        await world.SetUpAsync();
        return world;
    }

    /// <summary>Another customer with one member, whom the calls that follow are about.</summary>
    public async Task AddMemberAsync(string name)
    {
        CustomerId = await CreateAsync("customers", new JsonObject { ["name"] = name, ["billingEmail"] = "billing@example.test" });
        MemberId = await CreateAsync(
            "members",
            new JsonObject
            {
                ["customerId"] = CustomerId,
                ["locationId"] = LocationId,
                ["email"] = $"{name.Replace(' ', '.')}@example.test",
                ["firstName"] = "First",
                ["lastName"] = "Last",
            });
    }

    public async Task<string> SignUpAsync(string card)
    {
        await AttachAsync(card);
        using HttpResponseMessage answer = await PostAsync("/api/v1/memberships/sign-up", new JsonObject { ["planId"] = PlanId, ["memberId"] = MemberId }, "sign-up-" + MemberId);
        JsonObject membership = await ReadAsync(answer);
        await World.AdvanceAsync(Duration.FromMinutes(10));
        return (string)membership["id"]!;
    }

    public async Task AttachAsync(string card) => await ReadAsync(await PostAsync(
        $"/api/v1/customers/{CustomerId}/payment-methods", new JsonObject { ["paymentMethod"] = card }, null));

    public async Task CancelAsync(string membershipId, LocalDate on, string requestId = "cancel")
    {
        JsonObject current = await MembershipAsync(membershipId);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/memberships/{membershipId}/cancel")
        {
            Content = JsonContent.Create(new JsonObject { ["on"] = LocalDatePattern.Iso.Format(on) }),
        };
        request.Headers.TryAddWithoutValidation("If-Match", $"\"{(long)current["version"]!}\"");
        request.Headers.Add("x-request-id", requestId);
        await ReadAsync(await _staff.SendAsync(request));
    }

    /// <summary>Up to the start of a local day, so that everything of the day before has happened.</summary>
    public Task AdvanceToLocalAsync(LocalDate day) => World.AdvanceToAsync(Calendar.StartOfDay(day));

    public Task<JsonObject> MembershipAsync(string id) => GetAsync($"/api/v1/memberships/{id}");

    public async Task<List<JsonObject>> InvoicesAsync(string kind) =>
        [.. (await GetAsync($"/api/v1/invoices?customerId={CustomerId}&limit=100"))["results"]!.AsArray()
            .Select(i => i!.AsObject()).Where(i => (string?)i["kind"] == kind)];

    public async Task<JsonObject> GetAsync(string path) => await ReadAsync(await _staff.GetAsync(path));

    public async Task<HttpResponseMessage> PostAsync(string path, JsonObject body, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await _staff.SendAsync(request);
    }

    /// <summary>Memberships straight into the store: only their entries in the due index matter.</summary>
    public async Task AddDueAsync(int count, LocalDate on)
    {
        MembershipStore store = World.Get<MembershipStore>();
        Plan plan = (await World.Get<CatalogueStore>().FindPlanAsync(EntityId.Parse<PlanId>(PlanId), CancellationToken.None))!;
        for (int i = 0; i < count; i++)
        {
            var id = EntityId.Derive<MembershipId>($"due-{i}", EntityId.Home(plan.LocationId));
            Membership membership = Membership.Assign(
                id, EntityId.Parse<MemberId>(MemberId), EntityId.Parse<CustomerId>(CustomerId), plan, World.Now, Calendar.DateOf(World.Now), on);
            (await store.CommitAsync(MembershipStore.Add(MembershipStore.BatchFor(id), membership), CancellationToken.None)).Require();
        }
    }

    /// <summary>The gateway's last word on an invoice's latest attempt, as a webhook or the reconciliation would bring it.</summary>
    public async Task SettleAsync(InvoiceId id, AttemptState state)
    {
        StoredEntry entry = (await World.Get<InvoiceBook>().FindAsync(id, CancellationToken.None))!;
        await World.Get<PaymentRunner>().RecordAsync(entry, entry.Entry.Attempts.Count, new PaymentObservation(state), null, CancellationToken.None);
    }

    public async Task AssertSoundAsync()
    {
        AuditReport report = await HostAudit.RunAsync(World.Services, atRest: true, TestContext.Current.CancellationToken);
        Assert.Empty(report.Findings);
        Assert.Empty(World.Log.Errors);
    }

    public ValueTask DisposeAsync() => World.DisposeAsync();

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage answer)
    {
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {text}");
        return JsonNode.Parse(text)!.AsObject();
    }

    private async Task SetUpAsync()
    {
        using HttpClient anonymous = World.Anonymous();
        JsonObject site = await ReadAsync(await anonymous.PostAsJsonAsync(
            "/local/salto/control/sites",
            new JsonObject { ["name"] = "site", ["seats"] = 10, ["groups"] = new JsonArray("members"), ["users"] = new JsonArray() }));
        string group = (string)site["groups"]!["members"]!;
        await ReadAsync(await PostAsync("/api/v1/settings/operator/activate", [], null));
        JsonObject settings = await GetAsync("/api/v1/settings/operator");
        using var edit = new HttpRequestMessage(HttpMethod.Put, "/api/v1/settings/operator");
        edit.Headers.TryAddWithoutValidation("If-Match", $"\"{(long)settings["version"]!}\"");
        settings.Remove("version");
        settings.Remove("accountStatus");
        settings["salto"] = new JsonObject { ["unsubscribeWhenAllRevoked"] = true, ["siteId"] = (string)site["siteId"]!, ["groups"] = new JsonArray(group) };
        edit.Content = JsonContent.Create(settings);
        await ReadAsync(await _staff.SendAsync(edit));

        LocationId = await CreateAsync("locations", new JsonObject { ["name"] = "Here", ["timeZone"] = "America/New_York", ["currency"] = "usd" });
        PlanId = await CreateAsync("plans", PlanOf("Full time", "100.00", [group], isDefault: false));
        await CreateAsync("plans", PlanOf("Community", "0.00", [], isDefault: true));
        await AddMemberAsync("A customer");
    }

    private JsonObject PlanOf(string name, string price, JsonArray groups, bool isDefault) => new()
    {
        ["locationId"] = LocationId,
        ["name"] = name,
        ["kind"] = "recurring",
        ["intervalMonths"] = 1,
        ["price"] = new JsonObject { ["amount"] = price, ["currency"] = "usd" },
        ["accessGroups"] = groups,
        ["isDefault"] = isDefault,
        ["isPublic"] = true,
    };

    private async Task<string> CreateAsync(string collection, JsonObject body) =>
        (string)(await ReadAsync(await PostAsync("/api/v1/" + collection, body, null)))["id"]!;
}
