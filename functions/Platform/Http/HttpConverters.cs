using System.Text.Json;
using System.Text.Json.Serialization;
using NodaTime;
using NodaTime.Text;

namespace Flex.Platform.Http;

/// <summary>
/// Money over HTTP: <c>{"amount":"14.98","currency":"cad"}</c>, a decimal string with at most the digits the currency has.
/// Takes precedence over the storage form because converters of the options come before those of the type.
/// </summary>
public sealed class MoneyHttpConverter : JsonConverter<Money>
{
    public override Money Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        Wire wire = Parse(ref reader, options);
        return Money.TryParse(wire.Amount, wire.Currency, out Money money)
            ? money
            : throw new UnacceptableValueException($"The amount must be a decimal with at most {wire.Currency.Exponent} digits after the point.");
    }

    public override void Write(Utf8JsonWriter writer, Money value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("amount", value.ToDecimalString());
        writer.WriteString("currency", value.Currency.Code);
        writer.WriteEndObject();
    }

    private static Wire Parse(ref Utf8JsonReader reader, JsonSerializerOptions options)
    {
        try
        {
            return JsonSerializer.Deserialize<Wire>(ref reader, options) ?? throw new JsonException("Money must not be null.");
        }
        catch (JsonException within)
        {
            // Without a path of its own, the outer reader adds the path to here; JsonPointers joins the two.
            throw new JsonException(within.Message, within);
        }
    }

    private sealed record Wire(string Amount, Currency Currency);
}

/// <summary>Instants as RFC 3339: read with any offset, written in UTC with <c>Z</c>.</summary>
public sealed class Rfc3339InstantConverter : JsonConverter<Instant>
{
    public override Instant Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return text is not null && OffsetDateTimePattern.Rfc3339.Parse(text) is { Success: true } parsed
            ? parsed.Value.ToInstant()
            : throw new JsonException("Not an RFC 3339 time with zone, e.g. 2025-01-31T09:30:00Z.");
    }

    public override void Write(Utf8JsonWriter writer, Instant value, JsonSerializerOptions options) =>
        writer.WriteStringValue(InstantPattern.ExtendedIso.Format(value));
}

/// <summary>Enums by their camelCase name, letter by letter: no numbers, no other case, no lists.</summary>
public sealed class StrictEnumConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsEnum;

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(StrictEnumConverter<>).MakeGenericType(typeToConvert))!;

    /// <summary>The accepted names of an enum type, in declaration order.</summary>
    public static IReadOnlyList<string> NamesOf(Type type) => [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)];
}

internal sealed class StrictEnumConverter<T> : JsonConverter<T>
    where T : struct, Enum
{
    private static readonly Dictionary<string, T> Values =
        Enum.GetNames<T>().ToDictionary(JsonNamingPolicy.CamelCase.ConvertName, Enum.Parse<T>, StringComparer.Ordinal);

    private static readonly Dictionary<T, string> Names = Values.ToDictionary(v => v.Value, v => v.Key);

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Values.TryGetValue(reader.GetString()!, out T value)
            ? value
            : throw new JsonException($"Must be one of {string.Join(", ", Values.Keys)}.");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(Names[value]);

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Values.TryGetValue(reader.GetString()!, out T value) ? value : throw new JsonException($"Must be one of {string.Join(", ", Values.Keys)}.");

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WritePropertyName(Names[value]);
}
