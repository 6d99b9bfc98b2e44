using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NodaTime.Text;

namespace Flex.EndToEnd.Tests.Support;

/// <summary>
/// Validates against the part of JSON Schema that the API description uses. A keyword it does not know is an error, so that
/// nothing passes because it was not looked at.
/// </summary>
public sealed class JsonSchemas(JsonObject document)
{
    private static readonly string[] Annotations = ["description", "examples", "default", "title"];

    /// <returns>What does not fit, each with its JSON pointer; empty when the value fits.</returns>
    public IReadOnlyList<string> Check(JsonNode? schema, JsonNode? value)
    {
        var wrong = new List<string>();
        Check(schema!.AsObject(), value, string.Empty, wrong);
        return wrong;
    }

    /// <summary>The schema a reference stands for.</summary>
    public JsonObject Resolve(JsonNode schema) => (string?)schema["$ref"] is { } reference
        ? Resolve(reference.TrimStart('#', '/').Split('/').Aggregate((JsonNode)document, (node, name) => node[name]!))
        : schema.AsObject();

    /// <summary>
    /// A body as a stranger would write it: the required members only, each from <paramref name="known"/> by its name where the
    /// caller knows better, else from the schema.
    /// </summary>
    public JsonNode? Sample(JsonNode schema, IReadOnlyDictionary<string, JsonNode?> known)
    {
        JsonObject resolved = Resolve(schema);
        if (resolved["anyOf"] is JsonArray any)
        {
            return any.Any(IsNull) ? null : Sample(any[0]!, known);
        }

        if (resolved["enum"] is JsonArray values)
        {
            return values[0]!.DeepClone();
        }

        return (string?)resolved["type"] switch
        {
            "object" => new JsonObject((resolved["required"]?.AsArray() ?? []).Select(name => (string)name!).Select(name => KeyValuePair.Create(
                name, known.TryGetValue(name, out JsonNode? value) ? value?.DeepClone() : Sample(resolved["properties"]![name]!, known)))),
            "array" => new JsonArray(),
            "string" => resolved["examples"]?[0]?.DeepClone() ?? "text",
            "integer" or "number" => 1,
            "boolean" => false,
            _ => throw new InvalidDataException($"No sample of {resolved.ToJsonString()}."),
        };
    }

    private static bool IsNull(JsonNode? schema) => (string?)schema!["type"] == "null";

    private void Check(JsonObject schema, JsonNode? value, string at, List<string> wrong)
    {
        foreach ((string keyword, JsonNode? rule) in schema)
        {
            bool fits = keyword switch
            {
                "$ref" => Into(Resolve(schema), value, at, wrong),
                "anyOf" => rule!.AsArray().Any(s => Check(s, value).Count == 0),
                "type" => rule is JsonArray types ? types.Any(t => Is((string)t!, value)) : Is((string)rule!, value),
                "enum" => rule!.AsArray().Any(e => JsonNode.DeepEquals(e, value)),
                "const" => JsonNode.DeepEquals(rule, value),
                "pattern" => value is not JsonValue || !Is("string", value) || Regex.IsMatch((string)value!, (string)rule!),
                "format" => !Is("string", value) || HasFormat((string)rule!, (string)value!),
                "minimum" => !Is("number", value) || value!.GetValue<decimal>() >= (decimal)rule!,
                "maximum" => !Is("number", value) || value!.GetValue<decimal>() <= (decimal)rule!,
                "minLength" => !Is("string", value) || ((string)value!).Length >= (int)rule!,
                "maxLength" => !Is("string", value) || ((string)value!).Length <= (int)rule!,
                "items" => value is not JsonArray list || Items(rule!.AsObject(), list, at, wrong),
                "properties" => value is not JsonObject thing || Members(rule!.AsObject(), thing, at, wrong),
                "required" => value is not JsonObject thing || rule!.AsArray().All(name => thing.ContainsKey((string)name!)),
                "additionalProperties" => value is not JsonObject thing || Others(schema, rule!, thing, at, wrong),
                _ => Annotations.Contains(keyword) ? true : throw new InvalidDataException($"The schema at {at} has the unknown keyword {keyword}."),
            };
            if (!fits)
            {
                wrong.Add($"{(at.Length == 0 ? "/" : at)}: {keyword} {rule!.ToJsonString()} does not fit {value?.ToJsonString() ?? "null"}");
            }
        }
    }

    private bool Into(JsonObject schema, JsonNode? value, string at, List<string> wrong)
    {
        Check(schema, value, at, wrong);
        return true;
    }

    private bool Items(JsonObject schema, JsonArray list, string at, List<string> wrong)
    {
        for (int i = 0; i < list.Count; i++)
        {
            Check(schema, list[i], $"{at}/{i.ToString(CultureInfo.InvariantCulture)}", wrong);
        }

        return true;
    }

    private bool Members(JsonObject schemas, JsonObject thing, string at, List<string> wrong)
    {
        foreach ((string name, JsonNode? schema) in schemas.Where(s => thing.ContainsKey(s.Key)))
        {
            Check(schema!.AsObject(), thing[name], $"{at}/{name}", wrong);
        }

        return true;
    }

    private bool Others(JsonObject schema, JsonNode rule, JsonObject thing, string at, List<string> wrong)
    {
        string[] others = [.. thing.Select(m => m.Key).Where(name => schema["properties"]?[name] is null)];
        if (rule is not JsonObject other)
        {
            return (bool)rule || others.Length == 0;
        }

        foreach (string name in others)
        {
            Check(other, thing[name], $"{at}/{name}", wrong);
        }

        return true;
    }

    private static bool Is(string type, JsonNode? value) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value?.GetValueKind() == JsonValueKind.String,
        "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        "number" => value?.GetValueKind() == JsonValueKind.Number,
        "integer" => value?.GetValueKind() == JsonValueKind.Number && decimal.IsInteger(value.GetValue<decimal>()),
        _ => throw new InvalidDataException($"There is no type {type}."),
    };

    private static bool HasFormat(string format, string text) => format switch
    {
        "date-time" => OffsetDateTimePattern.Rfc3339.Parse(text).Success,
        "date" => LocalDatePattern.Iso.Parse(text).Success,
        "time" => LocalTimePattern.ExtendedIso.Parse(text).Success,
        "uri" => Uri.TryCreate(text, UriKind.Absolute, out _),
        "duration" => PeriodPattern.Roundtrip.Parse(text).Success,
        _ => throw new InvalidDataException($"There is no format {format}."),
    };
}
