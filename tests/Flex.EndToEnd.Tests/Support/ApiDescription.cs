using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace Flex.EndToEnd.Tests.Support;

/// <summary>What <c>/api/v1/openapi.json</c> says, read as a stranger reads it.</summary>
public sealed class ApiDescription(JsonObject document)
{
    private readonly JsonObject _paths = document["paths"]!.AsObject();

    public JsonSchemas Schemas { get; } = new(document);

    public IEnumerable<ApiOperation> Operations => _paths.SelectMany(
        path => path.Value!.AsObject().Select(o => new ApiOperation(path.Key, o.Key.ToUpperInvariant(), o.Value!.AsObject())));

    public static async Task<ApiDescription> ReadAsync(HttpClient http, CancellationToken cancellation)
    {
        string text = await http.GetStringAsync("/api/v1/openapi.json", cancellation);
        return new ApiDescription(JsonNode.Parse(text)!.AsObject());
    }

    public ApiOperation Operation(string operationId) => Operations.Single(o => o.Id == operationId);

    /// <summary>The operation a request meets; null when the document has none for its method and path.</summary>
    public ApiOperation? Find(string method, string target)
    {
        string[] segments = target.Split('?')[0].Trim('/').Split('/');
        return Operations
            .Where(o => o.Method == method && Fits(o.Path.Trim('/').Split('/'), segments))
            .OrderBy(o => o.Path.Count(c => c == '{'))
            .FirstOrDefault();
    }

    private static bool Fits(string[] template, string[] segments) =>
        template.Length == segments.Length && template.Zip(segments).All(pair => pair.First.StartsWith('{') || pair.First == pair.Second);
}

/// <summary>One method of one path.</summary>
public sealed record ApiOperation(string Path, string Method, JsonObject Described)
{
    public string Id => (string)Described["operationId"]!;

    public IReadOnlyList<string> ErrorCodes => [.. Described["x-error-codes"]!.AsArray().Select(c => (string)c!)];

    public JsonNode? BodySchema => Described["requestBody"]?["content"]?["application/json"]?["schema"];

    /// <summary>Statuses of the answers that are no problem; their bodies are of one form.</summary>
    public IEnumerable<int> SuccessStatuses => Successes.Select(s => int.Parse(s.Key, CultureInfo.InvariantCulture));

    public JsonNode? SuccessSchema => Successes.First().Value!["content"]?["application/json"]?["schema"];

    public JsonNode ProblemSchema => Described["responses"]!["default"]!["content"]!["application/problem+json"]!["schema"]!;

    public bool Needs(string place, string name) => Described["parameters"]!.AsArray().Any(p =>
        (string)p!["in"]! == place && (string)p["name"]! == name && (bool)p["required"]!);

    private IEnumerable<KeyValuePair<string, JsonNode?>> Successes => Described["responses"]!.AsObject().Where(r => r.Key != "default");

    public override string ToString() => $"{Method} {Path}";
}
