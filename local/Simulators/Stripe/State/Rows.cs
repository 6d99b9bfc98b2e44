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
