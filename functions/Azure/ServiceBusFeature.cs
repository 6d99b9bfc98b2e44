using Azure.Messaging.ServiceBus;
using Flex.Platform;
using Flex.Platform.Health;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Hosting;

public static class ServiceBusFeature
{
    public static IServiceCollection AddServiceBus(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<ServiceBusSettings>(configuration, ServiceBusSettings.Section);
        services.AddSingleton(provider => CreateClient(provider.GetRequiredService<ServiceBusSettings>()));
        services.AddSingleton<IMessagePublisher, ServiceBusPublisher>();
        services.AddSingleton<IDeadLetters, ServiceBusDeadLetters>();
        services.AddSingleton<IReadinessCheck, ServiceBusReadiness>();
        return services;
    }

    private static ServiceBusClient CreateClient(ServiceBusSettings settings) => new(
        settings.FullyQualifiedNamespace,
        ManagedIdentity.Of(settings.ClientId),
        new ServiceBusClientOptions
        {
            // Worst case about 15 s: callers hold an HTTP request or a message's lock meanwhile.
            RetryOptions = new ServiceBusRetryOptions
            {
                Mode = ServiceBusRetryMode.Exponential,
                MaxRetries = 2,
                Delay = TimeSpan.FromMilliseconds(500),
                MaxDelay = TimeSpan.FromSeconds(2),
                TryTimeout = TimeSpan.FromSeconds(4),
            },
        });
}
