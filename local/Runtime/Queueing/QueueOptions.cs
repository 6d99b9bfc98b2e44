using Azure.Messaging.ServiceBus;
using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;
using NodaTime;

namespace Flex.Local.Runtime.Queueing;

/// <summary>How the local queues deliver.</summary>
public sealed record QueueOptions
{
    public int MaxDeliveryCount { get; init; } = Queues.MaxDeliveryCount;

    /// <summary>How long a delivery hides its message. A delivery that takes longer has lost it, and cannot settle it any more.</summary>
    public Duration VisibilityTimeout { get; init; } = Queues.LockDuration;

    /// <summary>Within this time a second message with the same id is accepted and dropped. Not kept over a restart.</summary>
    public Duration DuplicateWindow { get; init; } = Queues.DuplicateWindow;

    /// <summary>The pause after a number of failed deliveries.</summary>
    public Func<int, Duration> Redelivery { get; init; } = BackOff;

    /// <summary>Null delivers once and in order, as far as nothing fails.</summary>
    public HostileDelivery? Hostile { get; init; }

    /// <summary>10 s, doubled with each failure, at most 10 min: a message that fails ten times is given up after about 40 minutes.</summary>
    public static Duration BackOff(int failures) =>
        Duration.Min(Duration.FromSeconds(10) * (1 << Math.Clamp(failures - 1, 0, 10)), Duration.FromMinutes(10));

    /// <summary>What Service Bus does with an abandoned message.</summary>
    public static Duration AtOnce(int failures) => Duration.Zero;
}

/// <summary>Delivery that does everything the contract allows, at random but the same for the same seed.</summary>
/// <param name="Duplicates">Share of messages that are delivered twice, 0 to 1.</param>
/// <param name="Delays">Share of deliveries that come later than asked, by up to <paramref name="LongestDelay"/>.</param>
/// <param name="Reorder">Messages due at the same instant come in random order.</param>
public sealed record HostileDelivery(int Seed, double Duplicates, double Delays, Duration LongestDelay, bool Reorder = true);

/// <summary>Who consumes the queues.</summary>
public interface IMessageReceiver
{
    /// <summary>Messages of a queue nobody listens to stay where they are.</summary>
    bool Listens(string queue);

    /// <summary>An exception gives the message back. A return settles nothing: what the actions were not called for stays locked.</summary>
    /// <param name="message">Its body is the envelope as JSON.</param>
    Task ReceiveAsync(string queue, ServiceBusReceivedMessage message, ServiceBusMessageActions actions, CancellationToken cancellation);
}

/// <summary>A stored message.</summary>
/// <param name="Sequence">Order of publication and part of the row's key.</param>
/// <param name="DeliveryCount">Deliveries begun, also those a crash ended.</param>
public sealed record QueuedMessage(string Queue, long Sequence, Envelope Envelope, Instant PublishedAt, Instant VisibleAt, int DeliveryCount)
{
    /// <summary>Set on dead letters.</summary>
    public string? Reason { get; init; }

    public Instant? DeadLetteredAt { get; init; }
}

/// <summary>What is in one queue.</summary>
/// <param name="Active">Due now.</param>
/// <param name="Scheduled">Due later: delayed or waiting for redelivery.</param>
public sealed record QueueStatus(string Queue, int Active, int Scheduled, int Delivering, int DeadLettered);
