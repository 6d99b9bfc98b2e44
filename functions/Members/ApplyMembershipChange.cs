using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Members;

/// <summary>
/// Keeps <see cref="Member.Standing"/> in step with the memberships. Two storage calls: read, replace. The membership's version
/// is the guard against repeats and wrong order, hence no inbox row.
/// </summary>
public sealed class ApplyMembershipChange(MemberStore store, TimeProvider time) : IMessageHandler
{
    /// <summary>Only other changes of the same member compete; a handful at once is far beyond what happens.</summary>
    private const int MaxRounds = 10;

    public string Queue => Queues.Memberships;

    public string Subject => MembershipChanged.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        MembershipChanged news = envelope.Read<MembershipChanged>();
        for (int round = 0; round < MaxRounds; round++)
        {
            Stored<Member> found = await store.ReadAsync(news.MemberId, cancellation)
                ?? throw new DefectException($"{envelope.Id} is about {news.MemberId}, who does not exist.");
            Member changed = MemberStanding.Apply(found.Value, news.Standing);
            if (ReferenceEquals(changed, found.Value))
            {
                return;
            }

            TableBatch batch = MemberStore.Replace(changed, found.ETag);
            if (MemberStanding.HasLostLast(found.Value, changed, news.Standing))
            {
                string id = $"{news.Standing.MembershipId}.{news.Standing.Version}.downgraded";
                batch.Send(OutboxMessage.Create(id, Queues.Bookings, MemberDowngraded.Subject, new MemberDowngraded(news.MemberId, time.Now())));
            }

            CommitResult result = await store.CommitAsync(batch, cancellation);
            if (result.Kind != CommitKind.Stale)
            {
                result.Require();
                return;
            }
        }

        throw new TransientFaultException($"{news.MemberId} keeps changing.");
    }
}
