using Flex.Platform.Resilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform.Limits;

public static class LimitsRegistration
{
    public static IServiceCollection AddFlexLimits(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddNetworkTime();
        services.AddSettings<RateLimits>(configuration, RateLimits.Section, settings => settings.Check());
        services.AddSingleton<CallLimits>();
        services.AddSingleton<RateLimitMiddleware>();
        return services;
    }
}
