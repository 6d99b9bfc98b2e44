using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Xunit;

namespace Flex.EndToEnd.Tests.Support;

/// <summary>
/// A client that knows nothing but the API description and the <c>/local</c> controls. Bodies are made from the schemas, every
/// request and every answer is checked against them.
/// </summary>
public sealed class Stranger(HttpClient http, ApiDescription api)
{
    private readonly HashSet<string> _used = [];
    private int _keys;

    /// <summary>Operations that were called and answered as described.</summary>
    public IReadOnlySet<string> Used => _used;

    /// <summary>A call that must succeed.</summary>
    /// <param name="who">staff, owner or a member's id.</param>
    /// <param name="target">Ids for the path, in its order, then <c>name=value</c> filters.</param>
    /// <param name="known">Members of the body whose value the schema cannot tell.</param>
    public async Task<JsonObject> CallAsync(string who, string operationId, string[] target, JsonObject? known = null, string? etag = null)
    {
        ApiOperation operation = api.Operation(operationId);
        using HttpResponseMessage response = await SendAsync(who, operation, target, known, etag);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(operation.SuccessStatuses.Contains((int)response.StatusCode), $"{operation} answered {(int)response.StatusCode} {text}");
        _used.Add(operationId);
        if (operation.SuccessSchema is not { } schema)
        {
            return [];
        }

        JsonObject answer = JsonNode.Parse(text)!.AsObject();
        Assert.Empty(api.Schemas.Check(schema, answer).Select(wrong => $"{operation}: {wrong}"));
        return answer;
    }

    /// <summary>A call that must be refused, with a code the operation names.</summary>
    public async Task<string> RefusedAsync(string who, string operationId, string[] target, JsonObject? known = null)
    {
        ApiOperation operation = api.Operation(operationId);
        using HttpResponseMessage response = await SendAsync(who, operation, target, known, null);
        JsonObject problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
        Assert.Empty(api.Schemas.Check(operation.ProblemSchema, problem));
        Assert.Contains((string)problem["code"]!, operation.ErrorCodes);
        return (string)problem["code"]!;
    }

    /// <summary>Reads a thing, changes members of it and writes it back under its version.</summary>
    public async Task<JsonObject> EditAsync(string read, string edit, string[] target, JsonObject changes)
    {
        JsonObject current = await CallAsync("staff", read, target);
        JsonObject known = new(current.Where(m => !changes.ContainsKey(m.Key)).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));
        foreach ((string name, JsonNode? value) in changes)
        {
            known[name] = value?.DeepClone();
        }

        return await CallAsync("staff", edit, target, known, $"\"{current["version"]}\"");
    }

    /// <summary>One of the <c>/local</c> controls.</summary>
    public async Task<JsonObject> ControlAsync(string path, JsonObject body)
    {
        using var content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        using HttpResponseMessage response = await http.PostAsync(path, content);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!.AsObject();
    }

    public Task AdvanceToAsync(string instant) => ControlAsync("/local/clock", new() { ["to"] = instant });

    private async Task<HttpResponseMessage> SendAsync(string who, ApiOperation operation, string[] target, JsonObject? known, string? etag)
    {
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), Target(operation, target));
        JsonObject token = who.StartsWith("mbr_", StringComparison.Ordinal) ? new() { ["role"] = "member", ["memberId"] = who } : new() { ["role"] = who };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (string)(await ControlAsync("/local/token", token))["token"]!);
        if (operation.BodySchema is { } schema)
        {
            JsonObject body = Body(operation, schema, known ?? []);
            request.Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        }

        if (operation.Needs("header", "Idempotency-Key"))
        {
            request.Headers.Add("Idempotency-Key", $"stranger-{_keys++}");
        }

        if (operation.Needs("header", "If-Match"))
        {
            request.Headers.Add("If-Match", etag ?? throw new InvalidOperationException($"{operation} needs an ETag."));
        }

        return await http.SendAsync(request);
    }

    /// <summary>The required members, and those optional ones the caller knows.</summary>
    private JsonObject Body(ApiOperation operation, JsonNode schema, JsonObject known)
    {
        JsonObject body = api.Schemas.Sample(schema, known.ToDictionary())!.AsObject();
        foreach ((string name, JsonNode? value) in known)
        {
            if (api.Schemas.Resolve(schema)["properties"]![name] is not null)
            {
                body[name] = value?.DeepClone();
            }
        }

        body = JsonNode.Parse(body.ToJsonString())!.AsObject();
        Assert.Empty(api.Schemas.Check(schema, body).Select(wrong => $"{operation}: {wrong}"));
        return body;
    }

    private static string Target(ApiOperation operation, string[] target)
    {
        var ids = new Queue<string>(target.Where(t => !t.Contains('=', StringComparison.Ordinal)));
        string path = string.Join('/', operation.Path.Split('/').Select(segment => segment.StartsWith('{') ? ids.Dequeue() : segment));
        Assert.Empty(ids);
        string[] filters = [.. target.Where(t => t.Contains('=', StringComparison.Ordinal))];
        string[] described = [.. operation.Described["parameters"]!.AsArray().Where(p => (string)p!["in"]! == "query").Select(p => (string)p!["name"]!)];
        Assert.All(filters, f => Assert.Contains(f.Split('=')[0], described));
        return filters.Length == 0 ? path : $"{path}?{string.Join('&', filters)}";
    }
}
