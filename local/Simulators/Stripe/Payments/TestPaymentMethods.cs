namespace Flex.Local.Simulators.Stripe;

/// <summary>When a test card asks for authentication.</summary>
internal enum StripeAuthentication
{
    Never,

    /// <summary>On every payment and setup; off session the payment fails.</summary>
    Always,

    /// <summary>On payments and setup, but not off session once it was set up.</summary>
    UnlessSetUp,

    /// <summary>On session only: it behaves as if it had been set up before.</summary>
    OnSessionOnly,
}

internal enum StripeRefundBehaviour
{
    Succeeds,
    PendingThenSucceeds,
    SucceedsThenFails,
}

/// <summary>A test payment method and its documented behaviour (docs.stripe.com/testing, …/ach-direct-debit/accept-a-payment).</summary>
internal sealed record StripeTestMethod(string Name, string Number)
{
    public string Type { get; init; } = "card";

    public string Brand { get; init; } = "visa";

    public string Country { get; init; } = "US";

    public string Funding { get; init; } = "credit";

    public StripeAuthentication Authentication { get; init; }

    /// <summary>Why charges fail; null when they succeed. For bank accounts the failure that comes after some days.</summary>
    public StripeFailure? Failure { get; init; }

    /// <summary>Whether attaching it to a customer is declined as well: Stripe's declining cards cannot be attached.</summary>
    public bool AttachFails { get; init; }

    /// <summary>A bank debit that stays in processing.</summary>
    public bool NeverSettles { get; init; }

    /// <summary>The reason of the dispute that a successful payment triggers.</summary>
    public string? Dispute { get; init; }

    public bool DisputeIsInquiry { get; init; }

    public StripeRefundBehaviour Refund { get; init; }

    public string Last4 => Number[^4..];
}

/// <summary>Stripe's test payment methods by name, card number, bank account number or token.</summary>
internal static class StripeTestMethods
{
    private const string TryAgain = "try_again_later";
    private const string DoNotTryAgain = "do_not_try_again";
    private const string ConfirmData = "confirm_card_data";

    private static readonly StripeTestMethod[] Methods =
    [
        new("pm_card_visa", "4242424242424242"),
        new("pm_card_visa_debit", "4000056655665556") { Funding = "debit" },
        new("pm_card_mastercard", "5555555555554444") { Brand = "mastercard" },
        new("pm_card_mastercard_debit", "5200828282828210") { Brand = "mastercard", Funding = "debit" },
        new("pm_card_amex", "378282246310005") { Brand = "amex" },
        new("pm_card_discover", "6011111111111117") { Brand = "discover" },
        new("pm_card_gb", "4000008260000000") { Country = "GB" },
        new("pm_card_de", "4000002760000016") { Country = "DE" },
        new("pm_card_fi", "4000002460000001") { Country = "FI" },
        Declined("pm_card_chargeDeclined", "4000000000000002", Declines.Generic),
        Declined("pm_card_chargeDeclinedInsufficientFunds", "4000000000009995", Declines.InsufficientFunds),
        Declined("pm_card_chargeDeclinedLostCard", "4000000000009987", Declines.Card("lost_card", DoNotTryAgain, "41")),
        Declined("pm_card_chargeDeclinedStolenCard", "4000000000009979", Declines.Card("stolen_card", DoNotTryAgain, "43")),
        Declined("pm_card_chargeDeclinedVelocityLimitExceeded", "4000000000006975", new StripeFailure("card_declined",
            "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.")
            { DeclineCode = "card_velocity_exceeded", AdviceCode = TryAgain, NetworkDeclineCode = "65" }),
        Declined("pm_card_chargeDeclinedExpiredCard", "4000000000000069", new StripeFailure("expired_card", "Your card has expired.")
            { DeclineCode = "expired_card", AdviceCode = ConfirmData, NetworkDeclineCode = "54", Param = "exp_month" }),
        Declined("pm_card_chargeDeclinedIncorrectCvc", "4000000000000127", new StripeFailure("incorrect_cvc", "Your card's security code is incorrect.")
            { DeclineCode = "incorrect_cvc", AdviceCode = ConfirmData, NetworkDeclineCode = "82", Param = "cvc" }),
        Declined("pm_card_chargeDeclinedProcessingError", "4000000000000119", new StripeFailure("processing_error",
            "An error occurred while processing your card. Try again in a little bit.")
            { DeclineCode = "processing_error", AdviceCode = TryAgain, NetworkDeclineCode = "96" }),
        Declined("pm_card_radarBlock", "4100000000000019", new StripeFailure("card_declined", "Your card was declined.")
            { DeclineCode = "fraudulent", AdviceCode = DoNotTryAgain }),
        new("pm_card_chargeCustomerFail", "4000000000000341") { Failure = Declines.Generic },
        new("pm_card_authenticationRequired", "4000002760003184") { Authentication = StripeAuthentication.Always },
        new("pm_card_authenticationRequiredOnSetup", "4000002500003155") { Authentication = StripeAuthentication.UnlessSetUp },
        new("pm_card_authenticationRequiredSetupForOffSession", "4000003800000446") { Authentication = StripeAuthentication.OnSessionOnly },
        new("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178")
            { Authentication = StripeAuthentication.Always, Failure = Declines.InsufficientFunds },
        new("pm_card_threeDSecure2Required", "4000000000003220") { Authentication = StripeAuthentication.Always },
        new("pm_card_threeDSecureRequired", "4000000000003063") { Authentication = StripeAuthentication.Always },
        new("pm_card_threeDSecureRequiredChargeDeclined", "4000008400001629")
            { Authentication = StripeAuthentication.Always, Failure = Declines.Generic },
        new("pm_card_threeDSecureOptional", "4000000000003055"),
        new("pm_card_createDispute", "4000000000000259") { Dispute = "fraudulent" },
        new("pm_card_createDisputeProductNotReceived", "4000000000002685") { Dispute = "product_not_received" },
        new("pm_card_createDisputeInquiry", "4000000000001976") { Dispute = "fraudulent", DisputeIsInquiry = true },
        new("pm_card_pendingRefund", "4000000000007726") { Refund = StripeRefundBehaviour.PendingThenSucceeds },
        new("pm_card_refundFail", "4000000000005126") { Refund = StripeRefundBehaviour.SucceedsThenFails },
        Bank("pm_usBankAccount_success", "000123456789"),
        Bank("pm_usBankAccount_processing", "000000000009") with { NeverSettles = true },
        Bank("pm_usBankAccount_dispute", "000555555559") with { Dispute = "debit_not_authorized" },
        Bank("pm_usBankAccount_accountClosed", "000111111113", "account_closed", "R02", "The customer's bank account has been closed."),
        Bank("pm_usBankAccount_noAccount", "000111111116", "no_account", "R03", "The customer's bank account could not be located."),
        Bank("pm_usBankAccount_insufficientFunds", "000222222227", "insufficient_funds", "R01",
            "The customer's account has insufficient funds to cover this payment."),
        Bank("pm_usBankAccount_debitNotAuthorized", "000333333335", "debit_not_authorized", "R10",
            "The customer has notified their bank that this payment was unauthorized."),
        Bank("pm_usBankAccount_invalidCurrency", "000444444440", "invalid_currency", null,
            "The bank was unable to process this payment because of its currency."),
    ];

