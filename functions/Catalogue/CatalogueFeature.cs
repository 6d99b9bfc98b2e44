using Microsoft.Extensions.DependencyInjection;

namespace Flex.Catalogue;

public static class CatalogueFeature
{
    public static IServiceCollection AddCatalogue(this IServiceCollection services) => services
        .AddSingleton<CatalogueStore>()
        .AddSingleton<SavePlanHandler>()
        .AddSingleton<SaveResourceHandler>()
        .AddSingleton<SaveRateHandler>()
        .AddSingleton<PictureHandler>()
        .AddSingleton<CatalogueReader>();
}
