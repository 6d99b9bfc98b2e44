using NodaTime;

namespace Flex.Kernel;

/// <summary>One monthly cycle of a membership, of its credits and of its day passes: the local days <c>[From, Until)</c>.</summary>
public readonly record struct CreditCycle(LocalDate From, LocalDate Until)
{
    /// <summary>
    /// CRD-5: the cycle that holds a local date, also one before the anchor. Both ends are counted from the anchor, never from each
    /// other, so that 31 January is followed by 28 February and then by 31 March.
    /// </summary>
    public static CreditCycle Of(LocalDate anchor, LocalDate date)
    {
        int months = ((date.Year - anchor.Year) * 12) + date.Month - anchor.Month;
        if (MonthAnchor.Nth(anchor, months) > date)
        {
            months--;
        }

        return new CreditCycle(MonthAnchor.Nth(anchor, months), MonthAnchor.Nth(anchor, months + 1));
    }

    public CreditCycle Next(LocalDate anchor) => Of(anchor, Until);
}
