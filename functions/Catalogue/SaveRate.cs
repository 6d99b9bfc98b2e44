using Flex.Platform.Http;
using Flex.Settings;
using FluentValidation;

namespace Flex.Catalogue;

/// <summary>
/// A rate as a whole, for creating and for editing. All prices are net, not negative and in one currency, which stays as it was
/// created; 0 is free. A booking costs the cheapest single variant.
/// </summary>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="HourlyPrice">One of this and the next four is needed.</param>
/// <param name="DailyPrice">Per local day touched.</param>
/// <param name="HalfDayPrice">Per half of the opening time of the first day.</param>
/// <param name="WeekPrice">Per 7 local days touched.</param>
/// <param name="MonthPrice">Per calendar month.</param>
/// <param name="WeekendHourlyPrice">On Saturdays and Sundays instead of the hourly price, which it needs.</param>
/// <param name="WeekendDailyPrice">On Saturdays and Sundays instead of the daily price, which it needs.</param>
/// <param name="OutsideHoursHourlyPrice">Outside the opening hours instead of the hourly price, which it needs.</param>
/// <param name="LocationIds">Where it applies, at most 100; empty is everywhere with that currency.</param>
public sealed record RateRequest(
    string Name,
    Money? HourlyPrice,
    Money? DailyPrice,
    Money? HalfDayPrice,
    Money? WeekPrice,
    Money? MonthPrice,
    Money? WeekendHourlyPrice,
    Money? WeekendDailyPrice,
    Money? OutsideHoursHourlyPrice,
    TaxRateId? TaxRateId,
    IReadOnlyList<LocationId> LocationIds)
{
    /// <summary>The prices that are set, by their name in the request.</summary>
    internal IEnumerable<(string Name, Money Price)> Prices() =>
        from p in new (string Name, Money? Price)[]
        {
            ("hourlyPrice", HourlyPrice),
            ("dailyPrice", DailyPrice),
            ("halfDayPrice", HalfDayPrice),
            ("weekPrice", WeekPrice),
            ("monthPrice", MonthPrice),
            ("weekendHourlyPrice", WeekendHourlyPrice),
            ("weekendDailyPrice", WeekendDailyPrice),
            ("outsideHoursHourlyPrice", OutsideHoursHourlyPrice),
        }
        where p.Price is not null
        select (p.Name, p.Price!.Value);
}

public sealed class RateValidator : AbstractValidator<RateRequest>
{
    public RateValidator()
    {
        RuleFor(r => r.Name).PlainText(200);
        RuleFor(r => r.HourlyPrice).NotNull().When(r => (r.DailyPrice ?? r.HalfDayPrice ?? r.WeekPrice ?? r.MonthPrice) is null)
            .WithMessage("A rate has an hourly, daily, half-day, week or month price.");
        RuleFor(r => r.WeekendHourlyPrice).Null().When(r => r.HourlyPrice is null).WithMessage("It needs an hourly price.");
        RuleFor(r => r.OutsideHoursHourlyPrice).Null().When(r => r.HourlyPrice is null).WithMessage("It needs an hourly price.");
        RuleFor(r => r.WeekendDailyPrice).Null().When(r => r.DailyPrice is null).WithMessage("It needs a daily price.");
        RuleFor(r => r.HourlyPrice).NotNegative();
        RuleFor(r => r.DailyPrice).NotNegative();
        RuleFor(r => r.HalfDayPrice).NotNegative();
        RuleFor(r => r.WeekPrice).NotNegative();
        RuleFor(r => r.MonthPrice).NotNegative();
        RuleFor(r => r.WeekendHourlyPrice).NotNegative();
        RuleFor(r => r.WeekendDailyPrice).NotNegative();
        RuleFor(r => r.OutsideHoursHourlyPrice).NotNegative();
        RuleFor(r => r.LocationIds)
            .Must(l => l.Count <= 100 && l.Distinct().Count() == l.Count)
            .WithMessage("At most 100 locations, each once.");
    }
}

