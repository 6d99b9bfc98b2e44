using Flex.Access;
using Flex.Members;
using Flex.Memberships;
using Flex.Platform.Mail;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Renewals;

/// <summary>
/// Commits what the outcome of an attempt has made of a membership, together with everything others have to hear of it. The
/// orchestration and the payment's message both come here; whoever is second finds nothing new to commit.
/// </summary>
public sealed class RenewalOutcomes(MembershipStore memberships, CustomerStore customers, TimeProvider time)
{
    /// <summary>One commit; before it a read of the due index when that changes, and one of the customer when there is bad news.</summary>
    /// <param name="watched">True when the caller is the membership's orchestration, which goes on by itself unless it has another one's work to start.</param>
    /// <param name="once">The message whose effect this is, where the facts cannot tell a repetition.</param>
    public async Task<CommitResult> CommitAsync(
        Stored<Membership> before, Membership after, SiteCalendar calendar, bool watched, Envelope? once, CancellationToken cancellation)
    {
        TableBatch batch = await memberships.ChangeAsync(MembershipStore.BatchFor(after.Id), before, after, cancellation);
        if (once is not null)
        {
            batch.Receive(once, time.Now());
        }

        batch.Send(MembershipMessages.Of(before.Value, after, calendar, AccessEndReason.Expired));

        if (!watched || after.Run != before.Value.Run || after.ChargeNotBefore is not null)
        {
            batch.Send(MembershipMessages.Look(after, RenewalNames.PaymentSettled));
        }

        if (RenewalMail.FailedAttemptOf(before.Value, after) is { } attempt && await customers.FindAsync(after.CustomerId, cancellation) is { } customer)
        {
            batch.Send(RenewalMail.OfFailure(after, attempt, calendar, customer.BillingEmail).ToMessage());
        }

        return await memberships.CommitAsync(batch, cancellation);
    }
}
