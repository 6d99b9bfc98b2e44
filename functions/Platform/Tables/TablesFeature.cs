using Azure.Core;
using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform.Tables;

/// <summary>Registers table storage on an account or its emulator; see <see cref="TableOptions"/>.</summary>
public static class TablesFeature
{
    public static IServiceCollection AddAzureTables(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<TableOptions>(configuration, TableOptions.Section);
        services.AddSingleton(provider => CreateStore(provider.GetRequiredService<TableOptions>()));
        services.AddSingleton<ITableStore>(provider => provider.GetRequiredService<AzureTableStore>());
        services.AddSingleton<ITableScanner>(provider => provider.GetRequiredService<AzureTableStore>());
        return services;
    }

    /// <summary>A store outside of dependency injection: tools and tests.</summary>
    /// <param name="transport">Stands between the client and the network; tests lose answers with it.</param>
    public static AzureTableStore CreateStore(TableOptions options, Azure.Core.Pipeline.HttpPipelineTransport? transport = null)
    {
        SettingsException.ThrowIfFaulty(TableOptions.Section, options);
        var settings = new TableClientOptions();
        StorageEndpoint.Configure(settings, "table");
        if (transport is not null)
        {
            settings.Transport = transport;
        }

        TableServiceClient client = options.ServiceUri is { } address
            ? new TableServiceClient(address, ManagedIdentity.Of(options.ClientId), settings)
            : new TableServiceClient(options.ConnectionString, settings);
        return new AzureTableStore(client, options.Prefix);
    }
}
