using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
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

    private object Resource(string name, RateId? rate, LocationId? location = null) =>
        new { locationId = (location ?? _spaces.Location).Value, name, kind = "meetingRoom", capacity = 4, rateId = rate?.Value };

    private Task<Answer> CreateAsync(object body) => _spaces.SendAsync("Resources_Create", body);

    private Task<RateId> RateAsync(string price, string currency, params LocationId[] locations) =>
        _spaces.AddAsync<RateId>("Rates_Create", Rate(price, currency, locations));

    private Task<LocationId> BerlinAsync() =>
        _spaces.AddAsync<LocationId>("Locations_Create", new { name = "Berlin", timeZone = "Europe/Berlin", currency = "eur" });
}
