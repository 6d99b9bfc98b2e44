using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Flex.Platform.Http;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>Everything a caller sees of an answer, but for the request's own id.</summary>
/// <param name="Text">Status, headers and body: two answers with the same text cannot be told apart.</param>
internal sealed record Seen(int Status, string Text, string Body)
{
    private const string RequestId = "x-request-id";

    public bool IsSuccess => Status is >= 200 and < 300;

    public string? Code => Status < 400 ? null : (string?)JsonNode.Parse(Body)!["code"];

    public JsonNode Json => JsonNode.Parse(Body)!;

    public static async Task<Seen> OfAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        string body = await response.Content.ReadAsStringAsync(cancellation);
        int status = (int)response.StatusCode;
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{status}\n");
        foreach ((string name, IEnumerable<string> values) in response.Headers.Concat(response.Content.Headers).OrderBy(h => h.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}: {string.Join(", ", values)}\n");
        }

        return new Seen(status, text.Append(body).Replace(response.Headers.GetValues(RequestId).Single(), "…").ToString(), body);
    }
}

internal static class Bodies
{
    /// <summary>The same with one member changed or added.</summary>
    public static JsonObject With(this JsonObject body, string member, JsonNode? value)
    {
        body[member] = value;
        return body;
    }

    /// <summary>The same with one member more, if there is a value for it.</summary>
    public static JsonObject WithAny(this JsonObject body, string member, string? value) => value is null ? body : body.With(member, value);
}

/// <summary>A picture whose content is its text.</summary>
internal static class Picture
{
    public static ByteArrayContent Content(string text)
    {
        var content = new ByteArrayContent(Bytes(text));
        content.Headers.ContentType = new(Flex.Catalogue.Picture.Png);
        return content;
    }

    /// <summary>Under which it is kept.</summary>
    public static string NameOf(string text) => Flex.Catalogue.Picture.Of(new FileBody(Flex.Catalogue.Picture.Png, Bytes(text))).Value.Name;

    private static byte[] Bytes(string text) => [0x89, .. "PNG\r\n\u001a\n"u8, .. Encoding.UTF8.GetBytes(text)];
}
