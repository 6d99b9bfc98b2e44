using System.Text.Json;

namespace Flex.Local.Runtime.Functions;

/// <summary>What the local host reads from host.json, which lies beside the functions' assembly.</summary>
/// <param name="RoutePrefix">Without slashes at its ends; may be empty.</param>
public sealed record HostJson(string RoutePrefix)
{
    public static HostJson Default { get; } = new("api");

    public static HostJson Load(string path)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
        return json.RootElement.TryGetProperty("extensions", out JsonElement extensions)
            && extensions.TryGetProperty("http", out JsonElement http)
            && http.TryGetProperty("routePrefix", out JsonElement prefix)
            ? new HostJson(prefix.GetString()!.Trim('/'))
            : Default;
    }
}
