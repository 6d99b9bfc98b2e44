using Flex.Catalogue;
using NodaTime;

namespace Flex.Wallets;

/// <summary>
/// What a booking costs and what pays for it, in the one order that counts: free rates, the block rule, credits, passes, the price of
/// the rest, money credits. Pure.
/// </summary>
public static class PriceResolution
{
    /// <summary>
    /// Refusals: <c>booking_requires_pass</c>, <c>out_of_passes</c>. Credits pay for the first minutes, passes for the next; what is left
    /// at the end of the time is priced as a time of its own. Where the plan's price per hour is higher than the regular price, it is
    /// charged nevertheless and counts as the regular price: a discount is never negative.
    /// </summary>
    public static Result<BookingPrice> Resolve(RatedTime rated, Allowance allowance)
    {
        if (rated.Rate.IsFree)
        {
            return BookingPrice.Free(rated.Rate.Currency);
        }

        bool hasMinuteCredit = allowance.Credits.Any(c => c.MinutesLeft is not null);
        int owned = allowance.Passes.Sum(p => p.MinutesLeft);
        if (allowance.PassesActivated && !hasMinuteCredit && !allowance.PassesOffered && owned == 0)
        {
            return RequiresPass();
        }

        Money? pricePerHour = allowance.Credits.Select(c => c.PricePerHour).FirstOrDefault(p => p is { } price && price.Currency.Equals(rated.Rate.Currency));

        // BPS-6: where a pass is offered and a credit has a price per hour, the credits are left alone.
        bool skipsCredits = allowance.PassesOffered && pricePerHour is not null;
        PaidTime time = PaidTime.Of(rated);
        int byCredit = skipsCredits ? 0 : time.Payable(allowance.Credits.Sum(c => c.MinutesLeft ?? 0));
        PaidTime afterCredits = time.After(byCredit);
        int byPass = afterCredits.Payable(owned);
        PaidTime rest = afterCredits.After(byPass);
        if (allowance.PassesOffered && rest.Minutes > 0)
        {
            return OutOfPasses(allowance, owned, afterCredits.Minutes);
        }

        var takings = new List<Taking>();
        TakeMinutes(takings, byCredit, allowance.Credits.Select(c => (c.Source, c.MinutesLeft ?? 0)));
        TakeMinutes(takings, byPass, allowance.Passes.Select(p => (p.PassId.Value, p.MinutesLeft)));
        return rest.Minutes == 0
            ? BookingPrice.Free(rated.Rate.Currency) with { CreditMinutes = byCredit, PassMinutes = byPass, Takings = takings }
            : PriceOf(rest.Rated, pricePerHour, allowance, takings) with { CreditMinutes = byCredit, PassMinutes = byPass };
    }

    private static BookingPrice PriceOf(RatedTime rest, Money? pricePerHour, Allowance allowance, List<Taking> takings)
    {
        Money regular = RateRules.PriceOf(rest);
        Money charged = pricePerHour?.Times(rest.Time.Duration.BclCompatibleTicks, NodaConstants.TicksPerHour) ?? regular;
        regular = charged > regular ? charged : regular;
        Money fee = charged;
        foreach (CreditBalance credit in allowance.Credits)
        {
            if (credit.AmountLeft is { IsPositive: true } left && left.Currency.Equals(fee.Currency) && fee.IsPositive)
            {
                Money taken = left < fee ? left : fee;
                takings.Add(new Taking(credit.Source, 0, taken));
                fee -= taken;
            }
        }

        return new BookingPrice(regular, regular - charged, charged - fee, fee, 0, 0, takings);
    }

    private static void TakeMinutes(List<Taking> takings, int minutes, IEnumerable<(string Source, int Left)> from)
    {
        foreach ((string source, int left) in from.Where(f => f.Left > 0))
        {
            int taken = Math.Min(left, minutes);
            if (taken == 0)
            {
                return;
            }

            takings.Add(new Taking(source, taken, null));
            minutes -= taken;
        }
    }

    private static Error RequiresPass() =>
        Error.Refused(ErrorCodes.BookingRequiresPass, "The plan works with booking passes, and none it offers is for this resource.");

    private static Error OutOfPasses(Allowance allowance, int left, int needed) =>
        Error.Refused(ErrorCodes.OutOfPasses, $"{needed} minutes are needed and {left} are left on booking passes. Buy booking passes first.") with
        {
            Extensions = new Dictionary<string, object?> { ["minutesLeft"] = left, ["minutesNeeded"] = needed, ["purchase"] = allowance.PurchaseLink },
        };

    /// <summary>
    /// A time as credits and passes see it: elapsed minutes, or, where there are daily rates only, whole local days of as many minutes as
    /// the place is open.
    /// </summary>
    private sealed record PaidTime(RatedTime Rated, IReadOnlyList<LocalDate> Days, int Minutes)
    {
        public static PaidTime Of(RatedTime rated)
        {
            if (!rated.Rate.IsDaily)
            {
                return new PaidTime(rated, [], (int)rated.Time.Duration.TotalMinutes);
            }

            LocalDate[] days = [.. rated.Calendar.PartsOf(rated.Time).Select(p => p.Date).Distinct()];
            return new PaidTime(rated, days, days.Sum(rated.Hours.DayMinutes));
        }

        /// <summary>How many of the minutes can be used: all that fit, or those of the leading whole days.</summary>
        public int Payable(int minutes) => Rated.Rate.IsDaily ? PaidDays(minutes).Sum(Rated.Hours.DayMinutes) : Math.Min(minutes, Minutes);

        /// <summary>What is left behind payable minutes.</summary>
        public PaidTime After(int payable)
        {
            if (payable == Minutes)
            {
                return this with { Days = [], Minutes = 0 };
            }

            LocalDate[] days = [.. Days.Skip(PaidDays(payable).Count)];
            Instant start = !Rated.Rate.IsDaily ? Rated.Time.Start + Duration.FromMinutes(payable)
                : days.Length == Days.Count ? Rated.Time.Start
                : Rated.Calendar.StartOfDay(days[0]);
            return new PaidTime(Rated with { Time = new Interval(start, Rated.Time.End) }, days, Minutes - payable);
        }

        private List<LocalDate> PaidDays(int minutes)
        {
            var paid = new List<LocalDate>();
            foreach (LocalDate day in Days)
            {
                minutes -= Rated.Hours.DayMinutes(day);
                if (minutes < 0)
                {
                    break;
                }

                paid.Add(day);
            }

            return paid;
        }
    }
}
