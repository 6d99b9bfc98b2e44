using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Small helpers for building Stripe's objects.</summary>
internal static class StripeJson
{
    /// <summary>Bodies are not HTML, so names and messages keep their letters.</summary>
    public static JsonSerializerOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonObject Of(IReadOnlyDictionary<string, string> texts)
    {
        var json = new JsonObject();
        foreach ((string key, string value) in texts)
        {
            json[key] = value;
        }

        return json;
    }

    public static JsonArray Of(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode?)text)];

    public static JsonObject List(string url, IEnumerable<JsonObject> items, bool hasMore) => new()
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. items]),
        ["has_more"] = hasMore,
        ["url"] = url,
    };

    /// <summary>The six address fields, each present, from what was given.</summary>
    public static JsonObject Address(JsonObject? given)
    {
        var address = new JsonObject();
        foreach (string field in (ReadOnlySpan<string>)["city", "country", "line1", "line2", "postal_code", "state"])
        {
            address[field] = given?[field]?.DeepClone();
        }

        return address;
    }
}
