using Flex.Platform.Health;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flex.Platform;

/// <summary>
/// Registers what stands on the ports to tables, blobs and the broker; the host registers the adapters. What the host has
/// registered before (a clock, an id source, limits of its broker) stays.
/// </summary>
public static class PlatformFeature
{
    public static IServiceCollection AddPlatformStorage(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IIdSource>(provider => TimeOrderedIds.Random(provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(MessageLimits.ServiceBus);
        services.TryAddSingleton<IMessageBodies, MessageBodies>();
        services.TryAddSingleton<Committer>();
        services.TryAddSingleton<MessageDispatcher>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IMessageHandler, OutboxSweepHandler>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IReadinessCheck, StorageReadiness>());
        return services;
    }
}
