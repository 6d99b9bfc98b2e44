using Flex.Local.Runtime.Faults;
using Flex.Local.Simulators.Stripe;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Local.Runtime.Hosting;

/// <summary>The simulated Stripe, with faults from the registry.</summary>
public sealed class StripeModule(StripeOptions options) : ILocalModule
{
    public IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["Stripe:ApiKey"] = options.ApiKey,
        ["Stripe:ApiBase"] = options.PublicUrl,
        ["Stripe:WebhookSecret"] = options.Endpoints.SelectMany(e => e.Secrets).FirstOrDefault(),
    };

    public void Configure(IServiceCollection services)
    {
        StripeSimulatorModule.Configure(services, options);
        services.AddSingleton<IStripeFaults, RegisteredStripeFaults>();
        services.AddSingleton(s => new InProcessRoute(
            StripeSimulatorModule.DefaultPrefix + "/", new StripeSimulatorHandler(s.GetRequiredService<StripeSimulator>())));
    }

    public void Map(IEndpointRouteBuilder routes) =>
        StripeSimulatorModule.Map(routes, routes.ServiceProvider.GetRequiredService<StripeSimulator>());
}

/// <summary>Rules for <c>stripe</c> (requests) and <c>webhooks</c> (deliveries) in the simulator's terms.</summary>
internal sealed class RegisteredStripeFaults(FaultRegistry faults) : IStripeFaults
{
    private static readonly Duration LateBy = Duration.FromMinutes(1);
    private static readonly IReadOnlyList<Duration> Once = [Duration.Zero];

    public StripeFault? OnRequest(StripeRequest request) => faults.Take(FaultRegistry.Stripe, request.Method, request.Path, request.Body) switch
    {
        { Kind: FaultKind.Latency } rule => new StripeFault(StripeFaultKind.Latency, Delay: Duration.FromMilliseconds(rule.LatencyMs ?? 0)),
        { Kind: FaultKind.Status, Status: 429 } => new StripeFault(StripeFaultKind.RateLimited, "endpoint-rate"),
        { Kind: FaultKind.Status } => new StripeFault(StripeFaultKind.ServerErrorBeforeEffect),
        { Kind: FaultKind.TimeoutAfterEffect } => new StripeFault(StripeFaultKind.LostAfterEffect),
        { Kind: FaultKind.TimeoutBeforeEffect } => new StripeFault(StripeFaultKind.LostBeforeEffect),
        _ => null,
    };

    public IReadOnlyList<Duration> OnDelivery(StripeDelivery delivery) => faults.Take(FaultRegistry.Webhooks, "POST", delivery.EventType, delivery.ObjectId) switch
    {
        { Kind: FaultKind.Drop } => [],
        { Kind: FaultKind.Duplicate } => [Duration.Zero, LateBy],
        { Kind: FaultKind.Reorder } => [LateBy],
        { Kind: FaultKind.Latency } rule => [Duration.FromMilliseconds(rule.LatencyMs ?? 0)],
        _ => Once,
    };
}
