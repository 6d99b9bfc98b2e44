using Flex.Catalogue;
using Flex.Kernel;

namespace Flex.Functions.Tests;

/// <summary>Rates for tests, in US dollars.</summary>
internal static class Rates
{
    public static Rate Hourly(long minor) => new(
        EntityId.Derive<RateId>("r"), "r", new Money(minor, Currency.Parse("usd")), null, null, null, null, null, null, null, null, [], 1);

    /// <summary>A rate without any price, to be given some: <c>Rates.None with { DailyPrice = Rates.Usd(4000) }</c>.</summary>
    public static Rate None { get; } = Hourly(0) with { HourlyPrice = null };

    public static Money Usd(long minor) => new(minor, Currency.Parse("usd"));
}
