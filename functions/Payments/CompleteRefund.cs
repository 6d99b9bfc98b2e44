using Flex.Invoicing;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Payments;

/// <summary>
/// Sends recorded refunds and writes down what came of them. Before anything is sent, again or for the first time, the gateway is asked
/// whether it has the refund: a key protects for a day only, and no refund is ever sent under another key. As long as there is no answer it
/// comes back; after seven days it says so in the log.
/// </summary>
public sealed class CompleteRefundHandler(
    InvoiceBook book, RefundRunner refunds, IPaymentGateway gateway, TimeProvider time, ILogger<CompleteRefundHandler> log) : IMessageHandler
{
    private static readonly Duration Overdue = Duration.FromDays(7);

    public string Queue => Queues.Billing;

    public string Subject => CompleteRefund.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        CompleteRefund command = envelope.Read<CompleteRefund>();
        StoredEntry stored = await book.FindAsync(command.InvoiceId, cancellation)
            ?? throw new DefectException($"{command.InvoiceId} does not exist.");
        Refund refund = stored.Entry.Refunds[command.RefundNo - 1];
        if (refund.State != command.Seen || refund.Looks != command.Step)
        {
            return;
        }

        if (await AskAsync(stored.Invoice, refund, cancellation) is { } seen)
        {
            // The gateway has answered: that must be written down even if the delivery is given up.
            stored = await refunds.RecordAsync(stored, refund.No, seen, CancellationToken.None);
        }

        if (stored.Entry.Refunds[refund.No - 1] is { } same && same.State == command.Seen && same.Looks == command.Step)
        {
            await ComeBackAsync(stored, same, cancellation);
        }
    }

    /// <summary>Null while there is no news: the next look is soon enough, and redelivering would only end the message.</summary>
    private async Task<RefundObservation?> AskAsync(Invoice invoice, Refund refund, CancellationToken cancellation)
    {
        var reference = new RefundReference(invoice.Id, refund.No);
        try
        {
            IReadOnlyList<GatewayRefund> known = await gateway.FindRefundsAsync(refund.GatewayPaymentId, cancellation);
            GatewayRefund? own = known.FirstOrDefault(r => r.Reference == reference || r.Id == refund.GatewayRefundId);
            return own is null && refund.State == RefundState.Requested
                ? await gateway.RefundAsync(new RefundOrder(reference, refund.Key, refund.GatewayPaymentId, refund.Amount), cancellation)
                : own?.Observation;
        }
        catch (TransientFaultException fault)
        {
            log.LogWarning(fault, "Refund {RefundNo} of {InvoiceId} has no answer.", refund.No, invoice.Id);
            return null;
        }
    }

    /// <summary>The count and the next look in one commit, so that a repeated command does not start a second series.</summary>
    private async Task ComeBackAsync(StoredEntry stored, Refund refund, CancellationToken cancellation)
    {
        Duration age = time.Now() - refund.CreatedAt;
        if (age >= Overdue)
        {
            log.LogWarning("Refund {RefundNo} of {InvoiceId} has been {State} for {Days} days.", refund.No, stored.Invoice.Id, refund.State, age.Days);
        }

        BookEntry next = stored.Entry.LookedAtRefund(refund.No);
        BookCommit commit = await book.CommitAsync(
            stored, next, new BookExtras([CompleteRefund.Of(next.Invoice.Id, next.Refunds[refund.No - 1])]), cancellation);
        if (!commit.IsCommitted)
        {
            throw new TransientFaultException($"{stored.Invoice.Id} changed while its refund was looked at.");
        }
    }
}
