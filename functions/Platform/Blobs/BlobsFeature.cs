using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Flex.Platform.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Flex.Platform.Blobs;

/// <summary>Where the blobs are: configuration section <c>Blobs</c>. Exactly one of the two ways is set.</summary>
public sealed class BlobOptions
{
    public const string Section = "Blobs";

    /// <summary>The account's blob endpoint, used with managed identity, e.g. <c>https://flexprod.blob.core.windows.net</c>.</summary>
    public Uri? ServiceUri { get; set; }

    /// <summary>The user-assigned identity to use; null is the system-assigned one.</summary>
    public string? ClientId { get; set; }

    /// <summary>A connection string with a key, for the emulator.</summary>
    public string? ConnectionString { get; set; }
}

/// <summary>Registers blob storage on an account or its emulator.</summary>
public static class BlobsFeature
{
    public static IServiceCollection AddAzureBlobs(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<BlobOptions>().Bind(configuration.GetSection(BlobOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BlobOptions>, BlobOptionsValidator>();
        services.AddSingleton<IBlobStore>(provider => CreateStore(provider.GetRequiredService<IOptions<BlobOptions>>().Value));
        return services;
    }

    /// <summary>A store outside of dependency injection: tools and tests.</summary>
    public static AzureBlobStore CreateStore(BlobOptions options, HttpPipelineTransport? transport = null)
    {
        if (StorageEndpoint.Problem(BlobOptions.Section, options.ServiceUri, options.ConnectionString) is { } problem)
        {
            throw new OptionsValidationException(BlobOptions.Section, typeof(BlobOptions), [problem]);
        }

        var settings = new BlobClientOptions();
        StorageEndpoint.Configure(settings, "blob");
        if (transport is not null)
        {
            settings.Transport = transport;
        }

        return new AzureBlobStore(options.ServiceUri is { } address
            ? new BlobServiceClient(address, ManagedIdentity.Of(options.ClientId), settings)
            : new BlobServiceClient(options.ConnectionString, settings));
    }
}

internal sealed class BlobOptionsValidator : IValidateOptions<BlobOptions>
{
    public ValidateOptionsResult Validate(string? name, BlobOptions options) =>
        StorageEndpoint.Problem(BlobOptions.Section, options.ServiceUri, options.ConnectionString) is { } problem
            ? ValidateOptionsResult.Fail(problem)
            : ValidateOptionsResult.Success;
}
