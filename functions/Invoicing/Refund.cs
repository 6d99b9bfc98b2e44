using NodaTime;

namespace Flex.Invoicing;

public enum RefundState
{
    /// <summary>To be sent, or sent and not answered. A repeat sends the same key.</summary>
    Requested,

    /// <summary>The gateway has it; the money is not back yet.</summary>
    Processing,
    Succeeded,

    /// <summary>Refused, or come back later. The amount is then the customer's account credit.</summary>
    Failed,
}

/// <summary>What the gateway says about a refund.</summary>
public sealed record RefundObservation(RefundState State, string? GatewayRefundId = null, string? FailureCode = null);

/// <summary>Money on its way back to where it came from. Stored before the gateway is asked.</summary>
/// <param name="No">From 1 within the invoice.</param>
/// <param name="AttemptNo">The attempt that brought the money.</param>
/// <param name="CreditNoteId">The document that goes with it; null when the money went back after it had been credited already.</param>
/// <param name="Looks">How often the gateway was asked in this state without news.</param>
public sealed record Refund(
    int No,
    int AttemptNo,
    string GatewayPaymentId,
    Money Amount,
    RefundState State,
    string Key,
    string? GatewayRefundId,
    string? FailureCode,
    CreditNoteId? CreditNoteId,
    Instant CreatedAt,
    Instant StateAt,
    int Looks = 0)
{
    /// <summary>Later in the refund's life only; anything else leaves it as it is.</summary>
    public Refund Observe(RefundObservation seen, Instant now) => seen.State > State
        ? this with
        {
            State = seen.State,
            StateAt = now,
            Looks = 0,
            GatewayRefundId = seen.GatewayRefundId ?? GatewayRefundId,
            FailureCode = seen.State == RefundState.Failed ? seen.FailureCode ?? "unspecified" : null,
        }
        : this;
}
