using Flex.Memberships;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Renewals;

/// <summary>A customer has a new payment source: every unpaid membership of the customer gets an attempt at the next full hour.</summary>
public sealed class NoteSourceUpdate(MembershipStore memberships, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Memberships;

    public string Subject => PaymentSourceUpdated.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        PaymentSourceUpdated update = envelope.Read<PaymentSourceUpdated>();
        foreach (MembershipId id in await memberships.ListOfCustomerAsync(update.CustomerId, cancellation))
        {
            if (await memberships.FindAsync(id, cancellation) is not { } stored
                || stored.Value.NoteSourceUpdate(update.At) is var after && ReferenceEquals(after, stored.Value))
            {
                continue;
            }

            // One customer's memberships may share a partition, so the inbox row names the membership too. Without the row a
            // second delivery would ask for a second extra attempt.
            TableBatch batch = (await memberships.ChangeAsync(MembershipStore.BatchFor(id), stored, after, cancellation))
                .Insert($"{RowKeys.Inbox}{envelope.Id}.{id}", new InboxRow(envelope.Subject, time.Now()))
                .Send(MembershipMessages.Look(after, RenewalNames.PaymentSourceUpdated));
            CommitResult result = await memberships.CommitAsync(batch, cancellation);
            if (!result.IsDuplicateOf(RowKeys.Inbox))
            {
                result.Require();
            }
        }
    }
}
