using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;

namespace Flex.Platform.Telemetry;

public static class TelemetryRegistration
{
    /// <summary>
    /// Redacts every log entry on its way to whatever sinks there are, and exports traces, metrics and logs when an endpoint is
    /// configured.
    /// </summary>
    public static IServiceCollection AddFlexTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings(configuration, TelemetrySettings.Section, out TelemetrySettings settings);
        services.AddLogging();
        services.TryAddSingleton<LoggerFactory>();
        services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(s => new RedactingLoggerFactory(s.GetRequiredService<LoggerFactory>())));
        if (settings.Endpoint() is { } endpoint)
        {
            services.AddOpenTelemetry()
                .WithTracing(traces => traces.AddSource(FlexTelemetry.Name, "System.Net.Http"))
                .WithMetrics(metrics => metrics.AddMeter(FlexTelemetry.Name, FlexTelemetry.FeatureMeters, "System.Net.Http", "Polly"))
                .WithLogging()
                .UseOtlpExporter(OtlpExportProtocol.Grpc, endpoint);
        }

        return services;
    }
}
