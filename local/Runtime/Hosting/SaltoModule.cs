using Flex.Local.Runtime.Faults;
using Flex.Local.Simulators;
using Flex.Local.Simulators.Salto;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Runtime.Hosting;

/// <summary>The simulated Salto KS, with faults from the registry.</summary>
/// <param name="journal">Its memory's file; null keeps nothing.</param>
public sealed class SaltoModule(string? journal, SaltoSimulatorOptions options) : ILocalModule
{
    public void Configure(IServiceCollection services)
    {
        services.AddSingleton(_ => new JsonLinesJournal(journal));
        services.AddSingleton(s => new SaltoSimulator(
            new SaltoState(s.GetRequiredService<JsonLinesJournal>()), s.GetRequiredService<TimeProvider>(), options, new RegisteredSaltoFaults(s.GetRequiredService<FaultRegistry>())));
        services.AddSingleton(s => new InProcessRoute(SaltoEndpoints.Root + "/identity/", new SaltoSimulatorHandler(s.GetRequiredService<SaltoSimulator>())));
        services.AddSingleton(s => new InProcessRoute(SaltoEndpoints.Root + "/api/", new SaltoSimulatorHandler(s.GetRequiredService<SaltoSimulator>())));
    }

    public void Map(IEndpointRouteBuilder routes) => routes.MapSalto(routes.ServiceProvider.GetRequiredService<SaltoSimulator>());
}

/// <summary>Rules for <c>salto</c> in the simulator's terms.</summary>
internal sealed class RegisteredSaltoFaults(FaultRegistry faults) : ISaltoFaults
{
    public SaltoFault? Next(SaltoRequest request) => faults.Take(FaultRegistry.Salto, request.Method, request.Path, request.Body) switch
    {
        { Kind: FaultKind.Latency } rule => new SaltoFault(SaltoFaultKind.Slow, Latency: TimeSpan.FromMilliseconds(rule.LatencyMs ?? 0)),
        { Kind: FaultKind.Status, Status: 401 } => new SaltoFault(SaltoFaultKind.TokenRejected),
        { Kind: FaultKind.Status, Status: 429 } => new SaltoFault(SaltoFaultKind.TooManyRequests),
        { Kind: FaultKind.Status } rule => new SaltoFault(SaltoFaultKind.ServerError, rule.Status),
        { Kind: FaultKind.TimeoutAfterEffect } => new SaltoFault(SaltoFaultKind.LostAnswer),
        { Kind: FaultKind.TimeoutBeforeEffect } => new SaltoFault(SaltoFaultKind.LostRequest),
        _ => null,
    };
}
