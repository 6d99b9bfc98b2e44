using NodaTime;

namespace Flex.Wallets;

public enum PassPurchaseState
{
    /// <summary>The payment's outcome is not known yet; the passes follow when it is.</summary>
    Pending,

    /// <summary>Paid, and the passes are in the wallet.</summary>
    Issued,

    /// <summary>The payment was declined: no pass.</summary>
    Failed,

    /// <summary>The bank took the payment back: what was left of the passes is removed.</summary>
    Reversed,
}

/// <summary>Passes that are bought together, written before the payment so that a crash cannot lose what was paid for (BPS-2).</summary>
/// <param name="InvoiceId">Names the purchase.</param>
/// <param name="Minutes">Of each pass.</param>
/// <param name="Price">Net, of each pass.</param>
public sealed record PassPurchase(
    InvoiceId InvoiceId,
    MemberId MemberId,
    string Name,
    int Quantity,
    int Minutes,
    Money Price,
    TaxRateId? TaxRateId,
    IReadOnlyList<ResourceId> ResourceIds,
    PassPurchaseState State,
    Instant CreatedAt);
