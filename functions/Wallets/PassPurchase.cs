using System.Globalization;
using System.Text.Json.Serialization;
using Flex.Payments;
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

/// <summary>Passes that are bought together, written before the payment so that a crash cannot lose what was paid for (BPS-2). Pure.</summary>
/// <param name="InvoiceId">Names the purchase; follows from the request's key, so that a repeat finds it.</param>
/// <param name="BodyHash">Of the request.</param>
/// <param name="Minutes">Of each pass.</param>
/// <param name="Price">Net, of each pass.</param>
/// <param name="On">The day of the purchase at the location.</param>
/// <param name="SettledAt">When the payment's last known outcome was reached; older news change nothing.</param>
public sealed record PassPurchase(
    InvoiceId InvoiceId,
    string BodyHash,
    MemberId MemberId,
    CustomerId CustomerId,
    LocationId LocationId,
    string Name,
    int Quantity,
    int Minutes,
    Money Price,
    TaxRateId? TaxRateId,
    IReadOnlyList<ResourceId> ResourceIds,
    LocalDate On,
    PassPurchaseState State,
    string? FailureCode,
    Instant? SettledAt)
{
    [JsonIgnore]
    public IEnumerable<BookingPassId> PassIds => Enumerable.Range(1, Quantity)
        .Select(no => EntityId.Derive<BookingPassId>(string.Create(CultureInfo.InvariantCulture, $"{InvoiceId}|{no}")));

    [JsonIgnore]
    public ImmediateCharge Charge => new(
        InvoiceId,
        ImmediatePurpose.BookingPass,
        PassIds.First().Value,
        CustomerId,
        MemberId,
        LocationId,
        $"Booking pass {Name}",
        Quantity,
        Price,
        TaxRateId,
        null,
        On);

    /// <summary>
    /// The purchase and the wallet after news of the payment; null when they are none. Passes are issued when it succeeds, also after it
    /// was taken back and paid again, and removed when it is taken back: the minutes used until then stay used.
    /// </summary>
    public (PassPurchase Purchase, Wallet Wallet)? Settle(ChargeState state, string? failureCode, Instant at, Wallet wallet)
    {
        if (SettledAt >= at)
        {
            return null;
        }

        return state switch
        {
            ChargeState.Succeeded when State != PassPurchaseState.Issued =>
                (this with { State = PassPurchaseState.Issued, FailureCode = null, SettledAt = at }, PassIds.Aggregate(wallet, (w, id) => Issue(w, id, at))),
            ChargeState.Reversed =>
                (this with { State = PassPurchaseState.Reversed, FailureCode = failureCode, SettledAt = at }, TakeBack(wallet, at)),
            ChargeState.Failed when State == PassPurchaseState.Pending =>
                (this with { State = PassPurchaseState.Failed, FailureCode = failureCode, SettledAt = at }, wallet),
            _ => null,
        };
    }

    private Wallet Issue(Wallet wallet, BookingPassId id, Instant at)
    {
        if (wallet.Passes.FirstOrDefault(p => p.Id == id) is { } known)
        {
            // Only what the bank took away comes back; what staff have removed does not.
            return known.RemovedAt is not null && known.RemovedAt == SettledAt ? wallet.Change(known with { RemovedAt = null }) : wallet;
        }

        var pass = new BookingPass(id, Name, Minutes, 0, ResourceIds, Price, InvoiceId, at, null, null);
        return wallet with { Passes = [.. wallet.Passes, pass] };
    }

    private Wallet TakeBack(Wallet wallet, Instant at) =>
        wallet with { Passes = [.. wallet.Passes.Select(p => p.InvoiceId == InvoiceId && p.RemovedAt is null ? p with { RemovedAt = at } : p)] };
}
