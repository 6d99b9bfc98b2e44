using Flex.Platform.Http;
using FluentValidation;

namespace Flex.Catalogue;

/// <summary>A plan as a whole, for creating and for editing.</summary>
/// <param name="LocationId">Where it is sold; stays as it was created.</param>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="IntervalMonths">1, 3, 6 or 12 for recurring plans, 0 for one-off ones.</param>
/// <param name="Price">Net price per interval in the location's currency, not negative; 0 for the default plan.</param>
/// <param name="AccessGroups">At most 100 door access groups.</param>
/// <param name="IsDefault">True makes it the plan everyone falls back to, instead of the one that was.</param>
/// <param name="Credits">At most 20, with different names; null is none.</param>
/// <param name="PassOffers">At most 20, with different names; null is none.</param>
/// <param name="DayPasses">Null is none.</param>
public sealed record PlanRequest(
    LocationId LocationId,
    string Name,
    PlanKind Kind,
    int IntervalMonths,
    Money Price,
    TaxRateId? TaxRateId,
    IReadOnlyList<string> AccessGroups,
    bool IsDefault,
    bool IsPublic,
    IReadOnlyList<PlanCredit>? Credits,
    IReadOnlyList<PassOfferTerms>? PassOffers,
    DayPassTerms? DayPasses);

/// <summary>A prepaid booking pass over HTTP, where it is counted in hours.</summary>
/// <param name="Hours">What one pass holds; times 60 it is a positive multiple of 5, e.g. 0.25.</param>
/// <param name="Price">Net, of one pass, in the location's currency.</param>
/// <param name="ResourceIds">What it can be used for, 1 to 100.</param>
public sealed record PassOfferTerms(string Name, decimal Hours, Money Price, TaxRateId? TaxRateId, IReadOnlyList<ResourceId> ResourceIds)
{
    private const int MinutesPerHour = 60;

    public static PassOfferTerms Of(PassOffer offer) =>
        new(offer.Name, (decimal)offer.Minutes / MinutesPerHour, offer.Price, offer.TaxRateId, offer.ResourceIds);

    /// <summary>Only for hours that were found acceptable.</summary>
    public PassOffer ToOffer() => new(Name, (int)(Hours * MinutesPerHour), Price, TaxRateId, ResourceIds);
}

public sealed class PlanValidator : AbstractValidator<PlanRequest>
{
    private const int MaxTerms = 20;
    private const int MaxNameLength = 50;
    private const int MaxResources = 100;
    private const int MaxCreditMinutes = 525_600;
    private const decimal MaxPassHours = 10_000;
    private const decimal PassStepsPerHour = 12;

    public PlanValidator()
    {
        RuleFor(r => r.Name).PlainText(200);
        RuleFor(r => r.IntervalMonths).Must(m => m is 1 or 3 or 6 or 12).When(r => r.Kind == PlanKind.Recurring)
            .WithMessage("A recurring plan renews every 1, 3, 6 or 12 months.");
        RuleFor(r => r.IntervalMonths).Equal(0).When(r => r.Kind == PlanKind.OneOff).WithMessage("A one-off plan has no interval: 0.");
        RuleFor(r => r.Price).Must(p => p.Minor >= 0).WithMessage("A price is not negative.");
        RuleFor(r => r.Price).Must(p => p.IsZero).When(r => r.IsDefault).WithMessage("The default plan costs nothing.");
        RuleFor(r => r.AccessGroups).Must(g => g.Count <= 100).WithMessage("At most 100 access groups.");
        RuleForEach(r => r.AccessGroups).PlainText(100);
        RuleFor(r => r.Credits).Must(c => HasDifferent(c, credit => credit.Name)).WithMessage($"At most {MaxTerms} credits with different names.");
        RuleForEach(r => r.Credits).ChildRules(credit =>
        {
            credit.RuleFor(c => c.Name).PlainText(MaxNameLength);
            credit.RuleFor(c => c.ResourceIds).Must(AreSome).WithMessage($"1 to {MaxResources} resources, each once.");
            credit.RuleFor(c => c.Minutes).Must((c, minutes) => minutes is null != c.Amount is null).WithMessage("A credit is either minutes or an amount.");
            credit.RuleFor(c => c.Minutes).InclusiveBetween(1, MaxCreditMinutes);
            credit.RuleFor(c => c.Amount).Must(a => a is null or { IsPositive: true }).WithMessage("Must be more than nothing.");
            credit.RuleFor(c => c.PricePerHour).NotNegative();
            credit.RuleFor(c => c.PricePerHour).Null().When(c => c.Minutes is null).WithMessage("Only minutes have a price per hour after them.");
        });
        RuleFor(r => r.PassOffers).Must(p => HasDifferent(p, offer => offer.Name)).WithMessage($"At most {MaxTerms} passes with different names.");
        RuleForEach(r => r.PassOffers).ChildRules(offer =>
        {
            offer.RuleFor(o => o.Name).PlainText(MaxNameLength);
            offer.RuleFor(o => o.ResourceIds).Must(AreSome).WithMessage($"1 to {MaxResources} resources, each once.");
            offer.RuleFor(o => o.Hours).Must(h => h is > 0 and <= MaxPassHours && h * PassStepsPerHour % 1 == 0)
                .WithMessage($"Hours times 60 is a positive multiple of 5, at most {MaxPassHours} hours.");
            offer.RuleFor(o => o.Price).Must(p => p.Minor >= 0).WithMessage("A price is not negative.");
        });
        RuleFor(r => r.DayPasses!).ChildRules(passes =>
        {
            passes.RuleFor(p => p.Passes).InclusiveBetween(1, 100);
            passes.RuleFor(p => p.ValidDays).InclusiveBetween(1, 3660);
        }).When(r => r.DayPasses is not null);
        RuleFor(r => r.DayPasses!.ValidDays).Null().When(r => r.Kind == PlanKind.Recurring && r.DayPasses is not null)
            .WithMessage("The day passes of a recurring plan are valid in their cycle.");
    }

    private static bool HasDifferent<T>(IReadOnlyList<T>? terms, Func<T, string> name) =>
        terms is null || (terms.Count <= MaxTerms && terms.DistinctBy(name).Count() == terms.Count);

    private static bool AreSome(IReadOnlyList<ResourceId> resources) =>
        resources.Count is > 0 and <= MaxResources && resources.Distinct().Count() == resources.Count;
}

/// <param name="Image">Path of its picture; null is none.</param>
public sealed record PlanView(
    PlanId Id,
    LocationId LocationId,
    string Name,
    PlanKind Kind,
    int IntervalMonths,
    Money Price,
    TaxRateId? TaxRateId,
    IReadOnlyList<string> AccessGroups,
    bool IsDefault,
    bool IsPublic,
    IReadOnlyList<PlanCredit> Credits,
    IReadOnlyList<PassOfferTerms> PassOffers,
    DayPassTerms? DayPasses,
    string? Image,
    long Version) : IVersioned
{
    public static PlanView Of(Plan plan) => new(
        plan.Id,
        plan.LocationId,
        plan.Name,
        plan.Kind,
        plan.IntervalMonths,
        plan.Price,
        plan.TaxRateId,
        plan.AccessGroups,
        plan.IsDefault,
        plan.IsPublic,
        plan.Credits,
        [.. plan.PassOffers.Select(PassOfferTerms.Of)],
        plan.DayPasses,
        plan.Image is null ? null : $"/api/v1/plans/{plan.Id}/image",
        plan.Version);
}

/// <param name="Location">Only plans of this location.</param>
public sealed record PlanFilter(LocationId? Location = null);
