using Microsoft.Extensions.Configuration;

namespace Flex.Local.Runtime.Hosting;

/// <summary>
/// The app's settings when nothing else is configured: every outside service is this process's own simulator, so no account
/// is needed anywhere. Environment variables (<c>Stripe__ApiKey</c>) and <c>local.settings.json</c> go before these.
/// </summary>
public static class LocalSettings
{
    public const string StripeKey = "sk_test_local";
    public const string WebhookSecret = "whsec_local";

    /// <param name="storage">An Azurite's connection string; null when storage is in memory.</param>
    public static IConfiguration Create(Uri baseAddress, string? storage, string? settingsFile = null)
    {
        string local = new Uri(baseAddress, "/local").AbsoluteUri;
        var defaults = new Dictionary<string, string?>
        {
            ["Auth:Issuers:0:Authority"] = local + "/identity",
            ["Auth:Issuers:0:Audience"] = LocalIdentity.Audience,
            ["Stripe:ApiKey"] = StripeKey,
            ["Stripe:ApiBase"] = local + "/stripe",
            ["Stripe:WebhookSecret"] = WebhookSecret,
            ["Salto:IdentityUrl"] = local + "/salto/identity",
            ["Salto:ApiUrl"] = local + "/salto/api",
            ["Salto:ClientId"] = "flex-local",
            ["Salto:ClientSecret"] = "flex-local-secret",
            ["Salto:Username"] = "flex@local.test",
            ["Salto:Password"] = "flex-local-password",
            ["Salto:MaxRequestsPerSecond"] = "0",
            ["Tables:ConnectionString"] = storage,
            ["Blobs:ConnectionString"] = storage,
        };
        IConfigurationBuilder builder = new ConfigurationBuilder().AddInMemoryCollection(defaults);
        if (settingsFile is not null && File.Exists(settingsFile))
        {
            builder.AddInMemoryCollection(Values(settingsFile));
        }

        return builder.AddEnvironmentVariables().Build();
    }

    /// <summary>The <c>Values</c> of a local.settings.json, with its double underscores as sections.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Values(string file) =>
        new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file)).Build().GetSection("Values").AsEnumerable(makePathsRelative: true)
            .Where(p => p.Value is not null)
            .Select(p => KeyValuePair.Create(p.Key.Replace("__", ":", StringComparison.Ordinal), p.Value));
}