public sealed record RateView(
    RateId Id,
    string Name,
    Money? HourlyPrice,
    Money? DailyPrice,
    Money? HalfDayPrice,
    Money? WeekPrice,
    Money? MonthPrice,
    Money? WeekendHourlyPrice,
    Money? WeekendDailyPrice,
    Money? OutsideHoursHourlyPrice,
    TaxRateId? TaxRateId,
    IReadOnlyList<LocationId> LocationIds,
    long Version) : IVersioned
{
    public static RateView Of(Rate r) => new(
        r.Id,
        r.Name,
        r.HourlyPrice,
        r.DailyPrice,
        r.HalfDayPrice,
        r.WeekPrice,
        r.MonthPrice,
        r.WeekendHourlyPrice,
        r.WeekendDailyPrice,
        r.OutsideHoursHourlyPrice,
        r.TaxRateId,
        r.LocationIds,
        r.Version);
}

/// <param name="Location">Only rates of this location, with those that apply everywhere unless <paramref name="Scope"/> is exact.</param>
public sealed record RateFilter(LocationId? Location = null, RateScope Scope = RateScope.Applicable);

public sealed class SaveRateHandler(CatalogueStore store, SettingsStore settings, IIdSource ids)
{
    public async Task<Reply<RateView>> CreateAsync(RateRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await RefuseAsync(request, request.Prices().First().Price.Currency, cancellation) is { } refusal)
        {
            return await store.ReplayOrAsync<RateView>(context, refusal, cancellation);
        }

        Rate rate = Make(EntityId.New<RateId>(ids), request, version: 1);
        return await store.CommitAsync(CatalogueStore.Put(CatalogueStore.Batch(), rate, etag: null), context, RateView.Of(rate), cancellation);
    }

    public async Task<Reply<RateView>> EditAsync(RateId id, RateRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await store.ReadRateAsync(id, cancellation) is not { } found)
        {
            return Error.NotFound("The rate");
        }

        if (context.CheckIfMatch(found.Value.Version) is { } stale)
        {
            return stale;
        }

        if (await RefuseAsync(request, found.Value.Currency, cancellation) is { } refusal)
        {
            return refusal;
        }

        Rate edited = Make(id, request, found.Value.Version + 1);
        return await store.CommitAsync(CatalogueStore.Put(CatalogueStore.Batch(), edited, found.ETag), context, RateView.Of(edited), cancellation);
    }

    /// <summary>Pure: every price is in the currency, that of the rate or, for a new one, of the first of them.</summary>
    public static Error? RefusePrices(RateRequest request, Currency currency) =>
        request.Prices().Where(p => !p.Price.Currency.Equals(currency)).Select(p => p.Name).FirstOrDefault() is { } other
            ? Error.Invalid(ErrorCodes.CurrencyMismatch, $"/{other}/currency", $"The prices of this rate are in {currency}, which cannot be changed.")
            : null;

    private static Rate Make(RateId id, RateRequest request, long version) => new(
        id,
        request.Name,
        request.HourlyPrice,
        request.DailyPrice,
        request.HalfDayPrice,
        request.WeekPrice,
        request.MonthPrice,
        request.WeekendHourlyPrice,
        request.WeekendDailyPrice,
        request.OutsideHoursHourlyPrice,
        request.TaxRateId,
        request.LocationIds,
        version);

    private async Task<Error?> RefuseAsync(RateRequest request, Currency currency, CancellationToken cancellation)
    {
        if (RefusePrices(request, currency) is { } mixed)
        {
            return mixed;
        }

        for (int i = 0; i < request.LocationIds.Count; i++)
        {
            if (await settings.FindLocationAsync(request.LocationIds[i], cancellation) is not { } location)
            {
                return Error.Invalid(ErrorCodes.UnknownReference, $"/locationIds/{i}", "There is no such location.");
            }

            if (!currency.Equals(location.Currency))
            {
                return Error.Invalid(ErrorCodes.CurrencyMismatch, $"/locationIds/{i}", $"Prices of this location are in {location.Currency}.");
            }
        }

        return request.TaxRateId is { } tax && await settings.FindTaxRateAsync(tax, cancellation) is null
            ? Error.Invalid(ErrorCodes.UnknownReference, "/taxRateId", "There is no such tax rate.")
            : null;
    }
}
