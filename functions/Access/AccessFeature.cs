using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Resilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Access;

/// <summary>
/// Registers door access. The local host may put the simulator's handler under the HTTP client named
/// <see cref="SaltoSession.HttpClientName"/>.
/// </summary>
public static class AccessFeature
{
    public static IServiceCollection AddAccess(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<SaltoOptions>(configuration, SaltoOptions.Section);
        services.AddFlexHttpClient(SaltoSession.HttpClientName, new OutgoingLimits { Concurrency = 1 });
        services.AddSingleton<SaltoSession>();
        services.AddSingleton<IAccessDirectory, MemberDirectory>();
        services.AddSingleton<IAccessSettings, OperatorAccessSettings>();
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
