using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Flex.Platform.Http;
using NodaTime;

namespace Flex.Platform.OpenApi;

/// <summary>
/// JSON schemas of request and response types, exported from the very serializer that reads and writes them. Objects and the
/// kernel's own forms become named components, referred to wherever they occur.
/// </summary>
internal sealed class SchemaBuilder
{
    private static readonly Dictionary<Type, Func<JsonObject>> Known = new()
    {
        [typeof(Money)] = () => new JsonObject
        {
            ["type"] = "object",
            ["description"] = "An amount as a decimal string with at most the digits the currency has.",
            ["properties"] = new JsonObject
            {
                ["amount"] = new JsonObject { ["type"] = "string", ["pattern"] = "^-?[0-9]{1,12}(\\.[0-9]{1,3})?$", ["examples"] = new JsonArray("14.98") },
                ["currency"] = Ref(nameof(Currency)),
            },
            ["required"] = new JsonArray("amount", "currency"),
            ["additionalProperties"] = false,
        },
        [typeof(Currency)] = () => new JsonObject
        {
            ["type"] = "string",
            ["description"] = "ISO 4217, lower-case.",
            ["enum"] = new JsonArray([.. Currency.All.Select(c => (JsonNode)c.Code).OrderBy(c => (string?)c, StringComparer.Ordinal)]),
            ["examples"] = new JsonArray("cad"),
        },
        [typeof(Instant)] = () => Text("date-time", "2025-01-31T14:30:00Z"),
        [typeof(LocalDate)] = () => Text("date", "2025-01-31"),
        [typeof(LocalTime)] = () => Text("time", "09:30:00"),
        [typeof(LocalDateTime)] = () => Text(null, "2025-01-31T09:30:00"),
        [typeof(Duration)] = () => Text(null, "24:00:00"),
        [typeof(Period)] = () => Text("duration", "P1M"),
        [typeof(DateTimeZone)] = () => Text(null, "America/New_York"),
        [typeof(JsonElement)] = () => [],
        [typeof(JsonNode)] = () => [],
        [typeof(JsonObject)] = () => new JsonObject { ["type"] = "object" },
    };

    private static readonly string[] Named = [nameof(Money), nameof(Currency)];

    private readonly SortedDictionary<string, JsonNode?> _components = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Type> _names = [];

    /// <summary>Whether objects met from now on refuse members they do not name: requests do, answers may grow.</summary>
    public bool IsClosed { get; set; }

    public JsonObject Components => new(_components.Select(c => KeyValuePair.Create(c.Key, c.Value?.DeepClone())));

