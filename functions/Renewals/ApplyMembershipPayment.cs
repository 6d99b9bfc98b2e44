using Flex.Invoicing;
using Flex.Memberships;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;

namespace Flex.Renewals;

/// <summary>
/// Takes in the outcome of a membership's charge, whichever way it became known: by the gateway's answer, a webhook or the
/// reconciliation. An outcome that is already in the facts changes nothing; only a payment that was taken back needs an inbox
/// row, because its ladder may have been climbed to the end and forgotten when the notice is repeated.
/// </summary>
public sealed class ApplyMembershipPayment(
    MembershipStore memberships, SettingsStore settings, CompleteSignUp signUp, RenewalOutcomes outcomes) : IMessageHandler
{
    public string Queue => Queues.Memberships;

    public string Subject => MembershipPaymentSettled.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        MembershipPaymentSettled settled = envelope.Read<MembershipPaymentSettled>();
        if (settled.Kind == InvoiceKind.SignUp && settled.State != ChargeState.Reversed)
        {
            await signUp.ApplyAsync(settled.Period.MembershipId, settled.State, cancellation);
            return;
        }

        if (await memberships.FindAsync(settled.Period.MembershipId, cancellation) is not { } stored)
        {
            return;
        }

        Location location = await settings.LocationAsync(stored.Value.LocationId, cancellation);
        SiteCalendar calendar = location.Calendar;
        Membership after = settled.State == ChargeState.Reversed
            ? RenewalLadder.Reverse(stored.Value, settled.Period, settled.InvoiceId, settled.FailureCode, settled.At, calendar)
            : RenewalLadder.Settle(stored.Value, settled.InvoiceId, settled.State, settled.FailureCode, settled.At, calendar);
        if (ReferenceEquals(after, stored.Value))
        {
            return;
        }

        Envelope? once = settled.State == ChargeState.Reversed ? envelope : null;
        CommitResult result = await outcomes.CommitAsync(stored, after, calendar, watched: false, once, cancellation);
        if (!result.WasReceived())
        {
            result.Require();
            RenewalMetrics.Count(settled.State, settled.Period.Rung);
        }
    }
}
