using Microsoft.Extensions.DependencyInjection;

namespace Flex.Settings;

public static class SettingsFeature
{
    public static IServiceCollection AddSettings(this IServiceCollection services) => services
        .AddSingleton<SettingsStore>()
        .AddSingleton<OperatorHandler>()
        .AddSingleton<CreateLocationHandler>()
        .AddSingleton<LocationHandler>()
        .AddSingleton<TaxRateHandler>();
}
