using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Tables;
using Flex.Settings;
using Xunit;

namespace Flex.Functions.Tests.Settings;

public sealed class LocationTests : IDisposable
{
    private static readonly object Berlin = new { name = "Berlin", timeZone = "Europe/Berlin", currency = "eur" };
    private readonly Spaces _spaces = new();

    public void Dispose() => _spaces.Dispose();

    [Fact]
    public async Task A_location_is_created_read_and_listed()
    {
        Answer created = await _spaces.SendAsync("Locations_Create", Berlin);
        await _spaces.SendAsync("Locations_Create", new { name = "Oslo", timeZone = "Europe/Oslo", currency = "nok" });

        Answer read = await _spaces.SendAsync("Locations_Get", id: (string)created.Json["id"]!);
        Answer page = await _spaces.SendAsync("Locations_List", query: "?limit=1");
        Answer rest = await _spaces.SendAsync("Locations_List", query: $"?limit=1&cursor={page.Json["cursorNext"]}");

        Assert.Equal(
            (201, $"/api/v1/locations/{created.Json["id"]}", "\"1\""),
            (created.Status, created.Headers.Location.ToString(), created.Headers.ETag.ToString()));
        Assert.Equal(created.Body, read.Body);
        Assert.Equal(["Berlin", "Oslo"], page.Json["results"]!.AsArray().Concat(rest.Json["results"]!.AsArray()).Select(l => (string?)l!["name"]).Order());
        Assert.False((bool)rest.Json["hasMore"]!);
    }

    [Theory]
    [InlineData("name", "", "/name")]
    [InlineData("timeZone", "Mars/Olympus", "/timeZone")]
    [InlineData("timeZone", "GMT+25", "/timeZone")]
    public async Task A_location_needs_a_name_and_an_iana_zone(string member, string value, string pointer)
    {
        string body = $$"""{"name":"A","timeZone":"Europe/Berlin","currency":"eur","{{member}}":"{{value}}"}""";
        body = body.Replace(member == "name" ? "\"name\":\"A\"," : "\"timeZone\":\"Europe/Berlin\",", string.Empty, StringComparison.Ordinal);

        Answer answer = await _spaces.SendAsync("Locations_Create", body);

        Assert.Equal((422, ErrorCodes.InvalidValue, pointer), (answer.Status, answer.Code, answer.Pointer));
        Assert.Empty(_spaces.Tables.Snapshot(SettingsStore.Table, SettingsStore.Partition));
    }

    [Fact]
    public async Task A_currency_that_is_not_allowed_is_refused()
    {
        Answer answer = await _spaces.SendAsync("Locations_Create", new { name = "A", timeZone = "Europe/Berlin", currency = "xxx" });

        Assert.Equal((400, ErrorCodes.MalformedRequest, "/currency"), (answer.Status, answer.Code, answer.Pointer));
        Assert.Empty(_spaces.Tables.Snapshot(SettingsStore.Table, SettingsStore.Partition));
    }

    [Fact]
    public async Task Name_and_zone_can_change_the_currency_cannot()
    {
        LocationId id = await _spaces.AddAsync<LocationId>("Locations_Create", Berlin);

        Answer moved = await EditAsync(id, new { name = "Lisbon", timeZone = "Europe/Lisbon", currency = "eur" }, "\"1\"");
        Answer exchanged = await EditAsync(id, new { name = "Lisbon", timeZone = "Europe/Lisbon", currency = "usd" }, "\"2\"");
        Answer stale = await EditAsync(id, Berlin, "\"1\"");

        Assert.Equal((200, "\"2\""), (moved.Status, moved.Headers.ETag.ToString()));
        Assert.Equal((422, ErrorCodes.CurrencyMismatch), (exchanged.Status, exchanged.Code));
        Assert.Equal((412, ErrorCodes.Stale), (stale.Status, stale.Code));
        Assert.Equal("Europe/Lisbon", (await _spaces.Get<SettingsStore>().FindLocationAsync(id, Spaces.Cancellation))!.TimeZone);
    }

    [Fact, Trait("Rule", "BKG-4")]
    public async Task Opening_hours_are_the_usual_ones_until_others_are_given_and_stay_when_left_out()
    {
        Answer created = await _spaces.SendAsync("Locations_Create", Berlin);
        LocationId id = EntityId.Parse<LocationId>((string)created.Json["id"]!);

        Answer given = await EditAsync(id, Opening("""{"day":"saturday","from":"20:00:00","until":"00:00:00"},{"day":"saturday","from":"08:00:00","until":"20:00:00"}"""), "*");
        Answer renamed = await EditAsync(id, new { name = "Other", timeZone = "Europe/Berlin", currency = "eur" }, "*");
        Answer closed = await EditAsync(id, Opening(string.Empty), "*");

        Assert.Equal(5, created.Json["openingHours"]!["times"]!.AsArray().Count);
        Assert.Equal(("monday", "09:00:00", "18:00:00"), Time(created, 0));
        Assert.Equal(("saturday", "20:00:00", "00:00:00"), Time(given, 0));
        Assert.Equal(given.Json["openingHours"]!.ToJsonString(), renamed.Json["openingHours"]!.ToJsonString());
        Assert.Empty(closed.Json["openingHours"]!["times"]!.AsArray());
        Assert.Empty((await _spaces.Get<SettingsStore>().FindLocationAsync(id, Spaces.Cancellation))!.OpeningHours.Times);
    }

