using Flex.Platform.Limits;
using Microsoft.Extensions.Configuration;

namespace Flex.Local.Runtime.Hosting;

/// <summary>
/// The app's settings on one machine. Every outside service is this process's own simulator unless the user configures a real
/// one, by environment variables (<c>Stripe__ApiKey</c>) or <c>local.settings.json</c>; so no account is needed anywhere.
/// </summary>
public static class LocalSettings
{
    /// <summary>What the user has configured.</summary>
    public static IConfiguration OfUser(string? settingsFile)
    {
        var builder = new ConfigurationBuilder();
        if (settingsFile is not null && File.Exists(settingsFile))
        {
            builder.AddInMemoryCollection(Values(settingsFile));
        }

        return builder.AddEnvironmentVariables().Build();
    }

    /// <summary>
    /// Rate limits that nobody meets, for scripts that do what a whole space does in months within a minute, all from one address.
    /// </summary>
    public static IReadOnlyDictionary<string, string?> AmpleRateLimits { get; } = (
        from policy in typeof(RateLimits).GetProperties()
        from number in typeof(RateSettings).GetProperties()
        select $"{RateLimits.Section}:{policy.Name}:{number.Name}").ToDictionary(name => name, _ => (string?)$"{RateSettings.Max}");

    /// <param name="more">Settings before which only the user's go.</param>
    /// <param name="storage">An Azurite's connection string; null when storage is in memory.</param>
    public static IConfiguration Create(
        IConfiguration user, IEnumerable<ILocalModule> modules, IReadOnlyDictionary<string, string?> more, string? storage) => new ConfigurationBuilder()
        .AddInMemoryCollection(modules.SelectMany(m => m.Settings))
        .AddInMemoryCollection(more)
        .AddInMemoryCollection(new Dictionary<string, string?> { ["Tables:ConnectionString"] = storage, ["Blobs:ConnectionString"] = storage })
        .AddConfiguration(user)
        .Build();

    /// <summary>The <c>Values</c> of a local.settings.json, with its double underscores as sections.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Values(string file) =>
        new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file)).Build().GetSection("Values").AsEnumerable(makePathsRelative: true)
            .Where(p => p.Value is not null)
            .Select(p => KeyValuePair.Create(p.Key.Replace("__", ":", StringComparison.Ordinal), p.Value));
}
