using System.Diagnostics.Metrics;

namespace Flex.Payments;

/// <summary>Counters of the payments feature; tags carry states and event types only.</summary>
public static class PaymentMetrics
{
    public const string MeterName = "Flex.Payments";

    private static readonly Meter Meter = new(MeterName);

    /// <summary>Attempts that entered a state, by <c>state</c>.</summary>
    public static Counter<long> Attempts { get; } = Meter.CreateCounter<long>("flex.payment.attempts");

    private static readonly Counter<long> Events = Meter.CreateCounter<long>("flex.payment.events");

    /// <summary>A gateway's event of a type, with its effect: applied, foreign, ignored, other_mode.</summary>
    public static void CountEvent(string type, string effect) =>
        Events.Add(1, new KeyValuePair<string, object?>("type", type), new KeyValuePair<string, object?>("effect", effect));
}
