using Flex.Settings;
using NodaTime;

namespace Flex.Catalogue;

/// <summary>Where a rate applies and what it makes of a time. Pure.</summary>
public static class RateRules
{
    /// <summary>CAT-9: a rate without locations applies everywhere its currency does, otherwise at its locations.</summary>
    public static bool AppliesAt(Rate rate, Location location) => RefuseAt(rate, location) is null;

    /// <summary>Null when a resource of the location may carry the rate.</summary>
    public static Error? RefuseAt(Rate rate, Location location)
    {
        if (!rate.Currency.Equals(location.Currency))
        {
            return Error.Invalid(
                ErrorCodes.CurrencyMismatch, "/rateId", $"The rate is in {rate.Currency}, the location's prices are in {location.Currency}.");
        }

        return rate.LocationIds.Count == 0 || rate.LocationIds.Contains(location.Id)
            ? null
            : Error.Invalid(ErrorCodes.InvalidValue, "/rateId", "The rate does not apply at this location.");
    }

    /// <summary>CAT-9: the filter of the list. Exact leaves out the rates that apply everywhere.</summary>
    public static bool Matches(Rate rate, Location location, RateScope scope) =>
        scope == RateScope.Exact ? rate.LocationIds.Contains(location.Id) : AppliesAt(rate, location);

    /// <summary>
    /// The cheapest single variant (CAT-7, CAT-8), rounded once, half away from zero. Elapsed time, not the clock on the wall: a night
    /// that loses an hour costs an hour less.
    /// </summary>
    public static Money PriceOf(RatedTime rated) => rated.Rate.HourlyPrice!.Value.Times(rated.Time.Duration.BclCompatibleTicks, NodaConstants.TicksPerHour);
}

public enum RateScope
{
    /// <summary>What can be used at the location: its own rates and those that apply everywhere.</summary>
    Applicable,

    /// <summary>Only rates that name the location.</summary>
    Exact,
}
