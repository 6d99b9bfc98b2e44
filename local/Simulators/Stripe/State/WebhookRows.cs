using NodaTime;

namespace Flex.Local.Simulators.Stripe;

internal sealed record EndpointRow : StripeRow
{
    public required string Url { get; init; }

    public required IReadOnlyList<string> EnabledEvents { get; init; }

    public required string Secret { get; init; }

    public string? ApiVersion { get; init; }

    public string? Description { get; init; }

    public bool Disabled { get; init; }

    /// <summary>The secret before the last roll; deliveries carry its signature too until <see cref="PreviousUntil"/>.</summary>
    public string? PreviousSecret { get; init; }

    public Instant? PreviousUntil { get; init; }
}

internal sealed record EventRow : StripeRow
{
    public required string Type { get; init; }

    public required string ObjectId { get; init; }

    /// <summary>The object as it was, as JSON text.</summary>
    public required string Snapshot { get; init; }

    public string? Previous { get; init; }

    public string? RequestId { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>Deliveries not yet answered with 2xx.</summary>
    public int Pending { get; init; }
}

/// <summary>Something that happens later: <see cref="Kind"/> says what, <see cref="Target"/> to which object.</summary>
internal sealed record WorkRow : StripeRow
{
    public required string Kind { get; init; }

    public required Instant Due { get; init; }

    public required string Target { get; init; }

    public string? Endpoint { get; init; }

    public int Attempt { get; init; }

    public StripeRequest? Request { get; init; }
}

/// <summary>An idempotency key; the id is the key. <see cref="Status"/> is null while the first request still runs.</summary>
internal sealed record KeyRow : StripeRow
{
    public required string Fingerprint { get; init; }

    public required string Path { get; init; }

    public required Instant At { get; init; }

    public string? RequestId { get; init; }

    public int? Status { get; init; }

    public string? Body { get; init; }
}
