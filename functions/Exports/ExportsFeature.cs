using Microsoft.Extensions.DependencyInjection;

namespace Flex.Exports;

public static class ExportsFeature
{
    public static IServiceCollection AddExports(this IServiceCollection services) => services
        .AddSingleton<ExportArchive>()
        .AddSingleton<StoreExporter>()
        .AddSingleton<NightlyExport>()
        .AddSingleton<RestoredMessages>()
        .AddSingleton<ExportReader>();
}
