using NodaTime;

namespace Flex.Platform.Messaging;

/// <summary>A message that was given up: after its last delivery, or at once when it can never be handled.</summary>
/// <param name="Id">The envelope's id; for a body that is no envelope the broker's own.</param>
/// <param name="Subject">The envelope's subject; null for a body that is no envelope.</param>
/// <param name="Reason">Why it was given up: a stable code and, after a colon, the last failure without personal data and secrets.</param>
public sealed record DeadLetter(string Queue, string Id, string? Subject, string Reason, Instant DeadLetteredAt, int DeliveryCount)
{
    /// <summary>The reason as it is shown, of what the broker keeps.</summary>
    public static string ReasonOf(string? code, string? description) =>
        string.Join(": ", new[] { code, description }.Where(part => !string.IsNullOrEmpty(part)));
}

/// <summary>The broker's dead letters.</summary>
public interface IDeadLetters
{
    /// <summary>At most this many are listed per queue: what is listed is looked at by people.</summary>
    const int MaxListed = 100;

    /// <summary>Oldest first per queue; of one queue, or of all when null.</summary>
    Task<IReadOnlyList<DeadLetter>> ListAsync(string? queue, CancellationToken cancellation);

    /// <summary>
    /// Puts the message back on its queue with a fresh delivery count; false when there is no such dead letter. A crash in between
    /// leaves it in both places, which consumers bear because they dedupe by message id.
    /// </summary>
    Task<bool> ReplayAsync(string queue, string id, CancellationToken cancellation);
}
