using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>A list or operation without filters.</summary>
public sealed record NoQuery;

/// <summary>
/// Reads query strings strictly: a parameter the operation does not know is 400 <c>unknown_parameter</c>, because ignoring a
/// filter would return other people's data. A filter type is a record; its JSON member names are the parameters' names, e.g.
/// <c>[property: JsonPropertyName("startsAt[gte]")]</c>.
/// </summary>
public static class RequestQuery
{
    public const string LimitParameter = "limit";
    public const string CursorParameter = "cursor";

    /// <summary>The filters; parameters named in <paramref name="alsoKnown"/> are left for the caller to read.</summary>
    public static T Parse<T>(HttpRequest request, params ReadOnlySpan<string> alsoKnown)
    {
        IList<JsonPropertyInfo> members = HttpJson.Options.GetTypeInfo(typeof(T)).Properties;
        var values = new JsonObject();
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues texts) in request.Query)
        {
            if (alsoKnown.Contains(name))
            {
                continue;
            }

            JsonPropertyInfo member = members.FirstOrDefault(m => m.Name == name)
                ?? throw new RefusalException(new Error(
                    ErrorKind.Malformed, ErrorCodes.UnknownParameter, "The query has a parameter this operation does not know.")
                {
                    Fields = [new FieldError(JsonPointers.FromJsonPath($"['{name}']"), ErrorCodes.UnknownParameter, "Not a parameter of this operation.")],
                });
            values[name] = ToNode(member.PropertyType, Single(name, texts), name);
        }

        try
        {
            return values.Deserialize<T>(HttpJson.Options)!;
        }
        catch (JsonException broken)
        {
            throw new RefusalException(RefusalException.Malformed(
                "A query parameter does not have the expected form, or a needed one is missing.", JsonPointers.Of(broken)));
        }
    }

    /// <summary><c>limit</c> (1 to 100, default 50) and <c>cursor</c>.</summary>
    public static Paging ParsePaging(HttpRequest request)
    {
        int limit = Paging.DefaultLimit;
        if (request.Query.TryGetValue(LimitParameter, out var limits)
            && (!int.TryParse(Single(LimitParameter, limits), NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > Paging.MaxLimit))
        {
            throw new RefusalException(Error.Invalid(ErrorCodes.InvalidValue, "/limit", $"limit is a whole number from 1 to {Paging.MaxLimit}."));
        }

        var paging = new Paging(limit, null, ScopeOf(request));
        if (!request.Query.TryGetValue(CursorParameter, out var cursors))
        {
            return paging;
        }

        return paging.Position(Single(CursorParameter, cursors)) is { } position
            ? paging with { After = position }
            : throw new RefusalException(new Error(ErrorKind.Malformed, ErrorCodes.InvalidCursor, "The cursor was not issued by this list with these filters.")
            {
                Fields = [new FieldError("/cursor", ErrorCodes.InvalidCursor, "Not a cursor of this list.")],
            });
    }

    /// <summary>The path and the filters, order-free: what a cursor belongs to.</summary>
    private static string ScopeOf(HttpRequest request)
    {
        IEnumerable<string> filters = request.Query
            .Where(q => q.Key is not (LimitParameter or CursorParameter))
            .Select(q => q.Key + "=" + q.Value)
            .Order(StringComparer.Ordinal);
        byte[] text = Encoding.UTF8.GetBytes(request.Path.Value?.ToLowerInvariant().TrimEnd('/') + "?" + string.Join('&', filters));
        return Convert.ToHexStringLower(SHA256.HashData(text));
    }

    private static string Single(string name, Microsoft.Extensions.Primitives.StringValues values) => values.Count == 1
        ? values[0] ?? string.Empty
        : throw new RefusalException(RefusalException.Malformed("A query parameter is given more than once.", JsonPointers.FromJsonPath($"['{name}']")));

    /// <summary>Numbers and booleans are their JSON text; everything else is a JSON string that the member's converter reads.</summary>
    private static JsonNode? ToNode(Type type, string text, string name)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain == typeof(bool))
        {
            return text is "true" or "false" ? text == "true" : throw Broken(name);
        }

        if (plain == typeof(int) || plain == typeof(long))
        {
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : throw Broken(name);
        }

        return text;
    }

    private static RefusalException Broken(string name) =>
        new(RefusalException.Malformed("A query parameter does not have the expected form.", JsonPointers.FromJsonPath($"['{name}']")));
}
