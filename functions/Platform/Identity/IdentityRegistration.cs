using Flex.Platform.Resilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform.Identity;

public static class IdentityRegistration
{
    /// <summary>Name of the HTTP client that fetches issuers' metadata and keys.</summary>
    public const string HttpClientName = "identity";

    public static IServiceCollection AddFlexIdentity(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddNetworkTime();
        services.AddSettings<AuthSettings>(configuration, AuthSettings.Section);
        services.AddFlexHttpClient(HttpClientName);
        services.AddSingleton<ITokenValidator>(s => new TokenValidator(
            [.. s.GetRequiredService<AuthSettings>().Issuers.Select(i => new IssuerKeys(
                i,
                s.GetRequiredService<IHttpClientFactory>().CreateClient(HttpClientName),
                s.GetRequiredKeyedService<TimeProvider>(NetworkTime.Key)))],
            s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AccessMiddleware>();
        return services;
    }
}
