using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Flex.Platform.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform.Blobs;

/// <summary>Where the blobs are: configuration section <c>Blobs</c>. Exactly one of the two ways is set.</summary>
public sealed class BlobOptions : ISettings
{
    public const string Section = "Blobs";

    /// <summary>The account's blob endpoint, used with managed identity, e.g. <c>https://flexprod.blob.core.windows.net</c>.</summary>
    public Uri? ServiceUri { get; set; }

    /// <summary>The user-assigned identity to use; null is the system-assigned one.</summary>
    public string? ClientId { get; set; }

    /// <summary>A connection string with a key, for the emulator.</summary>
    public string? ConnectionString { get; set; }

    public IEnumerable<SettingFault> Faults() => StorageEndpoint.Faults(Section, ServiceUri, ClientId, ConnectionString);
}

/// <summary>Registers blob storage on an account or its emulator.</summary>
public static class BlobsFeature
{
    public static IServiceCollection AddAzureBlobs(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<BlobOptions>(configuration, BlobOptions.Section);
        services.AddSingleton(provider => CreateStore(provider.GetRequiredService<BlobOptions>()));
        services.AddSingleton<IBlobStore>(provider => provider.GetRequiredService<AzureBlobStore>());
        services.AddSingleton<ISignedLinks>(provider => provider.GetRequiredService<AzureBlobStore>());
        return services;
    }

    /// <summary>A store outside of dependency injection: tools and tests.</summary>
    /// <param name="transport">Stands between the client and the network.</param>
    /// <param name="time">The clock of storage, by which links expire; null is the machine's.</param>
    /// <param name="credential">Whoever calls where no key is configured; null is this machine's or app's own identity.</param>
    public static AzureBlobStore CreateStore(
        BlobOptions options, HttpPipelineTransport? transport = null, TimeProvider? time = null, TokenCredential? credential = null)
    {
        SettingsException.ThrowIfFaulty(BlobOptions.Section, options);
        var settings = new BlobClientOptions();
        StorageEndpoint.Configure(settings, "blob");
        if (transport is not null)
        {
            settings.Transport = transport;
        }

        BlobServiceClient service = options.ServiceUri is { } address
            ? new BlobServiceClient(address, credential ?? ManagedIdentity.Of(options.ClientId), settings)
            : new BlobServiceClient(options.ConnectionString, settings);
        return new AzureBlobStore(service, time ?? TimeProvider.System);
    }
}
