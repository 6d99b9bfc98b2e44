using System.Globalization;
using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// Form parameters in Stripe's encoding: <c>a[b][c]=v</c> nests, <c>expand[]=v</c> and <c>expand[0]=v</c> are lists, an empty
/// value unsets. What an endpoint reads is remembered, so that <see cref="RejectOthers"/> can refuse the rest.
/// </summary>
internal sealed class StripeParams
{
    private readonly Dictionary<string, object> fields = new(StringComparer.Ordinal);
    private readonly HashSet<string> read = new(StringComparer.Ordinal);
    private readonly string path;

    private StripeParams(string path) => this.path = path;

    public static StripeParams Parse(string query, string body)
    {
        var root = new StripeParams(string.Empty);
        foreach (string pair in $"{query}&{body}".Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            string name = Decode(equals < 0 ? pair : pair[..equals]);
            string value = equals < 0 ? string.Empty : Decode(pair[(equals + 1)..]);
            root.Add(name, value);
        }

        root.read.Add("expand");
        return root;
    }

    public bool Has(string name)
    {
        read.Add(name);
        return fields.ContainsKey(name);
    }

    public bool IsText(string name) => fields.GetValueOrDefault(name) is string;

    /// <summary>The text; null when absent or empty (see <see cref="Has"/> to tell these apart).</summary>
    public string? Text(string name)
    {
        read.Add(name);
        return fields.TryGetValue(name, out object? value)
            ? value is string text ? (text.Length == 0 ? null : text) : throw Bad($"Invalid string: {Full(name)}", name, null)
            : null;
    }

    public string Required(string name)
    {
        read.Add(name);
        if (!fields.TryGetValue(name, out object? value))
        {
            throw Bad($"Missing required param: {Full(name)}.", name, "parameter_missing");
        }

        return value is string { Length: > 0 } text
            ? text
            : throw Bad($"You passed an empty string for '{Full(name)}'.", name, "parameter_invalid_empty");
    }

    public string? OneOf(string name, params ReadOnlySpan<string> allowed)
    {
        string? text = Text(name);
        return text is null || allowed.Contains(text)
            ? text
            : throw Bad($"Invalid {Full(name)}: must be one of {string.Join(", ", allowed!)}", name, null);
    }

    public long? Whole(string name) => Text(name) is not { } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value
        : throw Bad($"Invalid integer: {text}", name, "parameter_invalid_integer");

    public long RequiredWhole(string name)
    {
        _ = Required(name);
        return Whole(name)!.Value;
    }

    public bool? Flag(string name) => Text(name) switch
    {
        null => null,
        "true" or "1" => true,
        "false" or "0" => false,
        var text => throw Bad($"Invalid boolean: {text}", name, null),
    };

    public StripeParams? Nested(string name)
    {
        read.Add(name);
        return fields.GetValueOrDefault(name) switch
        {
            null or "" => null,
            StripeParams nested => nested,
            _ => throw Bad($"Invalid object", name, null),
        };
    }

    /// <summary>A list of texts; null when absent, empty when unset.</summary>
    public IReadOnlyList<string>? List(string name)
    {
        read.Add(name);
        return fields.GetValueOrDefault(name) switch
        {
            null => null,
            "" => [],
            StripeParams nested => [.. nested.fields.Values.OfType<string>()],
            _ => throw Bad("Invalid array", name, null),
        };
    }

    /// <summary>A nested object as it came, all texts, for fields that are kept but not interpreted.</summary>
    public JsonObject? Object(string name) => Nested(name)?.ToJson();

    /// <summary>Applies <c>metadata[k]=v</c>: an empty value removes the key, an empty <c>metadata</c> removes all.</summary>
    public Dictionary<string, string> Metadata(Dictionary<string, string> current)
    {
        if (!Has("metadata"))
        {
            return current;
        }

        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Nested("metadata") is { } changes)
        {
            foreach ((string key, string value) in current)
            {
                result[key] = value;
            }

            foreach ((string key, object value) in changes.fields)
            {
                if (value is not string { Length: > 0 } text)
                {
                    result.Remove(key);
                    continue;
                }

                result[key] = key.Length <= 40 && text.Length <= 500
                    ? text
                    : throw Bad("Metadata keys have at most 40 characters and values at most 500.", $"metadata[{key}]", null);
            }
        }

        return result.Count <= 50 ? result : throw Bad("Metadata can have at most 50 keys.", "metadata", null);
    }

    /// <summary>Known parameters this simulator accepts without using them.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            read.Add(name);
        }
    }

    public void RejectOthers()
    {
        var unknown = fields.Keys.Where(name => !read.Contains(name)).ToList();
        if (unknown.Count > 0)
        {
            string names = string.Join(", ", unknown.Select(Full));
            throw Bad($"Received unknown parameter{(unknown.Count > 1 ? "s" : string.Empty)}: {names}", unknown[0], "parameter_unknown");
        }
    }

    public StripeProblem Bad(string message, string name, string? code) => StripeProblem.BadParameter(message, Full(name), code);

    public string Full(string name) => path.Length == 0 ? name : $"{path}[{name}]";

    private JsonObject ToJson()
    {
        var json = new JsonObject();
        foreach ((string key, object value) in fields)
        {
            json[key] = value is StripeParams nested ? nested.ToJson() : JsonValue.Create((string)value);
        }

        return json;
    }

    private void Add(string name, string value)
    {
        int bracket = name.IndexOf('[', StringComparison.Ordinal);
        string head = bracket < 0 ? name : name[..bracket];
        StripeParams at = this;
        string rest = bracket < 0 ? string.Empty : name[bracket..];
        while (rest.Length > 0)
        {
            int close = rest.IndexOf(']', StringComparison.Ordinal);
            if (close < 0 || rest[0] != '[')
            {
                throw Bad($"Invalid parameter name: {name}", name, null);
            }

            if (at.fields.GetValueOrDefault(head) is not StripeParams next)
            {
                next = new StripeParams(at.Full(head));
                at.fields[head] = next;
            }

            at = next;
            head = rest[1..close];
            head = head.Length == 0 ? at.fields.Count.ToString(CultureInfo.InvariantCulture) : head;
            rest = rest[(close + 1)..];
        }

        at.fields[head] = value;
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
