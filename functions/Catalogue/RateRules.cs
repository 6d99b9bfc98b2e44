using Flex.Settings;
using NodaTime;

namespace Flex.Catalogue;

/// <summary>Where a rate applies and what it makes of a time. Pure.</summary>
public static class RateRules
{
    private const int DaysPerWeek = 7;

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
    /// The net price of the cheapest single variant (CAT-7, CAT-8), rounded once, half away from zero. Hours and half days count elapsed
    /// time, so a night that loses an hour costs an hour less; days, weeks and months count the local days the time touches, whatever
    /// their length.
    /// </summary>
    public static Money PriceOf(RatedTime rated)
    {
        if (rated.Time.Duration == Duration.Zero)
        {
            return Money.Zero(rated.Rate.Currency);
        }

        LocalDate first = rated.Calendar.DateOf(rated.Time.Start);
        LocalDate last = rated.Calendar.DateOf(rated.Time.End - Duration.Epsilon);
        Rate rate = rated.Rate;
        return new[]
        {
            rate.HourlyPrice is { } hourly ? Hours(rated, hourly) : (Money?)null,
            rate.DailyPrice is { } daily ? Days(rate, daily, first, last) : null,
            rate.HalfDayPrice?.Times(HalfDays(rated, first), 1),
            rate.WeekPrice?.Times(Weeks(first, last), 1),
            rate.MonthPrice?.Times(Months(first, last), 1),
        }.OfType<Money>().Min();
    }

    /// <summary>Every tick at the price of its class: weekend before outside the opening hours before the regular one.</summary>
    private static Money Hours(RatedTime rated, Money hourly)
    {
        long regular = 0, weekend = 0, outside = 0;
        foreach (DayPart part in rated.Calendar.PartsOf(rated.Time))
        {
            if (part.IsWeekend && rated.Rate.WeekendHourlyPrice is not null)
            {
                weekend += part.Ticks;
                continue;
            }

            long open = rated.Hours.OpenTicks(part);
            regular += open;
            outside += part.Ticks - open;
        }

        return Money.Sum(
            [
                (hourly, regular),
                (rated.Rate.OutsideHoursHourlyPrice ?? hourly, outside),
                (rated.Rate.WeekendHourlyPrice ?? hourly, weekend),
            ],
            NodaConstants.TicksPerHour);
    }

    private static Money Days(Rate rate, Money daily, LocalDate first, LocalDate last)
    {
        int weekend = 0, other = 0;
        for (LocalDate date = first; date <= last; date = date.PlusDays(1))
        {
            if (date.DayOfWeek is IsoDayOfWeek.Saturday or IsoDayOfWeek.Sunday)
            {
                weekend++;
            }
            else
            {
                other++;
            }
        }

        return daily.Times(other, 1) + (rate.WeekendDailyPrice ?? daily).Times(weekend, 1);
    }

    /// <summary>Units of half of what the first day counts as, begun ones in full.</summary>
    private static long HalfDays(RatedTime rated, LocalDate first)
    {
        long unit = rated.Hours.DayMinutes(first) * NodaConstants.TicksPerMinute / 2;
        return (rated.Time.Duration.BclCompatibleTicks + unit - 1) / unit;
    }

    private static int Weeks(LocalDate first, LocalDate last) => (Period.DaysBetween(first, last) + DaysPerWeek) / DaysPerWeek;

    /// <summary>Calendar months from the first day until all days are covered; a month that is too short for the day ends with its last.</summary>
    private static int Months(LocalDate first, LocalDate last)
    {
        int months = 1;
        while (MonthAnchor.Nth(first, months) <= last)
        {
            months++;
        }

        return months;
    }
}

public enum RateScope
{
    /// <summary>What can be used at the location: its own rates and those that apply everywhere.</summary>
    Applicable,

    /// <summary>Only rates that name the location.</summary>
    Exact,
}
