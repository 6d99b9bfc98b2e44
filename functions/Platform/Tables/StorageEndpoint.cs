using Azure.Core;

namespace Flex.Platform.Tables;

/// <summary>What tables and blobs have in common in reaching a storage account.</summary>
internal static class StorageEndpoint
{
    /// <summary>
    /// Longest that one attempt may take. The library's default of 100 s would outlive every caller; a table operation takes
    /// milliseconds and a full 4 MiB transaction well under a second.
    /// </summary>
    public static readonly TimeSpan NetworkTimeout = TimeSpan.FromSeconds(4);

    public static string? Problem(string section, Uri? serviceUri, string? connectionString)
    {
        bool byIdentity = serviceUri is not null;
        bool byKey = !string.IsNullOrWhiteSpace(connectionString);
        if (byIdentity == byKey)
        {
            return $"Set either {section}:ServiceUri (managed identity) or {section}:ConnectionString (emulator)"
                + (byIdentity ? ", not both." : ".");
        }

        return serviceUri is null or { IsAbsoluteUri: true, Scheme: "https" }
            ? null
            : $"{section}:ServiceUri must be an absolute https address.";
    }

    /// <summary>Few and short retries: three more attempts within about 18 s at worst, then the caller's own redelivery takes over.</summary>
    public static void Configure(ClientOptions options, string service)
    {
        options.Retry.Mode = RetryMode.Exponential;
        options.Retry.MaxRetries = 3;
        options.Retry.Delay = TimeSpan.FromMilliseconds(200);
        options.Retry.MaxDelay = TimeSpan.FromSeconds(1);
        options.Retry.NetworkTimeout = NetworkTimeout;
        options.AddPolicy(new StorageCallPolicy(service), HttpPipelinePosition.PerCall);
        options.AddPolicy(new AttemptPolicy(), HttpPipelinePosition.PerRetry);
    }
}
