using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flex.Access;

/// <summary>The JSON of Salto KS Connect, as far as it is used. Members that are not listed are ignored.</summary>
internal static class SaltoWire
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    internal sealed record Token(string AccessToken, int ExpiresIn);

    internal sealed record Role(string Id, string? Code);

    internal sealed record Person(string Id, string? Email);

    internal sealed record SiteUser(string Id, string? SubscriptionState, Person? User, IReadOnlyList<Role>? Roles);

    internal sealed record Group(string Id);

    internal sealed record NewUser(string Alias, string FirstName, string LastName, string Email, bool Blocked, IReadOnlyList<string> RoleIds, bool UsePin);

    internal sealed record NewGroupUser(string UserId);

    /// <summary>Written as <c>state</c>, read as <c>subscription_state</c>.</summary>
    internal sealed record Subscription(string State);

    /// <summary>Lists come bare or as a page; both are read.</summary>
    public static (IReadOnlyList<T> Items, string? Next) List<T>(JsonElement body)
    {
        if (body.ValueKind == JsonValueKind.Array)
        {
            return (body.Deserialize<List<T>>(Options) ?? [], null);
        }

        string? next = body.TryGetProperty("next_page_link", out JsonElement link) && link.ValueKind == JsonValueKind.String ? link.GetString() : null;
        return (body.GetProperty("items").Deserialize<List<T>>(Options) ?? [], next);
    }

    /// <summary>The <c>ErrorCode</c> of a body, which also successful answers may carry; null when there is none or it is zero.</summary>
    public static string? ErrorCode(JsonElement? body)
    {
        if (body is not { ValueKind: JsonValueKind.Object } answer || !answer.TryGetProperty("ErrorCode", out JsonElement code))
        {
            return null;
        }

        string text = code.ValueKind == JsonValueKind.String ? code.GetString()! : code.GetRawText();
        return text is "0" or "" or "null" ? null : text;
    }
}
