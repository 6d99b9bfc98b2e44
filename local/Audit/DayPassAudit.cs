using Flex.DayPasses;
using Flex.Platform.Tables;

namespace Flex.Local.Audit;

/// <summary>Every half day that is used was taken by exactly one check-in, or is held for one that is being committed.</summary>
internal static class DayPassAudit
{
    public static IEnumerable<Finding> Check(IReadOnlyCollection<TableRow> rows)
    {
        CheckIn[] checkIns = [.. Of<CheckIn>(rows, DayPassStore.CheckInPrefix)];
        Dictionary<CheckInId, CheckIn> byId = checkIns.ToDictionary(c => c.Id);
        PassUse[] uses =
        [
            .. checkIns.SelectMany(c => c.Uses),
            .. Of<SharedHold>(rows, DayPassStore.HoldPrefix).Where(h => !h.IsPartOf(byId.GetValueOrDefault(h.CheckInId))).SelectMany(h => h.Uses),
        ];
        ILookup<DayPassId?, PassUse> ofPass = uses.ToLookup(u => u.PassId);
        foreach (DayPass pass in Of<DayPass>(rows, DayPassStore.PassPrefix))
        {
            int taken = ofPass[pass.Id].Sum(u => u.Halves);
            if (pass.UsedHalves != taken || pass.UsedHalves > pass.Halves)
            {
                yield return new Finding("day pass", $"{pass.Id} has used {pass.UsedHalves} of {pass.Halves} half days; check-ins have taken {taken}.");
            }
        }

        foreach (MonthlyUse monthly in Of<MonthlyUse>(rows, DayPassStore.MonthlyPrefix))
        {
            int taken = ofPass[null].Where(u => u.MembershipId == monthly.MembershipId && u.Cycle == monthly.Cycle).Sum(u => u.Halves);
            if (monthly.UsedHalves != taken)
            {
                yield return new Finding(
                    "day pass", $"{monthly.MembershipId} has used {monthly.UsedHalves} half days in the cycle of {monthly.Cycle}; check-ins have taken {taken}.");
            }
        }

        foreach (CheckIn checkIn in checkIns.Where(c => c.Halves > DayPass.HalvesPerDay))
        {
            yield return new Finding("day pass", $"{checkIn.Id} has taken {checkIn.Halves} half days for one day.");
        }
    }

    private static IEnumerable<T> Of<T>(IEnumerable<TableRow> rows, string prefix) =>
        rows.Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(r => r.As<T>());
}
