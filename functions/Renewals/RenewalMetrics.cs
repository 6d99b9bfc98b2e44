using System.Diagnostics.Metrics;
using Flex.Members;
using Flex.Memberships;

namespace Flex.Renewals;

/// <summary>Counters of the renewals; tags carry states and rungs only.</summary>
public static class RenewalMetrics
{
    public const string MeterName = "Flex.Renewals";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Outcomes = Meter.CreateCounter<long>(
        "flex.renewal.outcomes", description: "Outcomes of attempts that memberships took in.");

    private static readonly Counter<long> Downgrades = Meter.CreateCounter<long>(
        "flex.renewal.downgrades", description: "Memberships that ended for want of payment.");

    /// <summary>Counts what a committed change means, by the <c>status</c> it left and, while unpaid, the <c>failed_rungs</c>.</summary>
    public static void Count(Membership before, Membership after)
    {
        if (before.InFlight is not null && after.InFlight is null)
        {
            Outcomes.Add(
                1,
                new KeyValuePair<string, object?>("status", after.Status.ToString()),
                new KeyValuePair<string, object?>("failed_rungs", after.Ladder?.FailedRungs ?? 0));
        }
    }

    public static void CountDowngrade() => Downgrades.Add(1);
}
