using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Decides which requests and deliveries go wrong. Asked in order, under the simulator's lock: answer from memory.</summary>
public interface IStripeFaults
{
    /// <summary>What goes wrong with this request; null when nothing does. Asked once per request, before anything else.</summary>
    StripeFault? OnRequest(StripeRequest request);

    /// <summary>
    /// When the copies of a delivery are sent, counted from the event: one zero is normal, none loses the delivery for
    /// good, several duplicate it, different delays reorder events.
    /// </summary>
    IReadOnlyList<Duration> OnDelivery(StripeDelivery delivery);
}

/// <summary>A delivery about to be scheduled.</summary>
public sealed record StripeDelivery(string EventId, string EventType, string ObjectId, string EndpointId);

/// <summary>
/// One fault. <paramref name="Code"/> is the reason of a 429 (<c>endpoint-rate</c>), or the error code of a refusal
/// (<c>terminal_reader_timeout</c>). <paramref name="Delay"/> is the latency, or how late a late effect comes.
/// <paramref name="Status"/> is that of a server error.
/// </summary>
public sealed record StripeFault(StripeFaultKind Kind, string? Code = null, Duration Delay = default, int Status = 500);

public enum StripeFaultKind
{
    /// <summary>429 with Stripe-Rate-Limited-Reason; no effect, nothing stored under the idempotency key.</summary>
    RateLimited,

    /// <summary>5xx without effect. A 500 is stored under the idempotency key and replayed; a 502 to 504 comes from before Stripe's application.</summary>
    ServerErrorBeforeEffect,

    /// <summary>5xx although the request took effect; a 500 is stored under the idempotency key and replayed.</summary>
    ServerErrorAfterEffect,

    /// <summary>400 with <see cref="StripeFault.Code"/>; no effect.</summary>
    RefusedBeforeEffect,

    /// <summary>400 with <see cref="StripeFault.Code"/> although the request took effect, as a reader time-out may.</summary>
    RefusedAfterEffect,

    /// <summary>The connection breaks before the request arrives.</summary>
    LostBeforeEffect,

    /// <summary>The connection breaks after the effect; the true answer is stored under the idempotency key.</summary>
    LostAfterEffect,

    /// <summary>The connection breaks at once, the effect comes after the delay; until then the key is in use (409).</summary>
    LateEffect,

    /// <summary>A slow answer: told in the Simulated-Latency header, not slept; beyond the client's time-out it is lost.</summary>
    Latency,
}

/// <summary>Nothing goes wrong.</summary>
public sealed class NoStripeFaults : IStripeFaults
{
    private static readonly IReadOnlyList<Duration> Once = [Duration.Zero];

    public static NoStripeFaults Instance { get; } = new();

    public StripeFault? OnRequest(StripeRequest request) => null;

    public IReadOnlyList<Duration> OnDelivery(StripeDelivery delivery) => Once;
}
