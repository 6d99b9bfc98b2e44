using FluentValidation;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Settings;

public static class SettingsFeature
{
    public static IServiceCollection AddSettings(this IServiceCollection services) => services
        .AddSingleton<SettingsStore>()
        .AddSingleton<OperatorHandler>()
        .AddSingleton<CreateLocationHandler>()
        .AddSingleton<LocationHandler>()
        .AddSingleton<TaxRateHandler>()
        .AddSingleton<IValidator<EditOperatorRequest>, EditOperatorValidator>()
        .AddSingleton<IValidator<LocationRequest>, LocationValidator>()
        .AddSingleton<IValidator<CreateTaxRateRequest>, CreateTaxRateValidator>();
}
