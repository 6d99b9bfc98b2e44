using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>
/// How far ahead occurrences are accounted (REC-2): up to the day two calendar months ahead, inclusive, which is the last of its month
/// where that month is shorter. Pure.
/// </summary>
public static class AccountingHorizon
{
    private const int Months = 2;

    /// <summary>The last day that is accounted on a local day.</summary>
    public static LocalDate Of(LocalDate today) => today.PlusMonths(Months);

    /// <summary>The local day on which a day is first inside the horizon.</summary>
    public static LocalDate EntryOf(LocalDate date)
    {
        // Two months back can be a shorter month, whose last day does not reach the date; the day after it does.
        LocalDate back = date.PlusMonths(-Months);
        return Of(back) < date ? back.PlusDays(1) : back;
    }
}
