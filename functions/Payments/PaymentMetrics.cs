using System.Diagnostics.Metrics;
using Flex.Invoicing;
using NodaTime;

namespace Flex.Payments;

/// <summary>What became of a call of the webhook.</summary>
public enum WebhookOutcome
{
    Accepted,

    /// <summary>Of the other mode, live or test.</summary>
    Ignored,

    /// <summary>Not signed by us or too old, or no event.</summary>
    Refused,

    /// <summary>The broker did not take it; Stripe will send it again.</summary>
    Unpublished,
}

/// <summary>Numbers of the payments feature; tags carry states and event types only.</summary>
public static class PaymentMetrics
{
    public const string MeterName = "Flex.Payments";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>(
        "flex.payment.attempts", description: "Payment attempts that entered a state.");

    private static readonly Counter<long> Events = Meter.CreateCounter<long>("flex.payment.events", description: "Gateway events consumed.");
    private static readonly Counter<long> Webhooks = Meter.CreateCounter<long>("flex.payment.webhooks", description: "Calls of the webhook.");
    private static readonly Histogram<long> Lag = Meter.CreateHistogram<long>(
        "flex.payment.webhook.lag", "s", "From the making of an event at the gateway to the end of its consumption.");

    private static readonly Histogram<long> UnknownAge = Meter.CreateHistogram<long>(
        "flex.payment.unknown.age", "s", "How long the outcome of an attempt has been unknown, at each look and at its end.");

    /// <summary>Counts the attempt in its new state and, when it was in doubt, how long.</summary>
    public static void Count(PaymentAttempt before, PaymentAttempt after)
    {
        Attempts.Add(1, new KeyValuePair<string, object?>("state", after.State.ToString()));
        if (before.State == AttemptState.Unknown)
        {
            RecordUnknown(after.State, after.StateAt - before.StateAt);
        }
    }

    /// <summary>A look at an attempt in doubt that brought nothing.</summary>
    public static void CountFruitlessLook(PaymentAttempt attempt, Instant now)
    {
        if (attempt.State == AttemptState.Unknown)
        {
            RecordUnknown(attempt.State, now - attempt.StateAt);
        }
    }

    /// <summary>A gateway's event of a type, with its effect: applied, foreign, ignored.</summary>
    public static void CountEvent(string type, string effect) =>
        Events.Add(1, new KeyValuePair<string, object?>("type", type), new KeyValuePair<string, object?>("effect", effect));

    public static void CountWebhook(WebhookOutcome outcome) => Webhooks.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString()));

    public static void RecordLag(string type, Duration lag) => Lag.Record((long)lag.TotalSeconds, new KeyValuePair<string, object?>("type", type));

    /// <param name="state">Unknown while it lasts, then what it turned out to be.</param>
    private static void RecordUnknown(AttemptState state, Duration age) =>
        UnknownAge.Record((long)age.TotalSeconds, new KeyValuePair<string, object?>("state", state.ToString()));
}
