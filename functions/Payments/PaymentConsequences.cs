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
            AttemptState.Succeeded or AttemptState.Failed or AttemptState.Reversed when invoice.IsPaidAtOnce() =>
                [Settled(invoice, $"{attempt.No}-{attempt.State}", StateOf(attempt), attempt.FailureCode, attempt.StateAt)],
            _ => [],
        };
    }

    /// <summary>The notice of an invoice that was settled without any attempt, because nothing was due.</summary>
    public static OutboxMessage SettledWithoutAttempt(Invoice invoice, Instant now) => Settled(invoice, "0", ChargeState.Succeeded, null, now);

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

    /// <summary>To whoever waits for the payment: the membership, or what was bought.</summary>
    private static OutboxMessage Settled(Invoice invoice, string no, ChargeState state, string? failureCode, Instant at)
    {
        string id = $"settled-{invoice.Id}-{no}";
        if (invoice.Period is { } period)
        {
            return OutboxMessage.Create(
                id,
                Queues.Memberships,
                MembershipPaymentSettled.Subject,
                new MembershipPaymentSettled(invoice.Id, invoice.Kind, period, state, failureCode, at));
        }

        ImmediatePurpose purpose = invoice.Kind == InvoiceKind.BookingPass ? ImmediatePurpose.BookingPass : ImmediatePurpose.Booking;
        return OutboxMessage.Create(
            id,
            Queues.Bookings,
            ImmediatePaymentSettled.Subject,
            new ImmediatePaymentSettled(invoice.Id, purpose, invoice.Lines[0].Source!, invoice.MemberId!.Value, state, failureCode, at));
    }
}
