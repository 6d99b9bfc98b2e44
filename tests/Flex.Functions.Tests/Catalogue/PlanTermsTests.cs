using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Catalogue;

/// <summary>What a plan includes: credits, booking passes, day passes.</summary>
public sealed class PlanTermsTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "CRD-1"), Trait("Rule", "CRD-2"), Trait("Rule", "CRD-3"), Trait("Rule", "BPS-1")]
    public async Task Credits_and_passes_are_kept_and_shown()
    {
        JsonObject plan = Plan("""
            {"credits":[{"name":"Rooms","resourceIds":["ROOM"],"minutes":600,"amount":null,"pricePerHour":{"amount":"8.00","currency":"usd"}},
                        {"name":"Anything","resourceIds":["ROOM"],"minutes":null,"amount":{"amount":"50.00","currency":"usd"},"pricePerHour":null}],
             "passOffers":[{"name":"Quarter","hours":0.25,"price":{"amount":"4.00","currency":"usd"},"taxRateId":null,"resourceIds":["ROOM"]}],
             "dayPasses":{"passes":2,"validDays":null}}
            """);

        Answer created = await CreateAsync(plan);

        Assert.True(created.Status == 201, created.Body);
        foreach (string member in (string[])["credits", "passOffers", "dayPasses"])
        {
            Assert.True(JsonNode.DeepEquals(plan[member], created.Json[member]), created.Json[member]!.ToJsonString());
        }

        Plan stored = (await _spaces.Get<CatalogueStore>().FindPlanAsync(Id(created), Spaces.Cancellation))!;
        Assert.Equal(15, Assert.Single(stored.PassOffers).Minutes);
        Assert.Equal((600, null), (stored.Credits[0].Minutes, stored.Credits[0].Amount));
        Assert.Equal(5000, stored.Credits[1].Amount!.Value.Minor);
        Assert.Equal(2, stored.DayPasses!.Passes);
    }

    [Theory, Trait("Rule", "CRD-1")]
    [InlineData("""{"minutes":0}""", "minutes")]
    [InlineData("""{"minutes":-5}""", "minutes")]
    [InlineData("""{"minutes":null}""", "minutes")]
    [InlineData("""{"amount":{"amount":"1.00","currency":"usd"}}""", "minutes")]
    [InlineData("""{"minutes":null,"amount":{"amount":"0.00","currency":"usd"}}""", "amount")]
    [InlineData("""{"minutes":null,"amount":{"amount":"1.00","currency":"usd"},"pricePerHour":{"amount":"1.00","currency":"usd"}}""", "pricePerHour")]
    [InlineData("""{"pricePerHour":{"amount":"-1.00","currency":"usd"}}""", "pricePerHour")]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"name":"123456789 123456789 123456789 123456789 123456789 1"}""", "name")]
    [InlineData("""{"resourceIds":[]}""", "resourceIds")]
    [InlineData("""{"resourceIds":["ROOM","ROOM"]}""", "resourceIds")]
    [InlineData("""{"resourceIds":["NONE"]}""", "resourceIds/0", ErrorCodes.UnknownReference)]
    [InlineData("""{"resourceIds":["ROOM","EURO"]}""", "resourceIds/1", ErrorCodes.CurrencyMismatch)]
    [InlineData("""{"pricePerHour":{"amount":"1.00","currency":"eur"}}""", "pricePerHour/currency", ErrorCodes.CurrencyMismatch)]
    [InlineData("""{"minutes":null,"amount":{"amount":"1.00","currency":"eur"}}""", "amount/currency", ErrorCodes.CurrencyMismatch)]
    public async Task A_credit_is_either_minutes_or_an_amount_for_some_resources(string change, string member, string code = ErrorCodes.InvalidValue) =>
        await RefusedAsync("credits", """{"name":"Rooms","resourceIds":["ROOM"],"minutes":600}""", change, member, code);

    [Theory, Trait("Rule", "BPS-1")]
    [InlineData("""{"hours":0}""", "hours")]
    [InlineData("""{"hours":-0.25}""", "hours")]
    [InlineData("""{"hours":0.1}""", "hours")]
    [InlineData("""{"hours":0.3333}""", "hours")]
    [InlineData("""{"hours":10000.25}""", "hours")]
    [InlineData("""{"hours":70000000000000000000000000000}""", "hours")]
    [InlineData("""{"price":{"amount":"-1.00","currency":"usd"}}""", "price")]
    [InlineData("""{"price":{"amount":"1.00","currency":"eur"}}""", "price/currency", ErrorCodes.CurrencyMismatch)]
    [InlineData("""{"taxRateId":"TAX"}""", "taxRateId", ErrorCodes.UnknownReference)]
    [InlineData("""{"resourceIds":[]}""", "resourceIds")]
    [InlineData("""{"resourceIds":["NONE"]}""", "resourceIds/0", ErrorCodes.UnknownReference)]
    [InlineData("""{"name":" x"}""", "name")]
    public async Task A_pass_holds_a_positive_multiple_of_five_minutes(string change, string member, string code = ErrorCodes.InvalidValue) =>
        await RefusedAsync("passOffers", """{"name":"One","hours":1.5,"price":{"amount":"9.00","currency":"usd"},"resourceIds":["ROOM"]}""", change, member, code);

    [Fact]
    public async Task Names_are_unique_within_the_plan()
    {
        const string Credit = """{"name":"A","resourceIds":["ROOM"],"minutes":60}""";
        const string Pass = """{"name":"A","hours":1,"price":{"amount":"9.00","currency":"usd"},"resourceIds":["ROOM"]}""";

        Answer credits = await CreateAsync(Plan($$"""{"credits":[{{Credit}},{{Credit}}]}"""));
        Answer passes = await CreateAsync(Plan($$"""{"passOffers":[{{Pass}},{{Pass}}]}"""));
        Answer both = await CreateAsync(Plan($$"""{"credits":[{{Credit}}],"passOffers":[{{Pass}}]}"""));

        Assert.Equal((422, "/credits"), (credits.Status, credits.Pointer));
        Assert.Equal((422, "/passOffers"), (passes.Status, passes.Pointer));
        Assert.Equal(201, both.Status);
    }

    [Theory]
    [InlineData("recurring", 1, null, null)]
    [InlineData("recurring", 100, null, null)]
    [InlineData("oneOff", 10, 30, null)]
    [InlineData("oneOff", 10, 3660, null)]
    [InlineData("oneOff", 0, 30, "/dayPasses/passes")]
    [InlineData("oneOff", 101, 30, "/dayPasses/passes")]
    [InlineData("oneOff", 10, 0, "/dayPasses/validDays")]
    [InlineData("oneOff", 10, 3661, "/dayPasses/validDays")]
    [InlineData("recurring", 10, 30, "/dayPasses/validDays")]
    public async Task Day_passes_are_bounded_and_only_those_of_one_off_plans_run_out(string kind, int passes, int? days, string? pointer)
    {
        JsonObject plan = Plan("{}");
        plan["kind"] = kind;
        plan["intervalMonths"] = kind == "recurring" ? 1 : 0;
        plan["dayPasses"] = new JsonObject { ["passes"] = passes, ["validDays"] = days };

        Answer answer = await CreateAsync(plan);

        Assert.Equal(pointer is null ? 201 : 422, answer.Status);
        Assert.Equal(pointer, pointer is null ? null : answer.Pointer);
    }

    [Fact]
    public async Task The_largest_plan_can_be_stored()
    {
        string[] rooms = new string[100];
        for (int i = 0; i < rooms.Length; i++)
        {
            rooms[i] = (await _spaces.AddRoomAsync($"Room {i}")).Value;
        }

        JsonObject plan = Plan("{}");
        plan["credits"] = new JsonArray([.. Enumerable.Range(0, 20).Select(i => (JsonNode)new JsonObject
        {
            ["name"] = $"Credit {i}",
            ["resourceIds"] = new JsonArray([.. rooms.Select(r => (JsonNode)r)]),
            ["minutes"] = 60,
        })]);
        plan["passOffers"] = new JsonArray([.. Enumerable.Range(0, 20).Select(i => (JsonNode)new JsonObject
        {
            ["name"] = $"Pass {i}",
            ["hours"] = 1,
            ["price"] = new JsonObject { ["amount"] = "1.00", ["currency"] = "usd" },
            ["resourceIds"] = new JsonArray([.. rooms.Select(r => (JsonNode)r)]),
        })]);

        Assert.Equal(201, (await CreateAsync(plan)).Status);
    }

    [Fact, Trait("Rule", "CAT-13")]
    public async Task An_edit_leaves_the_terms_of_earlier_versions_and_they_are_read_once()
    {
        PlanId id = Id(await CreateAsync(Plan("""{"credits":[{"name":"Rooms","resourceIds":["ROOM"],"minutes":600}]}""")));
        await _spaces.SendAsync("Plans_Edit", Plan("{}").ToJsonString(), id: id.Value, headers: ("If-Match", "*"));
        CatalogueStore store = _spaces.Get<CatalogueStore>();
        await store.FindPlanAsync(id, Spaces.Cancellation);

        using StorageCallScope calls = StorageCalls.Measure();
        Assert.Equal(600, Assert.Single((await store.FindPlanVersionAsync(id, 1, Spaces.Cancellation))!.Credits).Minutes);
        Assert.Equal(1, calls.Count);
        Assert.NotNull(await store.FindPlanVersionAsync(id, 1, Spaces.Cancellation));
        Assert.Empty((await store.FindPlanVersionAsync(id, 2, Spaces.Cancellation))!.Credits);
        Assert.Equal(1, calls.Count);
        Assert.Null(await store.FindPlanVersionAsync(id, 3, Spaces.Cancellation));
        Assert.Equal(2, calls.Count);
    }

    private static PlanId Id(Answer answer) => EntityId.Parse<PlanId>((string)answer.Json["id"]!);

    /// <summary>One term with members changed must be refused at that member.</summary>
    private async Task RefusedAsync(string list, string term, string change, string member, string code)
    {
        JsonObject changed = JsonNode.Parse(term)!.AsObject();
        JsonObject fine = Plan("{}");
        fine[list] = new JsonArray(JsonNode.Parse(Filled(term)));
        foreach ((string name, JsonNode? value) in JsonNode.Parse(change)!.AsObject())
        {
            changed[name] = value?.DeepClone();
        }

        if (change.Contains("EURO", StringComparison.Ordinal))
        {
            LocationId berlin = await _spaces.AddAsync<LocationId>("Locations_Create", new { name = "Berlin", timeZone = "Europe/Berlin", currency = "eur" });
            ResourceId euro = await _spaces.AddAsync<ResourceId>(
                "Resources_Create", new { locationId = berlin.Value, name = "Raum", kind = "meetingRoom", capacity = 1, rateId = (string?)null });
            changed = JsonNode.Parse(changed.ToJsonString().Replace("EURO", euro.Value, StringComparison.Ordinal))!.AsObject();
        }

        JsonObject plan = Plan("{}");
        plan[list] = new JsonArray(JsonNode.Parse(Filled(changed.ToJsonString())));
        Answer answer = await CreateAsync(plan);

        Assert.Equal((422, code, $"/{list}/0/{member}"), (answer.Status, answer.Code, answer.Pointer));
        Assert.Equal(201, (await CreateAsync(fine)).Status);
    }

    private string Filled(string json) => json
        .Replace("ROOM", _spaces.Room.Value, StringComparison.Ordinal)
        .Replace("NONE", EntityId.Derive<ResourceId>("none").Value, StringComparison.Ordinal)
        .Replace("TAX", EntityId.Derive<TaxRateId>("none").Value, StringComparison.Ordinal);

    private JsonObject Plan(string terms)
    {
        JsonObject plan = JsonNode.Parse(Filled(terms))!.AsObject();
        plan["locationId"] = _spaces.Location.Value;
        plan["name"] = "Plan";
        plan["kind"] = "recurring";
        plan["intervalMonths"] = 1;
        plan["price"] = new JsonObject { ["amount"] = "10.00", ["currency"] = "usd" };
        plan["accessGroups"] = new JsonArray();
        plan["isDefault"] = false;
        plan["isPublic"] = true;
        return plan;
    }

    private Task<Answer> CreateAsync(JsonObject body) => _spaces.SendAsync("Plans_Create", body.ToJsonString());
}
