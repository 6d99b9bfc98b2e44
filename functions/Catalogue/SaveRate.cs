using Flex.Platform.Http;
using Flex.Settings;
using FluentValidation;

namespace Flex.Catalogue;

/// <summary>A rate as a whole, for creating and for editing.</summary>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="HourlyPrice">Net, not negative; 0 is free. The currency stays as it was created.</param>
/// <param name="LocationIds">Where it applies, at most 100; empty is everywhere with that currency.</param>
public sealed record RateRequest(string Name, Money HourlyPrice, TaxRateId? TaxRateId, IReadOnlyList<LocationId> LocationIds);

public sealed class RateValidator : AbstractValidator<RateRequest>
{
    public RateValidator()
    {
        RuleFor(r => r.Name).PlainText(200);
        RuleFor(r => r.HourlyPrice).Must(p => p.Minor >= 0).WithMessage("A price is not negative.");
        RuleFor(r => r.LocationIds)
            .Must(l => l.Count <= 100 && l.Distinct().Count() == l.Count)
            .WithMessage("At most 100 locations, each once.");
    }
}

public sealed record RateView(
    RateId Id, string Name, Money? HourlyPrice, TaxRateId? TaxRateId, IReadOnlyList<LocationId> LocationIds, long Version) : IVersioned
{
    public static RateView Of(Rate r) => new(r.Id, r.Name, r.HourlyPrice, r.TaxRateId, r.LocationIds, r.Version);
}

/// <param name="Location">Only rates of this location, with those that apply everywhere unless <paramref name="Scope"/> is exact.</param>
public sealed record RateFilter(LocationId? Location = null, RateScope Scope = RateScope.Applicable);

public sealed class SaveRateHandler(CatalogueStore store, SettingsStore settings, IIdSource ids)
{
    public async Task<Reply<RateView>> CreateAsync(RateRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await RefuseReferencesAsync(request, cancellation) is { } refusal)
        {
            return await store.ReplayOrAsync<RateView>(context, refusal, cancellation);
        }

        var rate = new Rate(
            EntityId.New<RateId>(ids), request.Name, request.HourlyPrice, null, null, null, null, null, null, null, request.TaxRateId, request.LocationIds, Version: 1);
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

        if (!request.HourlyPrice.Currency.Equals(found.Value.Currency))
        {
            return Error.Invalid(ErrorCodes.CurrencyMismatch, "/hourlyPrice/currency", "The currency of a rate cannot be changed.");
        }

        if (await RefuseReferencesAsync(request, cancellation) is { } refusal)
        {
            return refusal;
        }

        Rate edited = found.Value with
        {
            Name = request.Name,
            HourlyPrice = request.HourlyPrice,
            TaxRateId = request.TaxRateId,
            LocationIds = request.LocationIds,
            Version = found.Value.Version + 1,
        };
        return await store.CommitAsync(CatalogueStore.Put(CatalogueStore.Batch(), edited, found.ETag), context, RateView.Of(edited), cancellation);
    }

    private async Task<Error?> RefuseReferencesAsync(RateRequest request, CancellationToken cancellation)
    {
        for (int i = 0; i < request.LocationIds.Count; i++)
        {
            if (await settings.FindLocationAsync(request.LocationIds[i], cancellation) is not { } location)
            {
                return Error.Invalid(ErrorCodes.UnknownReference, $"/locationIds/{i}", "There is no such location.");
            }

            if (!request.HourlyPrice.Currency.Equals(location.Currency))
            {
                return Error.Invalid(ErrorCodes.CurrencyMismatch, $"/locationIds/{i}", $"Prices of this location are in {location.Currency}.");
            }
        }

        return request.TaxRateId is { } tax && await settings.FindTaxRateAsync(tax, cancellation) is null
            ? Error.Invalid(ErrorCodes.UnknownReference, "/taxRateId", "There is no such tax rate.")
            : null;
    }
}