    [Theory, Trait("Rule", "BKG-4")]
    [InlineData("""{"day":"monday","from":"10:00:00","until":"10:00:00"}""", "/0/until")]
    [InlineData("""{"day":"monday","from":"10:00:00","until":"09:00:00"}""", "/0/until")]
    [InlineData("""{"day":"monday","from":"10:01:00","until":"12:00:00"}""", "/0/from")]
    [InlineData("""{"day":"monday","from":"10:00:00","until":"12:00:01"}""", "/0/until")]
    [InlineData("""{"day":"none","from":"10:00:00","until":"12:00:00"}""", "/0/day")]
    [InlineData("""{"day":"monday","from":"10:00:00","until":"12:00:00"},{"day":"monday","from":"11:55:00","until":"13:00:00"}""", "")]
    [InlineData("""{"day":"monday","from":"23:00:00","until":"23:55:00"},{"day":"monday","from":"10:00:00","until":"00:00:00"}""", "")]
    public async Task Opening_hours_are_whole_five_minutes_that_do_not_overlap(string times, string pointer)
    {
        Answer answer = await _spaces.SendAsync("Locations_Create", Opening(times));

        Assert.Equal((422, ErrorCodes.InvalidValue, "/openingHours/times" + pointer), (answer.Status, answer.Code, answer.Pointer));
    }

    [Fact]
    public async Task A_week_has_at_most_28_opening_times()
    {
        string[] times = [.. Enumerable.Range(0, 29).Select(i => $$"""{"day":"{{(i < 15 ? "monday" : "friday")}}","from":"{{i % 15:D2}}:00:00","until":"{{i % 15:D2}}:30:00"}""")];

        Assert.Equal(422, (await _spaces.SendAsync("Locations_Create", Opening(string.Join(',', times)))).Status);
        Assert.Equal(201, (await _spaces.SendAsync("Locations_Create", Opening(string.Join(',', times[..28])))).Status);
    }

    [Fact]
    public async Task Unknown_ids_are_404()
    {
        LocationId none = EntityId.Derive<LocationId>("none");

        Assert.Equal(404, (await _spaces.SendAsync("Locations_Get", id: none.Value)).Status);
        Assert.Equal(404, (await EditAsync(none, Berlin, "\"1\"")).Status);
        Assert.Equal(404, (await _spaces.SendAsync("TaxRates_Get", id: EntityId.Derive<TaxRateId>("none").Value)).Status);
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task A_repeated_creation_makes_one_location_and_another_body_under_the_key_is_refused()
    {
        (string, string) key = ("Idempotency-Key", "k1");

        Answer first = await _spaces.SendAsync("Locations_Create", Berlin, headers: key);
        Answer repeat = await _spaces.SendAsync("Locations_Create", Berlin, headers: key);
        Answer reuse = await _spaces.SendAsync("Locations_Create", new { name = "Other", timeZone = "Europe/Berlin", currency = "eur" }, headers: key);

        Assert.Equal((201, first.Body), (repeat.Status, repeat.Body));
        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), (reuse.Status, reuse.Code));
        Assert.Single(await _spaces.Get<SettingsStore>().ListLocationsAsync(Spaces.Cancellation));
    }

    [Fact, Trait("Rule", "INV-7")]
    public async Task A_tax_rate_has_components_and_their_sum()
    {
        Answer created = await _spaces.SendAsync("TaxRates_Create", Tax(("GST", 5m), ("QST", 9.975m)));

        Assert.Equal(201, created.Status);
        Assert.Equal(14.975m, (decimal)created.Json["percent"]!);
        TaxRate stored = (await _spaces.Get<SettingsStore>().FindTaxRateAsync(EntityId.Parse<TaxRateId>((string)created.Json["id"]!), Spaces.Cancellation))!;
        Assert.Equal([5m, 9.975m], stored.Components.Select(c => c.Percent));
    }

    [Fact]
    public async Task Tax_components_are_bounded_and_have_different_names()
    {
        object[] bodies =
        [
            Tax(),
            Tax(("GST", -1m)),
            Tax(("GST", 100.1m)),
            Tax(("GST", 1.00001m)),
            Tax(("", 1m)),
            Tax(("GST", 1m), ("GST", 2m)),
            Tax([.. Enumerable.Range(0, 11).Select(i => ($"T{i}", 1m))]),
        ];

        foreach (object body in bodies)
        {
            Answer answer = await _spaces.SendAsync("TaxRates_Create", body);
            Assert.Equal((422, ErrorCodes.InvalidValue), (answer.Status, answer.Code));
        }
    }

    private static string Opening(string times) => """{"name":"A","timeZone":"Europe/Berlin","currency":"eur","openingHours":{"times":[""" + times + "]}}";

    private static (string?, string?, string?) Time(Answer answer, int index) =>
        answer.Json["openingHours"]!["times"]![index] is { } time ? ((string?)time["day"], (string?)time["from"], (string?)time["until"]) : default;

    private static object Tax(params (string Name, decimal Percent)[] components) =>
        new { name = "Sales tax", components = components.Select(c => new { name = c.Name, percent = c.Percent }) };

    private Task<Answer> EditAsync(LocationId id, object body, string ifMatch) =>
        _spaces.SendAsync("Locations_Edit", body, id: id.Value, headers: ("If-Match", ifMatch));
}
