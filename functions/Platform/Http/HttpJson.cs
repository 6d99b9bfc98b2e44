using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using NodaTime;
using NodaTime.Serialization.SystemTextJson;

namespace Flex.Platform.Http;

/// <summary>
/// The one JSON form of requests and responses: camelCase, enums as camelCase strings, RFC 3339 instants, ISO dates, money as
/// decimal string and currency, nulls written. Reading is strict: unknown, duplicate and missing members, numbers in quotes,
/// nulls where none belong, and numbers for enums are refused. A member that may be null may also be left out.
/// </summary>
public static class HttpJson
{
    /// <summary>Deeper nesting than any request here has; bounds the reader's stack.</summary>
    public const int MaxDepth = 32;

    public const string ContentType = "application/json; charset=utf-8";

    public static JsonSerializerOptions Options { get; } = Create();

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    /// <summary>Gives other options this form: the host's own, which <c>Results.Ok</c> would use.</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DictionaryKeyPolicy = null;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.TypeInfoResolverChain.Insert(0, new DefaultJsonTypeInfoResolver { Modifiers = { RequireWhatCannotBeNull } });
        options.DefaultIgnoreCondition = JsonIgnoreCondition.Never;
        options.MaxDepth = MaxDepth;
        options.Converters.Insert(0, new MoneyHttpConverter());
        options.Converters.Insert(1, new Rfc3339InstantConverter());
        options.Converters.Insert(2, new StrictEnumConverterFactory());
        options.ConfigureForNodaTime(DateTimeZoneProviders.Tzdb);
    }

    private static void RequireWhatCannotBeNull(JsonTypeInfo type)
    {
        // What has no setter cannot be read anyway.
        foreach (JsonPropertyInfo member in type.Properties.Where(p => p.Set is not null))
        {
            member.IsRequired |= member.AssociatedParameter is { HasDefaultValue: false } parameter
                && !parameter.IsNullable
                && Nullable.GetUnderlyingType(parameter.ParameterType) is null;
        }
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Apply(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}

/// <summary>
/// A value that has the right JSON type but is not acceptable: 422 at the place where it stands, whereas any other
/// <see cref="JsonException"/> is 400.
/// </summary>
public sealed class UnacceptableValueException : JsonException
{
    public UnacceptableValueException()
    {
    }

    public UnacceptableValueException(string message)
        : base(message)
    {
    }

    public UnacceptableValueException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
