using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flex.Kernel;

/// <summary>
/// The stored and queued form of money: <c>{"minor":1498,"currency":"cad"}</c>. The HTTP form (decimal string) has its
/// own converter in Platform/Http.
/// </summary>
public sealed class MoneyStorageConverter : JsonConverter<Money>
{
    public override Money Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        Stored stored = JsonSerializer.Deserialize<Stored>(ref reader, options) ?? throw new JsonException("Money must not be null.");
        return new Money(stored.Minor, stored.Currency);
    }

    public override void Write(Utf8JsonWriter writer, Money value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("minor", value.Minor);
        writer.WriteString("currency", value.Currency.Code);
        writer.WriteEndObject();
    }

    private sealed record Stored(long Minor, Currency Currency);
}
