using Flex.Local.Runtime.Faults;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// The host's fault rules as the simulator's faults: target <c>stripe</c> for requests (the path is the API's), target
/// <c>webhooks</c> for deliveries (the path is the event type).
/// </summary>
public sealed class StripeRegistryFaults(FaultRegistry registry) : IStripeFaults
{
    /// <summary>Long enough that what follows in the same business step overtakes it, short enough to matter within a minute.</summary>
    private static readonly Duration Overtaken = Duration.FromSeconds(30);

    public StripeFault? OnRequest(StripeRequest request) => registry.Take(FaultRegistry.Stripe, request.Method, request.Path, request.Body) switch
    {
        null => null,
        { Kind: FaultKind.Latency, LatencyMs: { } milliseconds } => new StripeFault(StripeFaultKind.Latency, Delay: Duration.FromMilliseconds(milliseconds)),
        { Kind: FaultKind.TimeoutAfterEffect } => new StripeFault(StripeFaultKind.LostAfterEffect),
        { Kind: FaultKind.TimeoutBeforeEffect } => new StripeFault(StripeFaultKind.LostBeforeEffect),
        { Kind: FaultKind.Status, Status: 429 } => new StripeFault(StripeFaultKind.RateLimited, "endpoint-rate"),
        { Kind: FaultKind.Status, Status: >= 500 and var status } => new StripeFault(StripeFaultKind.ServerErrorBeforeEffect, Status: status),
        { Kind: FaultKind.Status } => new StripeFault(StripeFaultKind.RefusedBeforeEffect, "simulated_refusal"),
        _ => null,
    };

    public IReadOnlyList<Duration> OnDelivery(StripeDelivery delivery) => registry.Take(FaultRegistry.Webhooks, "POST", delivery.EventType, delivery.ObjectId)?.Kind switch
    {
        FaultKind.Duplicate => [Duration.Zero, Duration.Zero],
        FaultKind.Reorder => [Overtaken],
        FaultKind.Drop => [],
        _ => [Duration.Zero],
    };
}
