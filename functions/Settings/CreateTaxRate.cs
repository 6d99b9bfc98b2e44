using Flex.Platform.Http;
using FluentValidation;

namespace Flex.Settings;

/// <summary>A tax rate is never edited: documents keep what they were made with, and a new rate gets a new id.</summary>
/// <param name="Name">1 to 100 characters.</param>
/// <param name="Components">1 to 10, each 0 to 100 per cent with at most four decimals, names different.</param>
public sealed record CreateTaxRateRequest(string Name, IReadOnlyList<TaxComponent> Components);

public sealed class CreateTaxRateValidator : AbstractValidator<CreateTaxRateRequest>
{
    public CreateTaxRateValidator()
    {
        RuleFor(r => r.Name).PlainText(100);
        RuleFor(r => r.Components).Must(c => c.Count is >= 1 and <= 10).WithMessage("A tax rate has 1 to 10 components.");
        RuleFor(r => r.Components)
            .Must(c => c.Select(x => x?.Name).Distinct(StringComparer.Ordinal).Count() == c.Count)
            .WithMessage("Components have different names.");
        RuleForEach(r => r.Components).NotNull().ChildRules(c =>
        {
            c.RuleFor(x => x.Name).PlainText(100);
            c.RuleFor(x => x.Percent).InclusiveBetween(0, 100).Must(p => decimal.Round(p, 4) == p).WithMessage("At most four decimals.");
        });
    }
}

/// <param name="Percent">The sum of the components.</param>
public sealed record TaxRateView(TaxRateId Id, string Name, IReadOnlyList<TaxComponent> Components, decimal Percent, long Version) : IVersioned
{
    public static TaxRateView Of(TaxRate rate) => new(rate.Id, rate.Name, rate.Components, rate.Percent, rate.Version);
}

public sealed class TaxRateHandler(SettingsStore store, IIdSource ids)
{
    public async Task<Reply<TaxRateView>> CreateAsync(CreateTaxRateRequest request, RequestContext context, CancellationToken cancellation)
    {
        var rate = new TaxRate(EntityId.New<TaxRateId>(ids), request.Name, request.Components, Version: 1);
        return await store.CommitAsync(SettingsStore.Insert(rate), context, TaxRateView.Of(rate), cancellation);
    }

    public async Task<Reply<TaxRateView>> GetAsync(TaxRateId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadTaxRateAsync(id, cancellation) is { } rate ? TaxRateView.Of(rate) : Error.NotFound("The tax rate");

    public async Task<Reply<PageOf<TaxRateView>>> ListAsync(NoQuery query, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        IReadOnlyList<TaxRate> rates = await store.PageTaxRatesAsync(paging.After, paging.Take, cancellation);
        return paging.Page<TaxRateView>([.. rates.Select(TaxRateView.Of)], r => r.Id.Value);
    }
}
