using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flex.Kernel;

/// <summary>
/// An ISO 4217 currency on the allow-list, with its ISO exponent (digits after the decimal point).
/// A payment provider's exponent may differ and is converted at that provider's edge.
/// </summary>
[JsonConverter(typeof(CurrencyJsonConverter))]
public sealed class Currency : IEquatable<Currency>
{
    private static readonly Dictionary<string, Currency> Allowed = new Currency[]
    {
        new("aud", 2), new("bhd", 3), new("cad", 2), new("chf", 2), new("czk", 2), new("dkk", 2), new("eur", 2),
        new("gbp", 2), new("jpy", 0), new("kwd", 3), new("nok", 2), new("nzd", 2), new("pln", 2), new("sek", 2),
        new("sgd", 2), new("usd", 2),
    }.ToDictionary(c => c.Code, StringComparer.Ordinal);

    private Currency(string code, int exponent)
    {
        Code = code;
        Exponent = exponent;
    }

    /// <summary>Lower-case ISO 4217 code, e.g. <c>eur</c>.</summary>
    public string Code { get; }

    /// <summary>Digits of the minor unit by ISO 4217: 0, 2 or 3.</summary>
    public int Exponent { get; }

    public static IReadOnlyCollection<Currency> All => Allowed.Values;

    public static Currency Parse(string code) =>
        TryParse(code, out Currency? currency) ? currency : throw new FormatException($"Currency '{code}' is not on the allow-list.");

    public static bool TryParse(string? code, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Currency? currency)
    {
        currency = null;
        return code is { Length: 3 } && Allowed.TryGetValue(code.ToLowerInvariant(), out currency);
    }

    public bool Equals(Currency? other) => other is not null && Code == other.Code;

    public override bool Equals(object? obj) => Equals(obj as Currency);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Code);

    public override string ToString() => Code;
}

/// <summary>Stored and sent as the lower-case code.</summary>
public sealed class CurrencyJsonConverter : JsonConverter<Currency>
{
    public override Currency Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Currency.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out Currency? currency)
            ? currency
            : throw new JsonException("Not an allowed ISO 4217 currency code.");

    public override void Write(Utf8JsonWriter writer, Currency value, JsonSerializerOptions options) => writer.WriteStringValue(value.Code);
}
