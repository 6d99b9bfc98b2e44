using Flex.Platform.Messaging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Flex.Access;

/// <summary>
/// Registers door access. The application adds <see cref="IAccessDirectory"/> and <see cref="IAccessSettings"/>, and configures the
/// named HTTP client <see cref="SaltoSession.HttpClientName"/> (resilience; the simulator's handler on one machine).
/// </summary>
public static class AccessFeature
{
    /// <param name="network">The clock of waits between calls to Salto; the system's own.</param>
    public static IServiceCollection AddAccess(this IServiceCollection services, IConfiguration configuration, TimeProvider network)
    {
        services.Configure<SaltoOptions>(configuration.GetSection(SaltoOptions.Section));
        services.AddHttpClient(SaltoSession.HttpClientName);
        services.AddSingleton(p => new SaltoSession(
            p.GetRequiredService<IHttpClientFactory>(), p.GetRequiredService<IOptions<SaltoOptions>>(), p.GetRequiredService<TimeProvider>(), network));
        services.AddSingleton<IDoorAccess, SaltoClient>();
        services.AddSingleton<AccessStore>();
        services.AddSingleton<AccessSync>();
        services.AddSingleton<ReconcilePendingAccess>();
        services.AddSingleton<GetAccess>();
        services.AddSingleton<IMessageHandler, ApplyEntitlement>();
        services.AddSingleton<IMessageHandler, ReconcileMemberAccess>();
        return services;
    }
}