    private static readonly Dictionary<string, StripeTestMethod> ByName = Methods.ToDictionary(method => method.Name);

    private static readonly Dictionary<string, StripeTestMethod> ByNumber = Methods.ToDictionary(method => method.Number);

    /// <summary>The method of a test name; <c>pm_card_visa_chargeDeclined</c> is Stripe's newer spelling of <c>pm_card_chargeDeclined</c>.</summary>
    public static StripeTestMethod? Named(string name) =>
        ByName.GetValueOrDefault(name) ?? ByName.GetValueOrDefault(name.Replace("pm_card_visa_charge", "pm_card_charge", StringComparison.Ordinal));

    public static StripeTestMethod? Numbered(string number) => ByNumber.GetValueOrDefault(number.Replace(" ", string.Empty, StringComparison.Ordinal));

    public static StripeTestMethod? Token(string token) => Named("pm_card_" + token[(token.IndexOf('_', StringComparison.Ordinal) + 1)..]);

    public static StripeTestMethod Of(PaymentMethodRow row) => ByName[row.Behaviour];

    private static StripeTestMethod Declined(string name, string number, StripeFailure failure) =>
        new(name, number) { Failure = failure, AttachFails = true };

    private static StripeTestMethod Bank(string name, string number, string? code = null, string? network = null, string? message = null) =>
        new(name, number)
        {
            Type = "us_bank_account",
            Failure = code is null ? null : new StripeFailure(code, message!) { Type = "invalid_request_error", NetworkDeclineCode = network },
        };

    /// <summary>Declines that several cards share.</summary>
    private static class Declines
    {
        public static readonly StripeFailure Generic = Card("generic_decline", TryAgain, "05");

        public static readonly StripeFailure InsufficientFunds =
            Card("insufficient_funds", TryAgain, "51") with { Message = "Your card has insufficient funds." };

        public static StripeFailure Card(string declineCode, string advice, string network) =>
            new("card_declined", "Your card was declined.") { DeclineCode = declineCode, AdviceCode = advice, NetworkDeclineCode = network };
    }
}
