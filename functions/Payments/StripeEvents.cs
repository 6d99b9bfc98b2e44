using Flex.Invoicing;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Payments;

/// <summary>
/// Applies Stripe's events. An event only says where to look: the object is fetched again and applied forward only, so order, repeats and
/// late notices change nothing. Payments carry the event's inbox row in the same commit; refunds need none, being known by their ids.
/// </summary>
public sealed class StripeEventHandler(InvoiceBook book, IPaymentGateway gateway, PaymentRunner runner, RefundRunner refunds, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.StripeEvents;

    public string Subject => StripeEventReceived.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        StripeEventReceived received = envelope.Read<StripeEventReceived>();
        PaymentMetrics.CountEvent(received.Type, await HandleAsync(received, cancellation));
        if (received.CreatedAt is { } createdAt)
        {
            PaymentMetrics.RecordLag(received.Type, time.Now() - createdAt);
        }
    }

    private async Task<string> HandleAsync(StripeEventReceived received, CancellationToken cancellation)
    {
        if (received.Type is "charge.refunded" or "charge.refund.updated" or "refund.updated" or "refund.failed")
        {
            return await FollowRefundsAsync(received.ObjectId, cancellation);
        }

        GatewayPayment? payment = received.Type switch
        {
            "payment_intent.succeeded" or "payment_intent.payment_failed" or "payment_intent.processing"
                or "payment_intent.canceled" or "payment_intent.requires_action" => await gateway.FindPaymentAsync(received.ObjectId, cancellation),
            "charge.dispute.created" or "charge.dispute.closed" => await ReversedAsync(received.ObjectId, cancellation),
            _ => null,
        };
        return payment switch
        {
            null => "ignored",
            { Reference: null } => "foreign",
            _ => await ApplyAsync(payment.Reference, payment.Observation, received.Id, cancellation),
        };
    }

    /// <summary>The payment itself comes first: the notice of its success may still be on its way.</summary>
    private async Task<string> FollowRefundsAsync(string chargeOrRefundId, CancellationToken cancellation)
    {
        if (await gateway.FindPaymentIdAsync(chargeOrRefundId, cancellation) is not { } paymentId
            || await gateway.FindPaymentAsync(paymentId, cancellation) is not { Reference: { } reference } payment
            || await book.FindAsync(reference.InvoiceId, cancellation) is not { } stored
            || stored.Entry.Attempts.Count < reference.AttemptNo)
        {
            return "foreign";
        }

        stored = await runner.RecordAsync(stored, reference.AttemptNo, payment.Observation, null, cancellation);
        await refunds.FollowAsync(stored, reference.AttemptNo, await gateway.FindRefundsAsync(paymentId, cancellation), cancellation);
        return "applied";
    }

    private async Task<string> ApplyAsync(PaymentReference reference, PaymentObservation seen, string eventId, CancellationToken cancellation)
    {
        // The attempt was stored before the gateway heard of it, so what is not in the book is another installation's.
        if (await book.FindAsync(reference.InvoiceId, cancellation) is not { } stored || stored.Entry.Attempts.Count < reference.AttemptNo)
        {
            return "foreign";
        }

        await runner.RecordAsync(stored, reference.AttemptNo, seen, RowKeys.Inbox + eventId, cancellation);
        return "applied";
    }

    /// <summary>
    /// The payment a lost dispute takes back; null while it can still be won. Late bank returns arrive as disputes that are lost from the start.
    /// </summary>
    private async Task<GatewayPayment?> ReversedAsync(string disputeId, CancellationToken cancellation)
    {
        if (await gateway.FindDisputeAsync(disputeId, cancellation) is not { IsFinal: true, PaymentId: { } paymentId } dispute
            || await gateway.FindPaymentAsync(paymentId, cancellation) is not { } payment)
        {
            return null;
        }

        return payment with { Observation = new PaymentObservation(AttemptState.Reversed, paymentId, dispute.Reason) };
    }
}
