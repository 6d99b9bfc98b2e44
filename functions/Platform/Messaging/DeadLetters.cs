using NodaTime;

namespace Flex.Platform.Messaging;

/// <summary>The port to messages that were given up after <see cref="Queues.MaxDeliveryCount"/> deliveries.</summary>
public interface IDeadLetters
{
    /// <summary>Oldest first, at most <paramref name="limit"/>; of all queues when <paramref name="queue"/> is null.</summary>
    Task<IReadOnlyList<DeadLetter>> ListAsync(string? queue, int limit, CancellationToken cancellation);

    /// <summary>Puts the message back at the end of its queue with a delivery count of zero; false when there is none with this id.</summary>
    Task<bool> ReplayAsync(string queue, string id, CancellationToken cancellation);
}

/// <param name="Id">The message's id.</param>
/// <param name="Reason">What the last delivery failed with: exception type and message. For operators, not for clients.</param>
public sealed record DeadLetter(string Queue, string Id, string Subject, string Reason, Instant DeadLetteredAt, int DeliveryCount);
