namespace Flex.Platform.Telemetry;

/// <summary>Where traces, metrics and logs go; nowhere unless one of the two is set.</summary>
public sealed class TelemetrySettings
{
    public const string Section = "Telemetry";

    /// <summary>An OTLP/gRPC endpoint, e.g. <c>http://collector:4317</c>.</summary>
    public string OtlpEndpoint { get; init; } = string.Empty;

    /// <summary>
    /// Of the Application Insights resource, as in APPLICATIONINSIGHTS_CONNECTION_STRING, which the Functions host reads. It says where the
    /// resource is and opens nothing: the resource takes no keys, only identities that may publish.
    /// </summary>
    public string AzureMonitorConnectionString { get; init; } = string.Empty;

    /// <summary>The user-assigned identity that publishes; empty is the system-assigned one.</summary>
    public string ClientId { get; init; } = string.Empty;

    /// <summary>Share of the traces that Azure Monitor gets, 0 to 1. Metrics and logs are never sampled, so no money event is lost.</summary>
    public float TraceSamplingRatio { get; init; } = 1;
}
