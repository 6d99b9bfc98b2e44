namespace Flex.Payments;

/// <summary>
/// Our minor units and Stripe's. They agree for every currency on the allow-list; Stripe takes currencies with three decimals in steps of
/// ten only. Source: docs.stripe.com/currencies#three-decimal
/// </summary>
public static class StripeAmounts
{
    /// <summary>False when the amount cannot be charged exactly.</summary>
    public static bool TryToStripe(Money money, out long amount)
    {
        amount = money.Minor;
        return money.Currency.Exponent != 3 || money.Minor % 10 == 0;
    }
}
