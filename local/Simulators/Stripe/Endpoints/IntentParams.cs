namespace Flex.Local.Simulators.Stripe;

/// <summary>What payment intents and setup intents read alike.</summary>
internal static class IntentParams
{
    private static readonly string[] KnownTypes = ["card", "card_present", "us_bank_account", "sepa_debit", "link", "interac_present"];

    /// <summary>The allowed types by their name in the pinned API version or its older one; null leaves them automatic.</summary>
    public static IReadOnlyList<string>? Types(StripeParams p)
    {
        IReadOnlyList<string>? types = p.List("allowed_payment_method_types") ?? p.List("payment_method_types");
        p.Ignore("payment_method_types");
        foreach (string type in types ?? [])
        {
            if (!KnownTypes.Contains(type))
            {
                throw p.Bad($"The payment method type \"{type}\" is invalid.", "allowed_payment_method_types", "payment_intent_invalid_parameter");
            }
        }

        return types is { Count: > 0 } ? types : null;
    }

    public static IReadOnlyList<string> AutomaticTypes(string? currency) => currency is null or "usd" ? ["card", "us_bank_account"] : ["card"];

    /// <summary>A client secret is optional with a secret key, but a wrong one is refused.</summary>
    public static void CheckSecret(StripeParams p, string secret)
    {
        if (p.Text("client_secret") is { } given && given != secret)
        {
            throw StripeProblem.Invalid("The client_secret provided does not match the client_secret associated with the intent.", "client_secret",
                "payment_intent_invalid_parameter");
        }
    }
}

/// <summary>The parameters of a confirmation, read from create-with-confirm or from confirm.</summary>
internal sealed record ConfirmParams(Confirmation How, string? MethodId, StripeParams? MethodData)
{
    public static ConfirmParams Read(StripeParams p, bool confirm)
    {
        bool? offSession = p.IsText("off_session") && p.Text("off_session") is "one_off" or "recurring" ? true : p.Flag("off_session");
        bool refuseAction = p.Flag("error_on_requires_action") ?? false;
        StripeParams? mandate = p.Nested("mandate_data");
        if (!confirm && (offSession is true || refuseAction || mandate is not null))
        {
            string name = offSession is true ? "off_session" : refuseAction ? "error_on_requires_action" : "mandate_data";
            throw p.Bad($"You cannot set `{name}` when `confirm` is not true.", name, null);
        }

        var how = new Confirmation(offSession ?? false)
        {
            Acceptance = mandate?.Object("customer_acceptance"),
            ErrorOnRequiresAction = refuseAction,
        };
        return new ConfirmParams(how, p.Text("payment_method"), p.Nested("payment_method_data"));
    }

    public PaymentMethodRow? Method(PaymentMethods methods) => MethodId is not null ? methods.Resolve(MethodId, "payment_method")
        : MethodData is not null ? methods.Create(MethodData) : null;
}

/// <summary>The amounts Stripe takes (docs.stripe.com/currencies): a minimum per currency, at most eight digits.</summary>
internal static class StripeAmounts
{
    private const long Max = 99_999_999;

    private static readonly Dictionary<string, long> Minimum =
        ("usd 50 aud 50 brl 50 cad 50 chf 50 eur 50 inr 50 jpy 50 nzd 50 sgd 50 gbp 30 bgn 100 aed 200 myr 200 pln 200 ron 200 dkk 250 " +
        "nok 300 sek 300 hkd 400 mxn 1000 thb 1000 czk 1500 huf 17500").Split(' ').Chunk(2)
        .ToDictionary(pair => pair[0], pair => long.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Currencies with thousandths, whose last digit must be zero.</summary>
    private static readonly HashSet<string> ThreeDecimals = ["bhd", "jod", "kwd", "omr", "tnd"];

    public static void Check(long amount, string currency)
    {
        if (currency.Length != 3 || !currency.All(char.IsAsciiLetterLower))
        {
            throw StripeProblem.BadParameter($"Invalid currency: {currency}.", "currency", null);
        }

        if (amount < 1)
        {
            throw StripeProblem.BadParameter("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer");
        }

        if (amount < Minimum.GetValueOrDefault(currency, 1))
        {
            throw StripeProblem.BadParameter("Amount must convert to at least 50 cents. The amount is below the minimum charge amount.", "amount",
                "amount_too_small");
        }

        if (amount > Max)
        {
            throw StripeProblem.BadParameter($"Amount must be no more than {Max} in the currency's smallest unit.", "amount", "amount_too_large");
        }

        if ((currency == "isk" && amount % 100 != 0) || (ThreeDecimals.Contains(currency) && amount % 10 != 0))
        {
            throw StripeProblem.BadParameter($"Invalid amount for {currency}: the last digits must be zero.", "amount", "invalid_charge_amount");
        }
    }
}
