using System.Text.Json;
using System.Text.Json.Nodes;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Flex.Functions.Tests.Platform.OpenApi;

public sealed class OpenApiTests
{
    private static readonly FunctionCatalog Catalog = new(typeof(FlexApp).Assembly);
    private static readonly OpenApiDocument Document = new(Catalog);

    public static TheoryData<string> Functions => [.. Described().Select(e => e.Name)];

    [Fact]
    public void There_are_functions_to_check() => Assert.True(Described().Count() >= 2);

    [Theory]
    [MemberData(nameof(Functions))]
    public void Every_function_declares_who_may_call_it(string name)
    {
        FunctionEntry entry = Catalog.Find(name)!;

        Assert.True(entry.Allow is null != entry.AllowAnyone is null, "Exactly one of [Allow] and [AllowAnyone].");
        Assert.True(entry.Allow is null or { Roles.Length: > 0 });
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void Every_function_describes_itself_and_is_in_the_document(string name)
    {
        FunctionEntry entry = Catalog.Find(name)!;

        Assert.NotNull(entry.Operation);
        Assert.NotEmpty(entry.Methods);
        Assert.All(entry.Operation.Errors, code => Assert.Contains(code, ErrorCodes.All.Keys));
        foreach (string method in entry.Methods)
        {
            JsonNode? described = Document.Root["paths"]?[OpenApiDocument.PathOf(entry)]?[method.ToLowerInvariant()];
            Assert.Equal(name, (string?)described?["operationId"]);
            Assert.NotNull(described!["responses"]![entry.Operation.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        }
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void The_example_of_a_body_is_a_body_the_reader_takes(string name)
    {
        FunctionEntry entry = Catalog.Find(name)!;
        if (entry.Operation?.Body is not { } body)
        {
            return;
        }

        JsonNode operation = Document.Root["paths"]![OpenApiDocument.PathOf(entry)]![entry.Methods[0].ToLowerInvariant()]!;
        JsonNode example = operation["requestBody"]!["content"]!["application/json"]!["example"]!;

        Assert.NotNull(example.Deserialize(body, HttpJson.Options));
    }

    [Fact]
    public void No_two_functions_share_a_method_and_path()
    {
        string[] all = [.. Described().SelectMany(e => e.Methods.Select(m => $"{m} {OpenApiDocument.PathOf(e).ToLowerInvariant()}"))];

        Assert.NotEmpty(all);
        Assert.Equal(all.Length, all.Distinct().Count());
    }

    [Fact]
    public void Every_reference_leads_somewhere_and_every_component_is_whole()
    {
        string text = Document.Json;
        string[] references = [.. System.Text.RegularExpressions.Regex.Matches(text, "\"\\$ref\":\"#/components/schemas/([^\"]+)\"")
            .Select(m => m.Groups[1].Value).Distinct()];
        var schemas = (JsonObject)Document.Root["components"]!["schemas"]!;

        Assert.NotEmpty(references);
        Assert.All(references, r => Assert.NotNull(schemas[r]));
        Assert.Equal(ErrorCodes.All.Count, ((JsonObject)Document.Root["x-error-codes"]!).Count);
    }

    [Fact]
    public void Types_are_described_as_they_travel()
    {
        var document = new OpenApiDocument(new FunctionCatalog(typeof(DescribedFunctions).Assembly));
        JsonNode schemas = document.Root["components"]!["schemas"]!;
        JsonNode request = schemas["DescribedRequest"]!["properties"]!;
        JsonNode operation = document.Root["paths"]!["/api/v1/described/{id}"]!["post"]!;

        Assert.Equal("#/components/schemas/Money", (string?)request["price"]!["$ref"]);
        Assert.Equal("""{"anyOf":[{"$ref":"#/components/schemas/Money"},{"type":"null"}]}""", request["deposit"]!.ToJsonString());
        Assert.Equal("""["plain","veryFancy"]""", request["kind"]!["enum"]!.ToJsonString());
        Assert.Equal("date-time", (string?)request["startsAt"]!["format"]);
        Assert.StartsWith("^pln_", (string?)request["planId"]!["anyOf"]![0]!["pattern"], StringComparison.Ordinal);
        Assert.Equal("#/components/schemas/ProbeLine", (string?)request["lines"]!["items"]!["$ref"]);
        Assert.Equal("""["name","price","startsAt","day","kind","lines"]""", schemas["DescribedRequest"]!["required"]!.ToJsonString());
        Assert.False((bool?)schemas["DescribedRequest"]!["additionalProperties"]);
        Assert.Null(schemas["ProbeView"]!["additionalProperties"]);
        Assert.Equal("#/components/schemas/ProbeViewPage", (string?)operation["responses"]!["200"]!["content"]!["application/json"]!["schema"]!["$ref"]);
        Assert.Equal("id open limit cursor Idempotency-Key If-Match", string.Join(' ', ((JsonArray)operation["parameters"]!).Select(p => (string?)p!["name"])));
        Assert.Contains(ErrorCodes.BookingConflict, operation["x-error-codes"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("""["owner","staff"]""", operation["x-roles"]!.ToJsonString());
    }

    [Fact]
    public async Task The_document_is_served_and_not_sent_again_when_unchanged()
    {
        using var app = new FunctionHarness();
        Answer first = await app.SendAsync("OpenApi_Get", "GET", "/api/v1/openapi.json");
        Answer again = await app.SendAsync("OpenApi_Get", "GET", "/api/v1/openapi.json", null, ("If-None-Match", first.Headers.ETag.ToString()));

        Assert.Equal((200, "3.1.0"), (first.Status, (string?)first.Json["openapi"]));
        Assert.Equal(304, again.Status);
    }

    [Fact]
    public async Task An_answer_the_description_does_not_name_is_noticed()
    {
        var probe = new ProbeBehaviour { Get = (_, _) => Error.Refused(ErrorCodes.InvoiceClosed, "Closed.") };
        using var app = new FunctionHarness(s => s.AddSingleton(probe));

        Answer undeclared = await app.SendAsync(
            "Probe_Charge", "POST", "/api/v1/probes/loc_00000000000000000000000001/charge", null, ("Idempotency-Key", "k"), ("If-Match", "*"));
        probe.Get = (_, _) => Error.Stale();
        await app.SendAsync(
            "Probe_Charge", "POST", "/api/v1/probes/loc_00000000000000000000000001/charge", null, ("Idempotency-Key", "k"), ("If-Match", "*"));

        Assert.Equal(409, undeclared.Status);
        LogEntry warning = Assert.Single(app.Logs.Entries, e => e.Level == Microsoft.Extensions.Logging.LogLevel.Warning);
        Assert.Equal("Probe_Charge answered invoice_closed, which its description does not name.", warning.Message);
    }

    private static IEnumerable<FunctionEntry> Described() => Catalog.Entries.Where(e => !FunctionCatalog.IsCatchAll(e));
}
