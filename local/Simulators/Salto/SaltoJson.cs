using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.WebUtilities;

namespace Flex.Local.Simulators.Salto;

/// <summary>Salto's wire forms: snake_case JSON, <c>{ErrorCode, Message}</c>, and problem documents on some paths.</summary>
public static class SaltoJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    private static readonly JsonSerializerOptions Verbatim = new();

    public static SaltoResponse Answer<T>(int status, T body) => new(status, JsonSerializer.Serialize(body, Options));

    public static SaltoResponse Empty(int status) => new(status, null);

    /// <summary>The error shape of most endpoints. The code is a string of digits.</summary>
    public static SaltoResponse Error(int status, string code, string message) =>
        new(status, JsonSerializer.Serialize(new { ErrorCode = code, Message = message }, Verbatim));

    /// <summary>The error shape of the other endpoints (RFC 7807).</summary>
    public static SaltoResponse Problem(int status, string title) =>
        new(status, JsonSerializer.Serialize(new { type = "about:blank", title, status }, Verbatim), "application/problem+json");

    public static Dictionary<string, string> Form(string body) =>
        QueryHelpers.ParseQuery(body).ToDictionary(p => p.Key, p => p.Value.ToString(), StringComparer.Ordinal);

    /// <summary>The body as an object; null when it is none.</summary>
    public static JsonElement? Object(string body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body.Length == 0 ? "{}" : body);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static string? Text(this JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static bool? Flag(this JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    public static IReadOnlyList<string> Texts(this JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.String).Select(i => i.GetString()!)]
            : [];
}
