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
    public SaltoFaultKind? Next(SaltoRequest request) => faults.Take(FaultRegistry.Salto, request.Method, request.Path, request.Body) switch
    {
        { Kind: FaultKind.Status, Status: 401 } => SaltoFaultKind.TokenRejected,
        { Kind: FaultKind.Status, Status: 429 } => SaltoFaultKind.TooManyRequests,
        { Kind: FaultKind.Status } => SaltoFaultKind.ServerError,
        { Kind: FaultKind.TimeoutAfterEffect } => SaltoFaultKind.LostAnswer,
        { Kind: FaultKind.TimeoutBeforeEffect } => SaltoFaultKind.LostRequest,
        _ => null,
    };
}
