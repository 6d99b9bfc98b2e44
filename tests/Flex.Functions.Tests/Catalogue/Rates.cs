using Flex.Catalogue;
using Flex.Kernel;

namespace Flex.Functions.Tests;

/// <summary>Rates for tests, in US dollars.</summary>
internal static class Rates
{
    public static Rate Hourly(long minor) => new(
        EntityId.Derive<RateId>("r"), "r", new Money(minor, Currency.Parse("usd")), null, null, null, null, null, null, null, null, [], 1);
}
