using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flex.Infrastructure.Tests;

/// <summary>Walks compiled templates and predicted deployments.</summary>
internal static class Arm
{
    private const string Nested = "Microsoft.Resources/deployments";

    /// <summary>A template and those nested in it, by the name of their module; the root is <c>main</c>.</summary>
    public static IEnumerable<(string Module, JsonObject Template)> Templates(JsonObject template, string module = "main") =>
        Declared(template).Where(r => TypeOf(r.Resource) == Nested)
            .SelectMany(r => Templates((JsonObject)At(r.Resource, "properties.template")!, r.Name))
            .Prepend((module, template));

    /// <summary>All resources that a template creates, nested ones included.</summary>
    public static IEnumerable<(string Module, JsonObject Resource)> Resources(JsonObject template) =>
        from nested in Templates(template)
        from declared in Declared(nested.Template)
        where TypeOf(declared.Resource) != Nested && declared.Resource["existing"] is null
        select (nested.Module, declared.Resource);

    /// <summary>The predicted resources of one type.</summary>
    public static IEnumerable<JsonObject> Predicted(JsonObject deployment, string type) =>
        Predicted(deployment).Where(r => TypeOf(r) == type);

    public static IEnumerable<JsonObject> Predicted(JsonObject deployment) => ((JsonArray)deployment["predictedResources"]!).Select(r => (JsonObject)r!);

    public static string TypeOf(JsonObject resource) => (string)resource["type"]!;

    public static string NameOf(JsonObject resource) => (string)resource["name"]!;

    /// <summary>What is at a path of member names joined by dots; null when there is nothing.</summary>
    public static JsonNode? At(JsonNode? node, string path) =>
        path.Split('.').Aggregate(node, (current, name) => current is JsonObject members ? members[name] : null);

    /// <summary>A text, number or boolean as text; null when it is none of these.</summary>
    public static string? Text(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() is var kind && kind != JsonValueKind.Null
            ? kind == JsonValueKind.String ? (string)value! : value.ToJsonString()
            : null;

    /// <summary>Every text, number and boolean below a node, with the name of the member it is the value of.</summary>
    public static IEnumerable<(string Member, string Value)> Values(JsonNode? node, string member = "") => node switch
    {
        JsonObject members => members.SelectMany(m => Values(m.Value, m.Key)),
        JsonArray items => items.SelectMany(i => Values(i, member)),
        _ when Text(node) is { } text => [(member, text)],
        _ => [],
    };

    private static IEnumerable<(string Name, JsonObject Resource)> Declared(JsonObject template) =>
        ((JsonObject)template["resources"]!).Select(r => (r.Key, (JsonObject)r.Value!));
}
