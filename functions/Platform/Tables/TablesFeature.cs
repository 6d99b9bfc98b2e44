using Azure.Core;
using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Flex.Platform.Tables;

/// <summary>Registers table storage on an account or its emulator; see <see cref="TableOptions"/>.</summary>
public static class TablesFeature
{
    public static IServiceCollection AddAzureTables(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<TableOptions>().Bind(configuration.GetSection(TableOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TableOptions>, TableOptionsValidator>();
        services.AddSingleton(provider => CreateStore(provider.GetRequiredService<IOptions<TableOptions>>().Value));
        services.AddSingleton<ITableStore>(provider => provider.GetRequiredService<AzureTableStore>());
        services.AddSingleton<ITableScanner>(provider => provider.GetRequiredService<AzureTableStore>());
        return services;
    }

    /// <summary>A store outside of dependency injection: tools and tests.</summary>
    /// <param name="transport">Stands between the client and the network; tests lose answers with it.</param>
    public static AzureTableStore CreateStore(TableOptions options, Azure.Core.Pipeline.HttpPipelineTransport? transport = null)
    {
        if (options.Problem() is { } problem)
        {
            throw new OptionsValidationException(TableOptions.Section, typeof(TableOptions), [problem]);
        }

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

internal sealed class TableOptionsValidator : IValidateOptions<TableOptions>
{
    public ValidateOptionsResult Validate(string? name, TableOptions options) =>
        options.Problem() is { } problem ? ValidateOptionsResult.Fail(problem) : ValidateOptionsResult.Success;
}
