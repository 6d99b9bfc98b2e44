using NodaTime;

namespace Flex.Platform.Messaging;

/// <summary>
/// What travels on a queue, as the whole body: a fact (past tense) or a command (imperative) with a version in its subject,
/// e.g. <c>invoice.settled.v1</c>. Duplicates and any order are possible; consumers dedupe by <paramref name="Id"/>.
/// </summary>
/// <param name="Id">Unique per message; also the broker's MessageId, so its duplicate detection sees repeats.</param>
/// <param name="Subject">Names the body's type and version.</param>
/// <param name="Body">JSON in <see cref="StorageJson"/> form.</param>
/// <param name="CorrelationId">The request or run that caused it; carried into logs and on to further messages.</param>
public sealed record Envelope(string Id, string Subject, string Body, string? CorrelationId)
{
    public T Read<T>() => StorageJson.Read<T>(Body);
}

/// <summary>A message that commits with its cause; see <see cref="Tables.TableBatch.Send"/>.</summary>
/// <param name="Delay">Not delivered before this long after the commit; null is at once.</param>
public sealed record OutboxMessage(string Id, string Queue, string Subject, string Body, string? CorrelationId, Duration? Delay = null)
{
    public static OutboxMessage Create<T>(string id, string queue, string subject, T body, Duration? delay = null) =>
        new(id, queue, subject, StorageJson.Write(body), CorrelationScope.Current, delay);

    public Envelope ToEnvelope() => new(Id, Subject, Body, CorrelationId);
}

/// <summary>The port to the broker: Service Bus in Azure, the local queue on one machine.</summary>
public interface IMessagePublisher
{
    /// <summary>
    /// Accepts the message durably, then returns. A body over the broker's limit is put into a blob and sent by reference.
    /// Throws <see cref="TransientFaultException"/> when the broker cannot be reached; nothing was sent then, or it is a duplicate.
    /// </summary>
    Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation);
}

/// <summary>The queues, and nothing but the queues: infrastructure, local host and consumers all read this list.</summary>
public static class Queues
{
    public const string Outbox = "outbox";
    public const string StripeEvents = "stripe-events";
    public const string Billing = "billing";
    public const string Memberships = "memberships";
    public const string Renewals = "renewals";
    public const string Bookings = "bookings";
    public const string Access = "access";
    public const string Mail = "mail";

    /// <summary>The setting that holds the broker's connection.</summary>
    public const string Connection = "ServiceBusConnection";

    // The terms of delivery: the local queues keep them, and a test holds those of infra/modules/servicebus.bicep against them.

    /// <summary>Deliveries of a message whose handler fails before it is dead-lettered.</summary>
    public const int MaxFailures = 10;

    /// <summary>
    /// Deliveries before the broker itself gives a message up; the infrastructure's queues are made with the same number. Only what
    /// waits for a dependency comes this far, a <see cref="LockDuration"/> at a time: an outage of two hours is bridged.
    /// </summary>
    public const int MaxDeliveryCount = 30;

    /// <summary>
    /// Within this time a second message with the same id is accepted and dropped. Longer than a sweep of the outbox takes to repeat
    /// what was published, shorter than the hour after which timers ask again for what is still due.
    /// </summary>
    public static readonly Duration DuplicateWindow = Duration.FromMinutes(10);

    /// <summary>
    /// How long a delivery hides its message: after a crash it comes again when this is over. The longest that Service Bus has.
    /// Source: learn.microsoft.com/azure/service-bus-messaging/message-transfers-locks-settlement
    /// </summary>
    public static readonly Duration LockDuration = Duration.FromMinutes(5);

    public static IReadOnlyList<string> All { get; } = [Outbox, StripeEvents, Billing, Memberships, Renewals, Bookings, Access, Mail];
}

/// <summary>The correlation id of the request, message or activity being worked on, flowing with the async context.</summary>
public static class CorrelationScope
{
    private static readonly AsyncLocal<string?> Value = new();

    public static string? Current => Value.Value;

    public static void Set(string? correlationId) => Value.Value = correlationId;
}
