namespace Flex.Platform.Telemetry;

/// <summary>Where traces, metrics and logs go; nowhere unless one of the two is set.</summary>
public sealed class TelemetrySettings
{
    public const string Section = "Telemetry";

    /// <summary>An OTLP/gRPC endpoint, e.g. <c>http://collector:4317</c>.</summary>
    public string OtlpEndpoint { get; init; } = string.Empty;

    /// <summary>
    /// True exports to the Application Insights resource that the Functions host reports to: the exporter reads the same
    /// APPLICATIONINSIGHTS_CONNECTION_STRING, and the process does not start without it.
    /// </summary>
    public bool AzureMonitor { get; init; }

    /// <summary>The user-assigned identity that publishes; empty is the system-assigned one.</summary>
    public string ClientId { get; init; } = string.Empty;

    /// <summary>Share of the traces that Azure Monitor gets, 0 to 1. Metrics and logs are never sampled, so no money event is lost.</summary>
    public float TraceSamplingRatio { get; init; } = 1;
}
