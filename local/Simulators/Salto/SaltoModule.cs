using Flex.Access;
using Flex.Local.Runtime.Faults;
using Flex.Local.Runtime.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Simulators.Salto;

/// <summary>
/// Plugs the simulator into a host: its services, its endpoints, and itself under Flex's HTTP client, so that Flex needs no port to
/// reach it. Not for a host that is given a real Salto's keys.
/// </summary>
/// <param name="dataDirectory">Where the journal is kept; null keeps everything in memory.</param>
public sealed class SaltoModule(string? dataDirectory, SaltoSimulatorOptions options) : ILocalModule
{
    /// <summary>Flex's settings for talking to the simulator.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["Salto:IdentityUrl"] = $"http://localhost{SaltoEndpoints.Root}/identity",
        ["Salto:ApiUrl"] = $"http://localhost{SaltoEndpoints.Root}/api",
        ["Salto:ClientId"] = options.ClientId,
        ["Salto:ClientSecret"] = options.ClientSecret,
        ["Salto:MaxRequestsPerSecond"] = "0",
        ["Salto:FilterUsersByEmail"] = "true",
    };

    public void Configure(IServiceCollection services)
    {
        services.AddSingleton(_ => new JsonLinesJournal(dataDirectory is null ? null : Path.Combine(dataDirectory, "salto.jsonl")));
        services.AddSingleton<SaltoState>();
        services.AddSingleton(p => new SaltoSimulator(
            p.GetRequiredService<SaltoState>(),
            p.GetRequiredService<TimeProvider>(),
            options,
            p.GetService<ISaltoFaults>() ?? (p.GetService<FaultRegistry>() is { } registry ? new RegisteredSaltoFaults(registry) : null)));
        services.AddHttpClient(SaltoSession.HttpClientName)
            .ConfigurePrimaryHttpMessageHandler(p => new SaltoSimulatorHandler(p.GetRequiredService<SaltoSimulator>()));
    }

    public void Map(IEndpointRouteBuilder routes) => routes.MapSalto(routes.ServiceProvider.GetRequiredService<SaltoSimulator>());
}

/// <summary>The host's injected faults, target <c>salto</c>, as the simulator's.</summary>
public sealed class RegisteredSaltoFaults(FaultRegistry registry) : ISaltoFaults
{
    public SaltoFault? Next(SaltoRequest request) => registry.Take(FaultRegistry.Salto, request.Method, request.Path, request.Body) is { } rule ? Translate(rule) : null;

    private static SaltoFault? Translate(FaultRule rule) => rule.Kind switch
    {
        FaultKind.Latency => new SaltoFault(SaltoFaultKind.Slow, Latency: TimeSpan.FromMilliseconds(rule.LatencyMs ?? 0)),
        FaultKind.Status when rule.Status is 429 => new SaltoFault(SaltoFaultKind.TooManyRequests),
        FaultKind.Status when rule.Status is 401 => new SaltoFault(SaltoFaultKind.TokenRejected),
        FaultKind.Status => new SaltoFault(SaltoFaultKind.ServerError, rule.Status),
        FaultKind.TimeoutAfterEffect => new SaltoFault(SaltoFaultKind.LostAnswer),
        FaultKind.TimeoutBeforeEffect => new SaltoFault(SaltoFaultKind.LostRequest),
        _ => null,
    };
}
