using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

internal sealed record PaymentIntentRow : StripeRow
{
    public required long Amount { get; init; }

    public required string Currency { get; init; }

    public required string Status { get; init; }

    public required string Secret { get; init; }

    public required IReadOnlyList<string> Types { get; init; }

    public bool Automatic { get; init; }

    public string? Customer { get; init; }

    public string? PaymentMethod { get; init; }

    public string CaptureMethod { get; init; } = "automatic";

    public string ConfirmationMethod { get; init; } = "automatic";

    public string? Description { get; init; }

    public string? ReceiptEmail { get; init; }

    public string? SetupFutureUsage { get; init; }

    public string? StatementDescriptor { get; init; }

    public string? StatementDescriptorSuffix { get; init; }

    public string? TransferGroup { get; init; }

    public JsonObject? Shipping { get; init; }

    public JsonObject? Options { get; init; }

    public string? Mandate { get; init; }

    public string? ReturnUrl { get; init; }

    public string? LatestCharge { get; init; }

    public long AmountCapturable { get; init; }

    public long AmountReceived { get; init; }

    public long? Tip { get; init; }

    public long? CanceledAt { get; init; }

    public string? CancellationReason { get; init; }

    public StripeFailure? LastError { get; init; }
}

internal sealed record ChargeRow : StripeRow
{
    public required long Amount { get; init; }

    public required string Currency { get; init; }

    /// <summary><c>pending</c>, <c>succeeded</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    public required string PaymentIntent { get; init; }

    public required string PaymentMethod { get; init; }

    public string? Customer { get; init; }

    public bool Captured { get; init; }

    public long AmountCaptured { get; init; }

    public long AmountRefunded { get; init; }

    public bool Disputed { get; init; }

    public StripeFailure? Failure { get; init; }

    public string? Mandate { get; init; }

    public string? GeneratedCard { get; init; }

    public string? Reader { get; init; }

    public string? Location { get; init; }

    public bool Authenticated { get; init; }

    public string? Description { get; init; }

    public string? ReceiptEmail { get; init; }

    public string? StatementDescriptor { get; init; }

    public string? StatementDescriptorSuffix { get; init; }

    public string? TransferGroup { get; init; }

    public JsonObject? Shipping { get; init; }

    public JsonObject? FraudDetails { get; init; }
}

internal sealed record RefundRow : StripeRow
{
    public required long Amount { get; init; }

    public required string Currency { get; init; }

    public required string Charge { get; init; }

    public required string PaymentIntent { get; init; }

    public required string Status { get; init; }

    public string? Reason { get; init; }

    public string? FailureReason { get; init; }
}

internal sealed record DisputeRow : StripeRow
{
    public required long Amount { get; init; }

    public required string Currency { get; init; }

    public required string Charge { get; init; }

    public required string PaymentIntent { get; init; }

    public required string Reason { get; init; }

    public required string Status { get; init; }

    public JsonObject? Evidence { get; init; }

    public int Submissions { get; init; }
}

internal sealed record SetupIntentRow : StripeRow
{
    public required string Status { get; init; }

    public required string Secret { get; init; }

    public required IReadOnlyList<string> Types { get; init; }

    public bool Automatic { get; init; }

    public string? Customer { get; init; }

    public string? PaymentMethod { get; init; }

    public string Usage { get; init; } = "off_session";

    public string? Description { get; init; }

    public JsonObject? Options { get; init; }

    public string? Mandate { get; init; }

    public string? ReturnUrl { get; init; }

    public string? LatestAttempt { get; init; }

    public string? CancellationReason { get; init; }

    public StripeFailure? LastError { get; init; }
}

internal sealed record SetupAttemptRow : StripeRow
{
    public required string SetupIntent { get; init; }

    public required string PaymentMethod { get; init; }

    public required string Status { get; init; }

    public string? Customer { get; init; }

    public string Usage { get; init; } = "off_session";

    public string? GeneratedCard { get; init; }

    public StripeFailure? Error { get; init; }
}
