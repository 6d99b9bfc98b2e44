using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flex.Local.Runtime.Durable;

/// <summary>
/// JSON text that is stored as it is, neither parsed nor escaped again: payloads of activities, events and instances. The
/// text must be valid JSON; JSON's null reads back as no value.
/// </summary>
[JsonConverter(typeof(RawJsonConverter))]
public readonly record struct RawJson(string Text)
{
    /// <summary>The payload for a serialiser's answer; null stays null.</summary>
    public static RawJson? From(string? text) => text is null ? null : new RawJson(text);

    public override string ToString() => Text;
}

internal sealed class RawJsonConverter : JsonConverter<RawJson>
{
    public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        return new RawJson(document.RootElement.GetRawText());
    }

    public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Text, skipInputValidation: true);
}
