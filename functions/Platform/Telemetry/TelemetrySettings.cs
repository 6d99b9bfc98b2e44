namespace Flex.Platform.Telemetry;

/// <summary>Where traces, metrics and logs go.</summary>
public sealed class TelemetrySettings : ISettings
{
    public const string Section = "Telemetry";

    /// <summary>An OTLP/gRPC endpoint, e.g. <c>http://collector:4317</c>; empty exports nothing.</summary>
    public string OtlpEndpoint { get; init; } = string.Empty;

    /// <summary>Null when nothing is exported, and while the setting is no address.</summary>
    public Uri? Endpoint() =>
        Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out Uri? endpoint) && endpoint.Scheme is "http" or "https" ? endpoint : null;

    public IEnumerable<SettingFault> Faults() => OtlpEndpoint.Length == 0 || Endpoint() is not null
        ? []
        : [new(nameof(OtlpEndpoint), "must be an absolute http or https address.")];
}
