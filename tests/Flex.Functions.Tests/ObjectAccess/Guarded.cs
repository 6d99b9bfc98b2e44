using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flex.Platform.Http;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>Who reaches what a function is about.</summary>
internal enum Reach
{
    /// <summary>Anybody, without a token: it is public, or something in the request is the secret.</summary>
    Anyone,

    /// <summary>Everybody who has a role: it belongs to the space.</summary>
    AnyRole,

    /// <summary>The member it belongs to, and staff.</summary>
    Member,

    /// <summary>The members of the customer it belongs to, and staff.</summary>
    Customer,

    /// <summary>Staff and owners.</summary>
    Staff,

    /// <summary>Owners.</summary>
    Owner,
}

/// <summary>An HTTP function, what it is about, and a request to it that is answered with success to whoever reaches that.</summary>
/// <param name="Thing">
/// What the request is about, as each person has one. It stands in the path's first place where the path has one, else where
/// <see cref="Body"/> and <see cref="Query"/> put it. Null: it is about nothing in particular.
/// </param>
internal sealed partial record Guarded(string Function, Reach Reach, Func<Premises, Person, string>? Thing = null)
{
    /// <summary>In the path's second place: a part of the thing.</summary>
    public Func<Person, string>? Part { get; init; }

    /// <summary>A thing of this kind that only staff are shown.</summary>
    public Func<Premises, string>? Hidden { get; init; }

    /// <summary>The body for a thing; null leaves out what may be left out.</summary>
    public Func<Premises, string?, JsonObject>? Body { get; init; }

    public Func<string?, string>? Query { get; init; }

    /// <summary>The body is a picture of this.</summary>
    public string? Picture { get; init; }

    /// <summary>What the body is signed with.</summary>
    public Func<Premises, string, (string Name, string Value)>? Signature { get; init; }

    /// <summary>The status of success, if it is not one of 200 to 299.</summary>
    public int? Success { get; init; }

    public override string ToString() => Function;

    public bool IsInPath(FunctionEntry entry) => Thing is not null && Place().IsMatch(entry.Route);

    /// <summary>The path with the thing and its part in their places.</summary>
    public static string Path(FunctionEntry entry, string? thing, string? part)
    {
        string path = FunctionCatalog.IsCatchAll(entry) ? "v1/nowhere" : entry.Route;
        foreach (string? id in new[] { thing, part }.Where(_ => Place().IsMatch(path)))
        {
            path = Place().Replace(path, Uri.EscapeDataString(id!), 1);
        }

        return $"/{FunctionCatalog.RoutePrefix}/{path}";
    }

    public async Task<Seen> SendAsync(Premises premises, Client client, string? thing, string? part = null, JsonObject? body = null, string? query = null)
    {
        FunctionEntry entry = premises.Catalog.Find(Function)!;
        using HttpRequestMessage request = Request(premises, entry, thing, part, query ?? Query?.Invoke(thing));
        if (client.Token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + client.Token);
        }

        if ((body ?? Body?.Invoke(premises, thing)) is { } json)
        {
            string text = json.ToJsonString();
            request.Content = new StringContent(text, new MediaTypeHeaderValue("application/json"));
            if (Signature is not null)
            {
                (string name, string value) = Signature(premises, text);
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await premises.SendAsync(request);
    }

    private HttpRequestMessage Request(Premises premises, FunctionEntry entry, string? thing, string? part, string? query)
    {
        HttpMethod method = entry.Methods.Count == 0 ? HttpMethod.Get : new HttpMethod(entry.Methods[0]);
        var request = new HttpRequestMessage(method, Path(entry, thing, part) + (query is null ? string.Empty : "?" + query));
        if (request.Method != HttpMethod.Get)
        {
            request.Headers.Add("Idempotency-Key", premises.NextKey());
        }

        if (entry.Operation?.IfMatch == Need.Required)
        {
            request.Headers.TryAddWithoutValidation("If-Match", "*");
        }

        if (Picture is not null)
        {
            request.Content = PictureBody.Content(Picture);
        }

        return request;
    }

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Place();
}
