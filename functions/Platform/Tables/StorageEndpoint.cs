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

    /// <summary>Tables and blobs are reached in exactly one of two ways.</summary>
    public static IEnumerable<SettingFault> Faults(string section, Uri? serviceUri, string? clientId, string? connectionString)
    {
        bool byKey = !string.IsNullOrEmpty(connectionString);
        if (serviceUri is null && !byKey)
        {
            yield return SettingFault.Missing("ServiceUri", $"set it (managed identity), or {section}__ConnectionString (emulator)");
        }

        if (serviceUri is not null && byKey)
        {
            yield return new("ConnectionString", $"must be empty, because {section}__ServiceUri is set.");
        }

        if (serviceUri is not (null or { IsAbsoluteUri: true, Scheme: "https" }))
        {
            yield return new("ServiceUri", "must be an absolute https address.");
        }

        foreach (SettingFault fault in SettingFault.OfClientId("ClientId", clientId))
        {
            yield return fault;
        }
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
