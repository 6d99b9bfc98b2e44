using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;

namespace Flex.Platform.Telemetry;

public static class TelemetryRegistration
{
    /// <summary>
    /// Redacts every log entry on its way to whatever sinks there are, and exports traces, metrics and logs when a place for them is
    /// configured.
    /// </summary>
    public static IServiceCollection AddFlexTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<TelemetrySettings>(configuration, TelemetrySettings.Section);
        services.AddSingleton<ActionMiddleware>();
        services.AddLogging();
        services.TryAddSingleton<LoggerFactory>();
        services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(s => new RedactingLoggerFactory(s.GetRequiredService<LoggerFactory>())));
        TelemetrySettings settings = configuration.GetSection(TelemetrySettings.Section).Get<TelemetrySettings>() ?? new TelemetrySettings();
        bool toCollector = settings.OtlpEndpoint.Length > 0;
        if (!toCollector && !settings.AzureMonitor)
        {
            return services;
        }

        // The scrubber before any exporter: processors run in the order in which they were added.
        IOpenTelemetryBuilder telemetry = services.AddOpenTelemetry()
            .WithTracing(traces => traces.AddSource(FlexTelemetry.Name, "System.Net.Http").AddProcessor(new SpanScrubber()))
            .WithMetrics(metrics => metrics.AddMeter(FlexTelemetry.Name, FlexTelemetry.FeatureMeters, "System.Net.Http", "Polly"))
            .WithLogging();
        if (toCollector)
        {
            telemetry.UseOtlpExporter(OtlpExportProtocol.Grpc, new Uri(settings.OtlpEndpoint));
        }

        if (settings.AzureMonitor)
        {
            telemetry.UseAzureMonitorExporter(options => Configure(options, settings));
        }

        return services;
    }

    /// <summary>The exporter's defaults keep five traces a second and drop the logs of the others, which may tell of money.</summary>
    private static void Configure(AzureMonitorExporterOptions options, TelemetrySettings settings)
    {
        options.Credential = ManagedIdentity.Of(settings.ClientId);
        options.TracesPerSecond = null;
        options.SamplingRatio = settings.TraceSamplingRatio;
        options.EnableTraceBasedLogsSampler = false;
    }
}
