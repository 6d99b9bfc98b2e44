using System.Text.Json.Nodes;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// One stored object. Rows are immutable; a change puts a new row under the same id. <see cref="Order"/> numbers rows in the
/// order of their creation and is what lists page by; <see cref="Created"/> is Stripe's Unix time in seconds.
/// </summary>
internal abstract record StripeRow
{
    public required string Id { get; init; }

    public long Order { get; init; }

    public long Created { get; init; }

    public Dictionary<string, string> Metadata { get; init; } = [];
}

internal sealed record CustomerRow : StripeRow
{
    public string? Name { get; init; }

    public string? Email { get; init; }

    public string? Phone { get; init; }

    public string? Description { get; init; }

    public JsonObject? Address { get; init; }

    public JsonObject? Shipping { get; init; }

    public IReadOnlyList<string> PreferredLocales { get; init; } = [];

    public string TaxExempt { get; init; } = "none";

    public string? DefaultPaymentMethod { get; init; }

    public bool Deleted { get; init; }
}

internal sealed record PaymentMethodRow : StripeRow
{
    /// <summary><c>card</c>, <c>us_bank_account</c> or <c>card_present</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Stripe's test name whose documented behaviour this method has; control requests may change it.</summary>
    public required string Behaviour { get; init; }

    public string? Customer { get; init; }

    /// <summary>Used without being attached, or detached: it can neither be attached nor used again.</summary>
    public bool Consumed { get; init; }

    /// <summary>Set up for off-session use with authentication where the card asks for it.</summary>
    public bool SetUp { get; init; }

    public JsonObject? BillingDetails { get; init; }

    public string AllowRedisplay { get; init; } = "unspecified";

    public int ExpMonth { get; init; } = 12;

    public int ExpYear { get; init; } = 2034;

    /// <summary>The last digits when an automatic update replaced the number; null keeps the test number's.</summary>
    public string? Last4 { get; init; }

    public string? GeneratedFromCharge { get; init; }

    public string? GeneratedFromAttempt { get; init; }

    /// <summary>The bank's return code (<c>R02</c>) after which a bank account is blocked.</summary>
    public string? BlockedBy { get; init; }
}

internal sealed record MandateRow : StripeRow
{
    public required string PaymentMethod { get; init; }

    public required JsonObject CustomerAcceptance { get; init; }

    public bool SingleUse { get; init; }

    public string Status { get; init; } = "active";
}

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

internal sealed record LocationRow : StripeRow
{
    public required string DisplayName { get; init; }

    public required JsonObject Address { get; init; }

    public string? Phone { get; init; }
}

internal sealed record ReaderRow : StripeRow
{
    public required string DeviceType { get; init; }

    public required string Label { get; init; }

    public required string Location { get; init; }

    public required string SerialNumber { get; init; }

    public string Status { get; init; } = "online";

    /// <summary>A card is inserted or an authorisation runs: commands are answered with <c>terminal_reader_busy</c>.</summary>
    public bool Busy { get; init; }

    public Instant LastSeen { get; init; }

    public ReaderActionRow? Action { get; init; }
}

/// <summary>The one action slot of a reader. <see cref="Detail"/> is the sub-object named after the type.</summary>
internal sealed record ReaderActionRow(string Type, string Status, JsonObject Detail)
{
    public string? Intent { get; init; }

    public StripeFailure? Failure { get; init; }
}

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
