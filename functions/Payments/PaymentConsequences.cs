using Flex.Invoicing;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Payments;

/// <summary>What follows from an attempt's new state, as messages of the same commit.</summary>
public static class PaymentConsequences
{
    /// <summary>Message ids follow from invoice, attempt and state, each of which is entered at most once.</summary>
    public static IReadOnlyList<OutboxMessage> Of(BookEntry entry, int attemptNo)
    {
        Invoice invoice = entry.Invoice;
        PaymentAttempt attempt = entry.Attempt(attemptNo);
        return attempt.State switch
        {
            AttemptState.Unknown or AttemptState.Processing => [Reconcile(invoice.Id, attempt)],
            AttemptState.Succeeded or AttemptState.Failed or AttemptState.Reversed when invoice.Period is not null => [Settled(invoice, attempt)],
            _ => [],
        };
    }

    /// <summary>The notice of a membership invoice that was settled without any attempt, because nothing was due.</summary>
    public static OutboxMessage SettledWithoutAttempt(Invoice invoice, Instant now) => Message(
        $"settled-{invoice.Id}-0", new MembershipPaymentSettled(invoice.Id, invoice.Kind, invoice.Period!, ChargeState.Succeeded, null, now));

    /// <summary>Has the attempt looked at again after a while that depends on its state and on how often that was done.</summary>
    public static OutboxMessage Reconcile(InvoiceId id, PaymentAttempt attempt)
    {
        var command = new ReconcilePayment(id, attempt.No, attempt.State, attempt.Looks);
        return OutboxMessage.Create(
            command.MessageId, Queues.Billing, ReconcilePayment.Subject, command, ReconcilePayment.DelayOf(attempt.State, attempt.Looks));
    }

    public static ChargeState StateOf(PaymentAttempt attempt) => attempt.State switch
    {
        AttemptState.Succeeded => ChargeState.Succeeded,
        AttemptState.Failed => ChargeState.Failed,
        AttemptState.Reversed => ChargeState.Reversed,
        AttemptState.Processing => ChargeState.Processing,
        _ => ChargeState.Unknown,
    };

    private static OutboxMessage Settled(Invoice invoice, PaymentAttempt attempt) => Message(
        $"settled-{invoice.Id}-{attempt.No}-{attempt.State}",
        new MembershipPaymentSettled(invoice.Id, invoice.Kind, invoice.Period!, StateOf(attempt), attempt.FailureCode, attempt.StateAt));

    private static OutboxMessage Message(string id, MembershipPaymentSettled body) =>
        OutboxMessage.Create(id, Queues.Memberships, MembershipPaymentSettled.Subject, body);
}
