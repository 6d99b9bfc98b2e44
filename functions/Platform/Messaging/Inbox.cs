using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Platform.Messaging;

/// <summary>Says that a message's effect is in this partition; committed together with that effect.</summary>
public sealed record InboxRow(string Subject, Instant ReceivedAt);

public static class Inbox
{
    /// <summary>
    /// Makes the batch take effect once per message: inserts <c>M|{envelope.Id}</c>. When the commit then answers
    /// <see cref="CommitKind.Duplicate"/> of <see cref="RowKeys.Inbox"/>, an earlier delivery has done all of it: complete
    /// quietly. Every message that changes a partition does so in one batch, or each batch has its own inbox row.
    /// </summary>
    public static TableBatch Receive(this TableBatch batch, Envelope envelope, Instant now) =>
        batch.Insert(RowKeys.Inbox + envelope.Id, new InboxRow(envelope.Subject, now));

    /// <summary>True when the commit was refused because the message had been worked on before.</summary>
    public static bool WasReceived(this CommitResult result) => result.IsDuplicateOf(RowKeys.Inbox);
}
