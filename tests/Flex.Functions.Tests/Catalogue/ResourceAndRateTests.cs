using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Catalogue;

public sealed class ResourceAndRateTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_resource_is_read_listed_by_location_and_edited()
    {
        Answer edited = await _spaces.SendAsync(
            "Resources_Edit", Resource("Green room", _spaces.Rate), id: _spaces.Room.Value, headers: ("If-Match", "\"1\""));
        Answer list = await _spaces.SendAsync("Resources_List", query: $"?location={_spaces.Location}", caller: Spaces.As(_spaces.Member));
        Answer none = await _spaces.SendAsync("Resources_List", query: $"?location={EntityId.Derive<LocationId>("none")}");

        Assert.Equal((200, "\"2\""), (edited.Status, edited.Headers.ETag.ToString()));
        Assert.Equal("Green room", (string?)Assert.Single(list.Json["results"]!.AsArray())!["name"]);
        Assert.Empty(none.Json["results"]!.AsArray());
    }

    [Fact, Trait("Rule", "CAT-9")]
    public async Task A_resource_takes_only_rates_that_exist_and_apply_there()
    {
        LocationId berlin = await BerlinAsync();
        RateId euros = await RateAsync("10.00", "eur");
        RateId newYork = await RateAsync("10.00", "usd", _spaces.Location);
        LocationId second = await _spaces.AddAsync<LocationId>("Locations_Create", new { name = "Two", timeZone = "America/New_York", currency = "usd" });

        Answer unknown = await CreateAsync(Resource("A", EntityId.Derive<RateId>("none")));
        Answer currency = await CreateAsync(Resource("A", euros));
        Answer elsewhere = await CreateAsync(Resource("A", newYork, second));
        Answer nowhere = await CreateAsync(Resource("A", null, EntityId.Derive<LocationId>("none")));
        Answer fine = await CreateAsync(Resource("A", euros, berlin));

        Assert.Equal((422, ErrorCodes.UnknownReference, "/rateId"), (unknown.Status, unknown.Code, unknown.Pointer));
        Assert.Equal((422, ErrorCodes.CurrencyMismatch, "/rateId"), (currency.Status, currency.Code, currency.Pointer));
        Assert.Equal((422, ErrorCodes.InvalidValue, "/rateId"), (elsewhere.Status, elsewhere.Code, elsewhere.Pointer));
        Assert.Equal((422, ErrorCodes.UnknownReference, "/locationId"), (nowhere.Status, nowhere.Code, nowhere.Pointer));
        Assert.Equal(201, fine.Status);
    }

    [Fact, Trait("Rule", "CAT-6")]
    public async Task A_rate_that_no_longer_applies_stops_bookings()
    {
        LocationId second = await _spaces.AddAsync<LocationId>("Locations_Create", new { name = "Two", timeZone = "America/New_York", currency = "usd" });
        await _spaces.SendAsync("Rates_Edit", Rate("12.00", "usd", second), id: _spaces.Rate.Value, headers: ("If-Match", "\"1\""));

        Answer answer = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z");

        Assert.Equal((409, ErrorCodes.ResourceRateRequired), (answer.Status, answer.Code));
    }

    [Fact, Trait("Rule", "CAT-9")]
    public async Task The_location_filter_gives_its_own_and_global_rates_and_exact_its_own_only()
    {
        LocationId berlin = await BerlinAsync();
        RateId own = await RateAsync("1.00", "usd", _spaces.Location);
        await RateAsync("1.00", "eur", berlin);
        await RateAsync("1.00", "eur");

        Answer applicable = await _spaces.SendAsync("Rates_List", query: $"?location={_spaces.Location}");
        Answer exact = await _spaces.SendAsync("Rates_List", query: $"?location={_spaces.Location}&scope=exact");
        Answer unknown = await _spaces.SendAsync("Rates_List", query: $"?location={EntityId.Derive<LocationId>("none")}");
        Answer badScope = await _spaces.SendAsync("Rates_List", query: "?scope=everything");

        Assert.Equal(new[] { _spaces.Rate.Value, own.Value }.Order(), Ids(applicable));
        Assert.Equal([own.Value], Ids(exact));
        Assert.Empty(Ids(unknown));
        Assert.Equal(400, badScope.Status);
        Assert.Equal(4, Ids(await _spaces.SendAsync("Rates_List")).Length);
    }

    [Fact]
    public async Task A_rates_locations_must_exist_and_share_its_currency_which_stays()
    {
        LocationId berlin = await BerlinAsync();

        Answer unknown = await _spaces.SendAsync("Rates_Create", Rate("1.00", "usd", _spaces.Location, EntityId.Derive<LocationId>("none")));
        Answer currency = await _spaces.SendAsync("Rates_Create", Rate("1.00", "usd", berlin));
        Answer changed = await _spaces.SendAsync("Rates_Edit", Rate("1.00", "eur"), id: _spaces.Rate.Value, headers: ("If-Match", "\"1\""));
        Answer negative = await _spaces.SendAsync("Rates_Create", Rate("-1.00", "usd"));
        Answer stale = await _spaces.SendAsync("Rates_Edit", Rate("1.00", "usd"), id: _spaces.Rate.Value, headers: ("If-Match", "\"9\""));

        Assert.Equal((422, ErrorCodes.UnknownReference, "/locationIds/1"), (unknown.Status, unknown.Code, unknown.Pointer));
        Assert.Equal((422, ErrorCodes.CurrencyMismatch, "/locationIds/0"), (currency.Status, currency.Code, currency.Pointer));
        Assert.Equal((422, ErrorCodes.CurrencyMismatch), (changed.Status, changed.Code));
        Assert.Equal((422, "/hourlyPrice"), (negative.Status, negative.Pointer));
        Assert.Equal((412, ErrorCodes.Stale), (stale.Status, stale.Code));
    }

    [Fact, Trait("Rule", "CAT-6"), Trait("Rule", "CAT-8")]
    public async Task A_rate_has_any_of_eight_prices()
    {
        JsonObject body = RateOf("hourlyPrice", "dailyPrice", "halfDayPrice", "weekPrice", "monthPrice", "weekendHourlyPrice", "weekendDailyPrice", "outsideHoursHourlyPrice");

        Answer created = await _spaces.SendAsync("Rates_Create", body.ToJsonString());

        Assert.True(created.Status == 201, created.Body);
        Assert.All(body.Where(m => m.Key.EndsWith("Price", StringComparison.Ordinal)), m => Assert.True(JsonNode.DeepEquals(m.Value, created.Json[m.Key]), m.Key));
        Rate stored = (await _spaces.Get<CatalogueStore>().FindRateAsync(EntityId.Parse<RateId>((string)created.Json["id"]!), Spaces.Cancellation))!;
        Assert.Equal([101, 102, 103, 104, 105, 106, 107, 108], stored.Prices.Select(p => p.Minor));
    }

    [Theory, Trait("Rule", "CAT-6"), Trait("Rule", "CAT-7")]
    [InlineData("hourlyPrice", null)]
    [InlineData("dailyPrice", null)]
    [InlineData("halfDayPrice", null)]
    [InlineData("weekPrice", null)]
    [InlineData("monthPrice", null)]
    [InlineData("", "/hourlyPrice")]
    [InlineData("dailyPrice weekendHourlyPrice", "/weekendHourlyPrice")]
    [InlineData("dailyPrice outsideHoursHourlyPrice", "/outsideHoursHourlyPrice")]
    [InlineData("hourlyPrice weekendDailyPrice", "/weekendDailyPrice")]
    public async Task A_rate_has_a_price_and_a_special_price_has_what_it_stands_for(string prices, string? pointer)
    {
        Answer answer = await _spaces.SendAsync("Rates_Create", RateOf(prices.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToJsonString());

        Assert.Equal(pointer is null ? (201, null) : (422, pointer), (answer.Status, pointer is null ? null : answer.Pointer));
    }

    [Fact]
    public async Task Prices_of_a_rate_are_in_one_currency_and_not_negative()
    {
        JsonObject mixed = RateOf("hourlyPrice", "weekPrice");
        mixed["weekPrice"]!["currency"] = "eur";
        JsonObject negative = RateOf("hourlyPrice", "weekendHourlyPrice");
        negative["weekendHourlyPrice"]!["amount"] = "-0.01";

        Answer created = await _spaces.SendAsync("Rates_Create", mixed.ToJsonString());
        Answer edited = await _spaces.SendAsync("Rates_Edit", mixed.ToJsonString(), id: _spaces.Rate.Value, headers: ("If-Match", "*"));
        Answer below = await _spaces.SendAsync("Rates_Create", negative.ToJsonString());

        Assert.Equal((422, ErrorCodes.CurrencyMismatch, "/weekPrice/currency"), (created.Status, created.Code, created.Pointer));
        Assert.Equal((422, ErrorCodes.CurrencyMismatch, "/weekPrice/currency"), (edited.Status, edited.Code, edited.Pointer));
        Assert.Equal((422, ErrorCodes.InvalidValue, "/weekendHourlyPrice"), (below.Status, below.Code, below.Pointer));
    }

    [Fact, Trait("Rule", "CAT-6")]
    public async Task Without_a_rate_nothing_is_published()
    {
        Answer refused = await CreateAsync(Changed(null, """{"isPublished":true}"""));
        Answer hidden = await CreateAsync(Changed(null, "{}"));
        Answer shown = await CreateAsync(Changed(_spaces.Rate, "{}"));
        Answer held = await CreateAsync(Changed(_spaces.Rate, """{"isPublished":false}"""));

        Assert.Equal((409, ErrorCodes.ResourceRateRequired), (refused.Status, refused.Code));
        Assert.Equal((false, true, false), ((bool)hidden.Json["isPublished"]!, (bool)shown.Json["isPublished"]!, (bool)held.Json["isPublished"]!));
    }

    [Fact, Trait("Rule", "CAT-6")]
    public async Task Members_see_published_resources_only()
    {
        ResourceId hidden = await _spaces.AddAsync<ResourceId>("Resources_Create", Changed(null, "{}").ToJsonString());
        string member = Spaces.As(_spaces.Member);

        Assert.Equal([_spaces.Room.Value], Ids(await _spaces.SendAsync("Resources_List", caller: member)));
        Assert.Equal(new[] { _spaces.Room.Value, hidden.Value }.Order(), Ids(await _spaces.SendAsync("Resources_List")));
        Assert.Equal(404, (await _spaces.SendAsync("Resources_Get", caller: member, id: hidden.Value)).Status);
        Assert.Equal(200, (await _spaces.SendAsync("Resources_Get", id: hidden.Value)).Status);
    }

    [Fact]
    public async Task Members_are_told_that_a_resource_is_for_some_and_whether_they_are_among_them()
    {
        MemberId other = await _spaces.AddMemberAsync();
        ResourceId club = await _spaces.AddRoomAsync("Club", BookingTerms.None with { AllowedMemberIds = [_spaces.Member, other] });
        ResourceId den = await _spaces.AddRoomAsync("Den", BookingTerms.None with { AllowedMemberIds = [other] });

        string member = Spaces.As(_spaces.Member);
        Assert.Equal((true, $"{_spaces.Member} {other}"), await AllowedAsync(club, "staff"));
        Assert.Equal((true, _spaces.Member.Value), await AllowedAsync(club, member));
        Assert.Equal((true, string.Empty), await AllowedAsync(den, member));
        Assert.Equal((false, string.Empty), await AllowedAsync(_spaces.Room, member));

        async Task<(bool IsRestricted, string Members)> AllowedAsync(ResourceId id, string caller)
        {
            JsonNode seen = (await _spaces.SendAsync("Resources_Get", caller: caller, id: id.Value)).Json;
            return ((bool)seen["isRestricted"]!, string.Join(' ', seen["terms"]!["allowedMemberIds"]!.AsArray()));
        }
    }

    [Fact]
    public async Task Resources_are_found_by_kind_and_size()
    {
        ResourceId desk = await _spaces.AddAsync<ResourceId>("Resources_Create", Changed(_spaces.Rate, """{"kind":"hotDesk","capacity":1}""").ToJsonString());
        ResourceId hall = await _spaces.AddAsync<ResourceId>("Resources_Create", Changed(_spaces.Rate, """{"capacity":80}""").ToJsonString());

        Assert.Equal([desk.Value], Ids(await _spaces.SendAsync("Resources_List", query: "?kind=hotDesk")));
        Assert.Equal([hall.Value], Ids(await _spaces.SendAsync("Resources_List", query: "?kind=meetingRoom&capacity=9")));
        Assert.Equal(new[] { _spaces.Room.Value, hall.Value }.Order(), Ids(await _spaces.SendAsync("Resources_List", query: "?capacity=8")));
        Assert.Equal(400, (await _spaces.SendAsync("Resources_List", query: "?kind=garage")).Status);
    }

    [Fact, Trait("Rule", "BKG-4")]
    public async Task What_is_left_out_of_booking_terms_restricts_nothing()
    {
        Answer created = await CreateAsync(Changed(_spaces.Rate, """{"terms":{"cancellationNoticeMinutes":1440}}"""));

        BookingTerms expected = BookingTerms.None with { CancellationNoticeMinutes = 1440 };
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(HttpJson.Write(expected)), created.Json["terms"]), created.Body);
    }

    [Fact, Trait("Rule", "BKG-4"), Trait("Rule", "BKG-15")]
    public async Task Booking_terms_are_kept_and_shown_and_left_out_are_none()
    {
        PlanId plan = await PlanAsync();
        JsonObject terms = Terms($$"""{"allowedPlanIds":["{{plan}}"],"allowedMemberIds":["{{_spaces.Member}}"],"checkInGraceMinutes":10,"audience":"everyone"}""");

        Answer created = await CreateAsync(Changed(_spaces.Rate, $$"""{"terms":{{terms.ToJsonString()}}}"""));
        Answer edited = await _spaces.SendAsync(
            "Resources_Edit", Changed(_spaces.Rate, "{}").ToJsonString(), id: (string)created.Json["id"]!, headers: ("If-Match", "*"));

        Assert.True(JsonNode.DeepEquals(terms, created.Json["terms"]), created.Body);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(HttpJson.Write(BookingTerms.None)), edited.Json["terms"]), edited.Body);
    }

    [Theory, Trait("Rule", "BKG-4")]
    [InlineData("bufferBeforeMinutes", "-5")]
    [InlineData("bufferBeforeMinutes", "7")]
    [InlineData("bufferAfterMinutes", "1445")]
    [InlineData("bufferAfterMinutes", "3")]
    [InlineData("minMinutes", "0")]
    [InlineData("minMinutes", "17")]
    [InlineData("maxMinutes", "44645")]
    [InlineData("maxMinutes", "25")]
    [InlineData("leadMinutes", "-1")]
    [InlineData("leadMinutes", "525601")]
    [InlineData("maxAheadDays", "0")]
    [InlineData("maxAheadDays", "732")]
    [InlineData("cancellationNoticeMinutes", "-1")]
    [InlineData("cancellationNoticeMinutes", "525601")]
    [InlineData("approvalDeadlineMinutes", "-1")]
    [InlineData("checkInGraceMinutes", "-1")]
    [InlineData("checkInGraceMinutes", "61")]
    [InlineData("allowedPlanIds", """["pln_00000000000000000000000000"]""", "/0", ErrorCodes.UnknownReference)]
    [InlineData("allowedMemberIds", """["mbr_00000000000000000000000000","mbr_00000000000000000000000000"]""")]
    [InlineData("openingHours", """{"times":[{"day":"none","from":"09:00:00","until":"10:00:00"}]}""", "/times/0/day")]
    public async Task Booking_terms_are_bounded(string member, string value, string below = "", string code = ErrorCodes.InvalidValue)
    {
        // A shortest booking of half an hour, so that a longest one of 25 minutes contradicts it.
        JsonObject terms = Terms($$"""{"minMinutes":30}""");
        terms[member] = JsonNode.Parse(value);

        Answer answer = await CreateAsync(Changed(_spaces.Rate, $$"""{"terms":{{terms.ToJsonString()}}}"""));

        Assert.Equal((422, code, $"/terms/{member}{below}"), (answer.Status, answer.Code, answer.Pointer));
    }

    [Theory, Trait("Rule", "BKG-4")]
    [InlineData("bufferBeforeMinutes", "1440")]
    [InlineData("minMinutes", "5")]
    [InlineData("maxMinutes", "30")]
    [InlineData("maxMinutes", "44640")]
    [InlineData("maxAheadDays", "731")]
    [InlineData("cancellationNoticeMinutes", "525600")]
    [InlineData("checkInGraceMinutes", "60")]
    [InlineData("checkInGraceMinutes", "0")]
    [InlineData("openingHours", """{"times":[]}""")]
    public async Task The_bounds_of_booking_terms_are_allowed(string member, string value)
    {
        JsonObject terms = Terms($$"""{"minMinutes":30}""");
        terms[member] = JsonNode.Parse(value);

        Assert.Equal(201, (await CreateAsync(Changed(_spaces.Rate, $$"""{"terms":{{terms.ToJsonString()}}}"""))).Status);
    }

    [Fact]
    public async Task Warm_lookups_cost_no_storage_call_and_a_miss_is_looked_up_once_more()
    {
        CatalogueStore store = _spaces.Get<CatalogueStore>();
        await store.FindResourceAsync(_spaces.Room, Spaces.Cancellation);

        using StorageCallScope warm = StorageCalls.Measure();
        Assert.NotNull(await store.FindResourceAsync(_spaces.Room, Spaces.Cancellation));
        Assert.NotNull(await store.FindRateAsync(_spaces.Rate, Spaces.Cancellation));
        Assert.Equal(0, warm.Count);

        Assert.Null(await store.FindResourceAsync(EntityId.Derive<ResourceId>("none"), Spaces.Cancellation));
        Assert.Equal(1, warm.Count);
    }

    [Fact]
    public async Task Another_process_finds_a_new_resource_at_once_and_a_new_price_within_thirty_seconds()
    {
        using var elsewhere = new CatalogueStore(_spaces.Tables, _spaces.App.Time);
        await elsewhere.FindRateAsync(_spaces.Rate, Spaces.Cancellation);
        await _spaces.SendAsync("Rates_Edit", Rate("99.00", "usd"), id: _spaces.Rate.Value, headers: ("If-Match", "\"1\""));

        Assert.Equal("12.00", (await elsewhere.FindRateAsync(_spaces.Rate, Spaces.Cancellation))!.HourlyPrice!.Value.ToDecimalString());
        _spaces.App.Time.Advance(CatalogueStore.Staleness.ToTimeSpan());
        Assert.Equal("99.00", (await elsewhere.FindRateAsync(_spaces.Rate, Spaces.Cancellation))!.HourlyPrice!.Value.ToDecimalString());

        ResourceId fresh = await _spaces.AddRoomAsync("New");
        Assert.NotNull(await elsewhere.FindResourceAsync(fresh, Spaces.Cancellation));
    }

    private static string[] Ids(Answer answer) => [.. answer.Json["results"]!.AsArray().Select(r => (string)r!["id"]!).Order()];

    private static object Rate(string price, string currency, params LocationId[] locations) =>
        new { name = "Rate", hourlyPrice = Spaces.Money(price, currency), taxRateId = (string?)null, locationIds = locations.Select(l => l.Value) };

    /// <summary>A rate with these prices: 1.01, 1.02 and so on.</summary>
    private static JsonObject RateOf(params string[] prices)
    {
        var body = new JsonObject { ["name"] = "Rate", ["locationIds"] = new JsonArray() };
        for (int i = 0; i < prices.Length; i++)
        {
            body[prices[i]] = new JsonObject { ["amount"] = $"1.0{i + 1}", ["currency"] = "usd" };
        }

        return body;
    }

    private static JsonObject Terms(string changes) => With(JsonNode.Parse(HttpJson.Write(BookingTerms.None))!.AsObject(), changes);

    private static JsonObject With(JsonObject body, string changes)
    {
        foreach ((string name, JsonNode? value) in JsonNode.Parse(changes)!.AsObject())
        {
            body[name] = value?.DeepClone();
        }

        return body;
    }

    private JsonObject Changed(RateId? rate, string changes) => With(JsonNode.Parse(HttpJson.Write(Resource("Other", rate)))!.AsObject(), changes);

    private Task<PlanId> PlanAsync() => _spaces.AddAsync<PlanId>("Plans_Create", new
    {
        locationId = _spaces.Location.Value,
        name = "Plan",
        kind = "recurring",
        intervalMonths = 1,
        price = Spaces.Money("1.00"),
        accessGroups = Array.Empty<string>(),
        isDefault = false,
        isPublic = true,
    });

    private object Resource(string name, RateId? rate, LocationId? location = null) =>
        new { locationId = (location ?? _spaces.Location).Value, name, kind = "meetingRoom", capacity = 4, rateId = rate?.Value };

    private Task<Answer> CreateAsync(object body) =>
        _spaces.SendAsync("Resources_Create", body is JsonObject json ? json.ToJsonString() : body);

    private Task<RateId> RateAsync(string price, string currency, params LocationId[] locations) =>
        _spaces.AddAsync<RateId>("Rates_Create", Rate(price, currency, locations));

    private Task<LocationId> BerlinAsync() =>
        _spaces.AddAsync<LocationId>("Locations_Create", new { name = "Berlin", timeZone = "Europe/Berlin", currency = "eur" });
}