    /// <summary>A schema or a reference to one.</summary>
    public JsonNode SchemaOf(Type type)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        JsonNode schema = Leaf(plain) ?? (IsObject(plain) ? Component(plain) : Export(plain));
        return plain == type ? schema : OrNull(schema);
    }

    public static JsonObject Ref(string component) => new() { ["$ref"] = "#/components/schemas/" + component };

    /// <summary>An example made of the schemas' own examples, first enum values and plain texts.</summary>
    public JsonNode? ExampleOf(JsonNode? schema, int depth = 0)
    {
        if (schema is not JsonObject node || depth > HttpJson.MaxDepth)
        {
            return null;
        }

        if ((string?)node["$ref"] is { } reference)
        {
            return ExampleOf(_components[reference[(reference.LastIndexOf('/') + 1)..]], depth + 1);
        }

        if (node["examples"] is JsonArray { Count: > 0 } examples)
        {
            return examples[0]?.DeepClone();
        }

        if (node["enum"] is JsonArray { Count: > 0 } values)
        {
            return values[0]?.DeepClone();
        }

        if (node["anyOf"] is JsonArray { Count: > 0 } any)
        {
            return ExampleOf(any[0], depth + 1);
        }

        string? type = node["type"] is JsonArray types ? (string?)types[0] : (string?)node["type"];
        return type switch
        {
            "object" => new JsonObject((node["properties"] as JsonObject ?? []).Select(p => KeyValuePair.Create(p.Key, ExampleOf(p.Value, depth + 1)))),
            "array" => new JsonArray(ExampleOf(node["items"], depth + 1)),
            "string" => "text",
            "integer" => 1,
            "number" => 1,
            "boolean" => true,
            _ => null,
        };
    }

    private JsonObject? Leaf(Type type)
    {
        if (Known.TryGetValue(type, out Func<JsonObject>? make))
        {
            return Named.Contains(type.Name) ? Component(type) : make();
        }

        if (type.IsEnum)
        {
            return new JsonObject
            {
                ["type"] = "string",
                ["enum"] = new JsonArray([.. StrictEnumConverterFactory.NamesOf(type).Select(n => (JsonNode)n)]),
            };
        }

        return IdPrefix(type) is { } prefix
            ? new JsonObject
            {
                ["type"] = "string",
                ["pattern"] = $"^{prefix}_[0-9a-hjkmnp-tv-z]{{{IdLength(type)}}}$",
                ["examples"] = new JsonArray($"{prefix}_{new string('0', IdLength(type))}"),
            }
            : null;
    }

    private JsonObject Component(Type type)
    {
        string name = NameOf(type);
        if (_names.TryAdd(name, type))
        {
            _components[name] = null;
            _components[name] = Known.TryGetValue(type, out Func<JsonObject>? make) ? make() : Export(type);
            if (type == typeof(Money))
            {
                Component(typeof(Currency));
            }
        }

        return _names[name] == type ? Ref(name) : throw new DefectException($"{type} and {_names[name]} have the same name in the API.");
    }

    /// <summary>
    /// Objects, lists and maps are taken apart here by the serializer's own contract; the framework's exporter describes the
    /// primitives. It would lose our forms inside lists and where a parameter has a default.
    /// </summary>
    private JsonNode Export(Type type)
    {
        JsonTypeInfo contract = HttpJson.Options.GetTypeInfo(type);
        return contract.Kind switch
        {
            JsonTypeInfoKind.Object => Object(contract),
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = SchemaOf(contract.ElementType!) },
            JsonTypeInfoKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = SchemaOf(contract.ElementType!) },
            _ => contract.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true }),
        };
    }

    private JsonObject Object(JsonTypeInfo contract)
    {
        JsonPropertyInfo[] members = [.. contract.Properties.Where(p => p.Get is not null || p.AssociatedParameter is not null)];
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(members.Select(m => KeyValuePair.Create(m.Name, (JsonNode?)Member(m)))),
            ["required"] = new JsonArray([.. members
                .Where(m => m.IsRequired)
                .Select(m => (JsonNode)m.Name)]),
        };
        if (IsClosed)
        {
            schema["additionalProperties"] = false;
        }

        return schema;
    }

    private JsonNode Member(JsonPropertyInfo member)
    {
        bool isNullableReference = !member.PropertyType.IsValueType && (member.AssociatedParameter?.IsNullable ?? member.IsGetNullable);
        JsonNode schema = SchemaOf(member.PropertyType);
        return isNullableReference ? OrNull(schema) : schema;
    }

    private static JsonObject OrNull(JsonNode schema) => new() { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };

    private static bool IsObject(Type type) => HttpJson.Options.GetTypeInfo(type).Kind == JsonTypeInfoKind.Object;

    /// <summary><c>PageOf&lt;BookingView&gt;</c> is called <c>BookingViewPage</c>; other generic types put their arguments first as well.</summary>
    private static string NameOf(Type type) => type.IsGenericType
        ? string.Concat(type.GetGenericArguments().Select(NameOf)) + type.Name[..type.Name.IndexOf('`')].Replace("Of", string.Empty, StringComparison.Ordinal)
        : type.Name;

    private static JsonObject Text(string? format, string example)
    {
        var schema = new JsonObject { ["type"] = "string", ["examples"] = new JsonArray(example) };
        if (format is not null)
        {
            schema["format"] = format;
        }

        return schema;
    }

    private static string? IdPrefix(Type type) => IsId(type) ? (string?)type.GetProperty(nameof(LocationId.Prefix))!.GetValue(null) : null;

    private static int IdLength(Type type) =>
        EntityId.CoreLength + (type.GetProperty(nameof(MembershipId.HasHome))?.GetValue(null) is true ? EntityId.HomeLength : 0);

    private static bool IsId(Type type) =>
        type.IsValueType && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEntityId<>));
}
