using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

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
