using Flex.Members;
using NodaTime;

namespace Flex.Invoicing;

public enum AttemptState
{
    /// <summary>Recorded, the gateway not (known to be) called yet. A repeat sends the same key.</summary>
    Created,

    /// <summary>The gateway did not answer; it may have happened. Blocks every other attempt until reconciled.</summary>
    Unknown,

    /// <summary>Submitted; a bank debit takes days.</summary>
    Processing,
    Failed,
    Succeeded,

    /// <summary>Taken back by the bank or a lost dispute.</summary>
    Reversed,
}

/// <summary>Who asked for the money.</summary>
public enum AttemptOrigin
{
    /// <summary>A renewal or a sign-up.</summary>
    Membership,

    /// <summary>A booking or a booking pass, paid as it is bought.</summary>
    Purchase,

    /// <summary>Automatic collection of a due invoice.</summary>
    Collection,

    /// <summary>Somebody pressed Pay Now.</summary>
    PayNow,
}

/// <summary>What the gateway says about a payment, from whichever side it came: an answer, a webhook, a look-up.</summary>
/// <param name="GatewayPaymentId">Null while the gateway has not named it.</param>
public sealed record PaymentObservation(
    AttemptState State, string? GatewayPaymentId = null, string? FailureCode = null, string? DeclineCode = null, string? AdviceCode = null);

/// <summary>One try to collect an invoice. Stored before the gateway is called, so that nothing is ever charged that is not on record.</summary>
/// <param name="No">From 1 within the invoice.</param>
/// <param name="Key">The gateway's idempotency key: the same for every repeat of this attempt, never used for another.</param>
/// <param name="RequestKey">The request that asked for it, so that a repeated request finds its own attempt; null when it was not a request.</param>
/// <param name="StateAt">When the state became known.</param>
/// <param name="Looks">How often the gateway was asked about it in this state without news.</param>
public sealed record PaymentAttempt(
    int No,
    AttemptOrigin Origin,
    Money Amount,
    AttemptState State,
    string Key,
    string? RequestKey,
    string? GatewayCustomerId,
    string? PaymentMethodId,
    PaymentMethodKind? MethodKind,
    string? GatewayPaymentId,
    string? FailureCode,
    string? DeclineCode,
    string? AdviceCode,
    Instant CreatedAt,
    Instant StateAt,
    int Looks = 0)
{
    /// <summary>
    /// The gateway keeps a key's result for 24 hours at least; after that the same key would charge again. An hour is left for clocks
    /// and queues. Source: docs.stripe.com/api/idempotent_requests
    /// </summary>
    public static readonly Duration KeyLifetime = Duration.FromHours(23);

    /// <summary>True while nothing else may be tried.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool InFlight => State is AttemptState.Created or AttemptState.Unknown or AttemptState.Processing;

    public bool MayBeSentAgain(Instant now) => State is AttemptState.Created or AttemptState.Unknown && now - CreatedAt < KeyLifetime;

    /// <summary>
    /// Applies what was observed if it is later in the payment's life (Created, Unknown, Processing, Failed, Succeeded, Reversed);
    /// anything else, in particular a late or repeated notice, leaves the attempt as it is.
    /// </summary>
    public PaymentAttempt Observe(PaymentObservation seen, Instant now) => seen.State > State
        ? this with
        {
            State = seen.State,
            StateAt = now,
            Looks = 0,
            GatewayPaymentId = seen.GatewayPaymentId ?? GatewayPaymentId,
            FailureCode = Failure(seen, seen.FailureCode ?? "unspecified"),
            DeclineCode = Failure(seen, seen.DeclineCode),
            AdviceCode = Failure(seen, seen.AdviceCode),
        }
        : this;

    private static string? Failure(PaymentObservation seen, string? code) => seen.State is AttemptState.Failed or AttemptState.Reversed ? code : null;
}
