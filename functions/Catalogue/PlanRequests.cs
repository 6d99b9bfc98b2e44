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
public sealed record PlanRequest(
    LocationId LocationId,
    string Name,
    PlanKind Kind,
    int IntervalMonths,
    Money Price,
    TaxRateId? TaxRateId,
    IReadOnlyList<string> AccessGroups,
    bool IsDefault,
    bool IsPublic);

public sealed class PlanValidator : AbstractValidator<PlanRequest>
{
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
    }
}

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
        plan.Version);
}

/// <param name="Location">Only plans of this location.</param>
public sealed record PlanFilter(LocationId? Location = null);
