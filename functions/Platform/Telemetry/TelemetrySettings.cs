namespace Flex.Platform.Telemetry;

/// <summary>Where traces, metrics and logs go.</summary>
public sealed class TelemetrySettings
{
    public const string Section = "Telemetry";

    /// <summary>An OTLP/gRPC endpoint, e.g. <c>http://collector:4317</c>; empty exports nothing.</summary>
    public string OtlpEndpoint { get; init; } = string.Empty;
}
