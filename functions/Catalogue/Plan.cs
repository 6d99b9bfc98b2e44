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
    long Version)
{
    /// <summary>What use of resources the plan includes; names are unique within the plan.</summary>
    public IReadOnlyList<PlanCredit> Credits { get; init; } = [];

    /// <summary>Prepaid booking passes its members can buy; any of them activates passes on the plan (BPS-7).</summary>
    public IReadOnlyList<PassOffer> PassOffers { get; init; } = [];

    /// <summary>Null: none.</summary>
    public DayPassTerms? DayPasses { get; init; }

    /// <summary>Name of its picture; null is none.</summary>
    public string? Image { get; init; }
}

/// <summary>
/// Free use of resources per monthly cycle: either minutes or an amount of money. At the start of each cycle the balance is set to it,
/// nothing is carried over (CRD-1, CRD-3, CRD-4).
/// </summary>
/// <param name="Name">Names the balance; unique within the plan.</param>
/// <param name="ResourceIds">What it can be used for, at least one.</param>
/// <param name="Minutes">Null for an amount.</param>
/// <param name="Amount">Net; null for minutes.</param>
/// <param name="PricePerHour">What an hour costs when the minutes are used up; null: the regular price (CRD-2).</param>
public sealed record PlanCredit(string Name, IReadOnlyList<ResourceId> ResourceIds, int? Minutes, Money? Amount, Money? PricePerHour);

/// <summary>A prepaid booking pass as a plan offers it (BPS-1).</summary>
/// <param name="Name">Unique within the plan.</param>
/// <param name="Minutes">What one pass holds, a positive multiple of 5.</param>
/// <param name="Price">Net, of one pass.</param>
/// <param name="ResourceIds">What it can be used for, at least one.</param>
public sealed record PassOffer(string Name, int Minutes, Money Price, TaxRateId? TaxRateId, IReadOnlyList<ResourceId> ResourceIds);

/// <summary>Day passes that come with a plan: a one-off plan gives them once, when it is sold; a recurring one in every monthly cycle, without carry-over.</summary>
/// <param name="Passes">Whole days.</param>
/// <param name="ValidDays">For one-off plans: days of validity from the day of sale; null: never expires.</param>
public sealed record DayPassTerms(int Passes, int? ValidDays);
