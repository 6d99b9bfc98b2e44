using System.Diagnostics.Metrics;
using Flex.Payments;

namespace Flex.Renewals;

/// <summary>Numbers of the renewals; tags carry states, rungs and names of orchestrations only.</summary>
public static class RenewalMetrics
{
    public const string MeterName = "Flex.Renewals";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>(
        "flex.renewal.attempts", description: "Attempts to charge a period that entered a state.");

    private static readonly Counter<long> Downgrades = Meter.CreateCounter<long>(
        "flex.renewal.downgrades", description: "Memberships that ended for want of payment.");

    private static readonly Gauge<long> Unfinished = Meter.CreateGauge<long>(
        "flex.renewal.unfinished", description: "Memberships whose renewal date is over without an answer to a first attempt.");

    private static readonly Counter<long> FailedOrchestrations = Meter.CreateCounter<long>(
        "flex.renewal.orchestrations.failed", description: "Orchestrations that ended with an exception.");

    /// <param name="rung">1 to 4, or 0 for an extra attempt with a new payment source.</param>
    public static void CountBegun(int rung) => CountAttempt("Begun", rung);

    /// <summary>Counts an outcome that a membership took in.</summary>
    public static void Count(ChargeState state, int rung) => CountAttempt(state.ToString(), rung);

    public static void CountDowngrade() => Downgrades.Add(1);

    /// <summary>Reported every hour, also when it is 0: silence means that the timer does not run.</summary>
    public static void ReportUnfinished(int memberships) => Unfinished.Record(memberships);

    public static void CountFailedOrchestration(string orchestration) =>
        FailedOrchestrations.Add(1, new KeyValuePair<string, object?>("orchestration", orchestration));

    private static void CountAttempt(string state, int rung) =>
        Attempts.Add(1, new KeyValuePair<string, object?>("state", state), new KeyValuePair<string, object?>("rung", rung));
}
