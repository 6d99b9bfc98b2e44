namespace Flex.Invoicing;

/// <summary>Decline codes as they may be shown.</summary>
public static class DeclineCodes
{
    public const string PaymentMethodRequired = "payment_method_required";
    public const string AuthenticationRequired = "authentication_required";
    public const string Generic = "card_declined";

    /// <summary>The bank does not want the payer to learn these. Source: docs.stripe.com/declines/codes</summary>
    private static readonly HashSet<string> Hidden = new(StringComparer.Ordinal)
    {
        "fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card", "security_violation", "stolen_card", "highest_risk_level",
    };

    public static string? Shown(string? code) => code is not null && Hidden.Contains(code) ? Generic : code;
}
