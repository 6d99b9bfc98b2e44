using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Flex.Platform.Telemetry;

/// <summary>Every name under which the app emits telemetry.</summary>
public static class FlexTelemetry
{
    /// <summary>Of the activity source and of the platform's meter.</summary>
    public const string Name = "Flex";

    /// <summary>Matches the meters of the features, each named <c>Flex.{Feature}</c>.</summary>
    public const string FeatureMeters = Name + ".*";

    /// <summary>Tag and log value that lead from a request to its messages and orchestrations.</summary>
    public const string CorrelationId = "flex.correlation_id";

    private static readonly Meter Meter = new(Name);

    public static ActivitySource Source { get; } = new(Name);

    /// <summary>Refusals and failures answered over HTTP, by <c>code</c> and <c>status</c>.</summary>
    public static Counter<long> Problems { get; } = Meter.CreateCounter<long>("flex.http.problems", description: "Problem documents answered");

    /// <summary>Messages handled, by <c>queue</c>, <c>subject</c> and <c>outcome</c> (handled, failed).</summary>
    public static Counter<long> Messages { get; } = Meter.CreateCounter<long>("flex.messages", description: "Messages handled");

    /// <summary>
    /// How long after their commit messages are still in an outbox, by <c>table</c>, at each sweep that finds some. About a minute
    /// as a rule, which is when the sweep is due; more means that broker or sweeps are behind.
    /// </summary>
    public static Histogram<double> OutboxAge { get; } = Meter.CreateHistogram<double>(
        "flex.outbox.age", "s", "Age of messages found in an outbox");
}
