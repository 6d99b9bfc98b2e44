namespace Flex.Catalogue;

public enum PlanKind
{
    Recurring,
    OneOff,
}

/// <summary>A sellable template. Memberships keep a snapshot of it: editing a plan never changes who has already signed up.</summary>
/// <param name="IntervalMonths">1, 3, 6 or 12 for recurring plans, 0 for one-off ones.</param>
/// <param name="Price">Net price per interval, in the location's currency.</param>
/// <param name="AccessGroups">Door access groups that the membership grants while it is entitled.</param>
/// <param name="IsDefault">The plan everyone falls back to; exactly one per location, price 0.</param>
public sealed record Plan(
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
    long Version);
