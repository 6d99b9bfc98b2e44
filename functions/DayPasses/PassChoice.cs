using NodaTime;

namespace Flex.DayPasses;

/// <summary>Something a day could be paid with.</summary>
/// <param name="Id">The pass, or for monthly passes the membership.</param>
/// <param name="IsShared">The company's.</param>
/// <param name="Left">Half days.</param>
public sealed record PassOption(string Id, bool IsShared, bool IsMonthly, PassDays Days, int Left);

/// <summary>What is taken from an option.</summary>
/// <param name="Left">Half days left afterwards.</param>
public sealed record PassTaking(PassOption From, int Halves, int Left);

/// <summary>Which passes pay for a day (PAS-5). Pure.</summary>
public static class PassChoice
{
    /// <summary>
    /// Soonest-expiring first, those that never expire last; personal before the company's; monthly before one-time; then the older. A
    /// day may be made of two halves from different passes. All of it or a refusal that says what stands in the way.
    /// </summary>
    public static Result<IReadOnlyList<PassTaking>> Choose(IReadOnlyCollection<PassOption> options, int halves, LocalDate day)
    {
        var takings = new List<PassTaking>();
        int missing = halves;
        foreach (PassOption option in options
            .Where(o => DayPass.Judge(o.Days, o.Left, day) == DayPassState.Valid)
            .Order(Comparer<PassOption>.Create(Compare)))
        {
            int part = Math.Min(option.Left, missing);
            if (part > 0)
            {
                takings.Add(new PassTaking(option, part, option.Left - part));
                missing -= part;
            }
        }

        return missing == 0 ? takings : Refusal(options, day);
    }

    private static int Compare(PassOption one, PassOption other) =>
        (one.Days.CompareEnd(other.Days), one.IsShared.CompareTo(other.IsShared), other.IsMonthly.CompareTo(one.IsMonthly)) switch
        {
            (not 0 and var byEnd, _, _) => byEnd,
            (_, not 0 and var byHolder, _) => byHolder,
            (_, _, not 0 and var byKind) => byKind,
            _ => string.CompareOrdinal(one.Id, other.Id),
        };

    /// <summary>
    /// What would have helped soonest is named: a pass whose days are still to come, then one whose days are over. Passes of which nothing
    /// is left count as expired only where no other is.
    /// </summary>
    private static Error Refusal(IReadOnlyCollection<PassOption> options, LocalDate day)
    {
        ILookup<DayPassState, PassOption> byState = options.ToLookup(o => DayPass.Judge(o.Days, o.Left, day));
        if (byState[DayPassState.Valid].Any())
        {
            return Error.Invalid(ErrorCodes.NoPassesLeft, string.Empty, "Only half a day is left on the day passes.");
        }

        if (byState[DayPassState.Pending].Any())
        {
            return Error.Invalid(ErrorCodes.PassNotYetValid, string.Empty, "The day pass is not valid yet.");
        }

        bool isOver = byState[DayPassState.Used].Any() && byState[DayPassState.Used].All(o => o.Days.AreOver(day));
        return isOver || byState[DayPassState.Expired].Any()
            ? Error.Invalid(ErrorCodes.PassExpired, string.Empty, "The day pass has expired.")
            : Error.Invalid(ErrorCodes.NoPassesLeft, string.Empty, "No day pass is left for this location.");
    }
}
