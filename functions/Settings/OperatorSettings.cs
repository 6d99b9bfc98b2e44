namespace Flex.Settings;

public enum AccountStatus
{
    Onboarding,
    Active,
    Suspended,
}

/// <summary>When a renewal invoice gets its number: when it is paid (no numbers are used up by failed attempts) or when it is made.</summary>
public enum RenewalNumbering
{
    OnSuccess,
    OnIssue,
}

/// <summary>What becomes of the money when a paid booking is cancelled in time: kept for the customer's next invoices, or sent back.</summary>
public enum CancelledPaidBookings
{
    AccountCredit,
    Refund,
}

/// <summary>The operator's own settings; one row per deployment.</summary>
/// <param name="DefaultTaxRateId">Used where neither plan nor rate names a tax rate; null is untaxed.</param>
/// <param name="InvoiceDueDays">Days from issue to due date of bill-run invoices, 0 to 90.</param>
/// <param name="AutomaticBillRun">Only while the account is Active.</param>
/// <param name="Version">Goes up by one with every change; the ETag of the HTTP resource.</param>
public sealed record OperatorSettings(
    string Name,
    AccountStatus AccountStatus,
    TaxRateId? DefaultTaxRateId,
    bool AutomaticBillRun,
    bool AutomaticCollection,
    bool AutomaticSending,
    int InvoiceDueDays,
    RenewalNumbering RenewalNumbering,
    CancelledPaidBookings CancelledPaidBookings,
    SaltoSettings Salto,
    long Version)
{
    /// <summary>Check-ins may take half a day from a day pass (PAS-3).</summary>
    public bool HalfDayPasses { get; init; }

    /// <summary>Booking passes are sold, and plans that offer them block what they do not cover (BPS-12). Passes that members have stay usable.</summary>
    public bool BookingPassesEnabled { get; init; }

    public static OperatorSettings Initial { get; } = new(
        "Flex", AccountStatus.Onboarding, null, false, false, false, 0, RenewalNumbering.OnSuccess, CancelledPaidBookings.AccountCredit, new SaltoSettings(false, null, []), 0);
}

/// <summary>The SaltoKS dialog. <paramref name="Groups"/> are the access groups Flex may manage; others are never touched.</summary>
/// <param name="UnsubscribeWhenAllRevoked">Sync option, off by default: free the Salto seat of a user who has lost all access.</param>
public sealed record SaltoSettings(bool UnsubscribeWhenAllRevoked, string? SiteId, IReadOnlyList<string> Groups);
