using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flex.Platform.Resilience;

/// <summary>
/// The clock of the wire: timeouts, back-off, circuit breaks and cached keys. It is the machine's own also when business time
/// is simulated, so that a retry never waits for somebody to advance the calendar.
/// </summary>
public static class NetworkTime
{
    /// <summary>Service key of the <see cref="TimeProvider"/>.</summary>
    public const string Key = "network";

    public static IServiceCollection AddNetworkTime(this IServiceCollection services)
    {
        services.TryAddKeyedSingleton(Key, TimeProvider.System);
        return services;
    }
}
