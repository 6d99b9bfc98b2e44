using Flex.Invoicing;
using Flex.Platform.Http;

namespace Flex.Payments;

/// <summary>
/// Pay Now. The attempt remembers the request's Idempotency-Key and is itself the record that makes the request repeatable: a repeat is
/// answered by what became of its attempt and never charges again.
/// </summary>
public sealed class PayInvoice(InvoiceBook book, InvoiceReader invoices, StartPayment start, PaymentRunner runner)
{
    private const int MaxRounds = 5;

    public async Task<Reply<InvoiceView>> HandleAsync(InvoiceId id, RequestContext context, CancellationToken cancellation)
    {
        Result<StoredEntry> found = await invoices.FindAsync(id, context, cancellation);
        if (found.IsError)
        {
            return found.Error;
        }

        StoredEntry stored = found.Value;
        string? key = context.Idempotency?.RowKey;
        for (int round = 0; round < MaxRounds; round++)
        {
            if (stored.Entry.Attempts.FirstOrDefault(a => key is not null && a.RequestKey == key) is { } own)
            {
                return await FinishAsync(stored, own.No, cancellation);
            }

            Result<StoredEntry>? started = await start.StartAsync(stored, AttemptOrigin.PayNow, key, cancellation);
            if (started is { } outcome)
            {
                return outcome.IsError ? outcome.Error : await FinishAsync(outcome.Value, outcome.Value.Entry.Attempts.Count, cancellation);
            }

            stored = await book.FindAsync(id, cancellation) ?? throw new DefectException($"{id} has vanished.");
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    private async Task<Reply<InvoiceView>> FinishAsync(StoredEntry stored, int attemptNo, CancellationToken cancellation)
    {
        stored = await runner.SendAsync(stored, cancellation);
        PaymentAttempt attempt = stored.Entry.Attempt(attemptNo);
        return attempt.State == AttemptState.Failed ? Declined(attempt) : await invoices.ViewAsync(stored.Entry, cancellation);
    }

    private static Error Declined(PaymentAttempt attempt) => new(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "The payment was declined.")
    {
        Extensions = new Dictionary<string, object?> { ["declineCode"] = DeclineCodes.Shown(attempt.DeclineCode ?? attempt.FailureCode) },
    };
}
