using Microsoft.Extensions.DependencyInjection;

namespace Flex.Storefront;

public static class StorefrontFeature
{
    public static IServiceCollection AddStorefront(this IServiceCollection services) => services
        .AddSingleton<VisitorStore>()
        .AddSingleton<BookAsVisitorHandler>();
}
