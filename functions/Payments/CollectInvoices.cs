using System.Globalization;
using Flex.Invoicing;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Payments;

/// <summary>
/// Charges one due invoice on the operator's behalf, if automatic collection is on and it is the invoice's day. The invoice's own state is
/// what makes a repeated command harmless.
/// </summary>
public sealed class CollectInvoiceHandler(
    InvoiceBook book, InvoiceTerms terms, StartPayment start, PaymentRunner runner, ILogger<CollectInvoiceHandler> log) : IMessageHandler
{
    public string Queue => Queues.Billing;

    public string Subject => CollectInvoice.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        InvoiceId id = envelope.Read<CollectInvoice>().InvoiceId;
        StoredEntry stored = await book.FindAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
        if (stored.Entry.InFlight is { State: AttemptState.Created, Origin: AttemptOrigin.Collection })
        {
            // An earlier delivery was cut off between the record and the call.
            await runner.SendAsync(stored, cancellation);
            return;
        }

        if (!(await terms.OperatorAsync(cancellation)).AutomaticCollection
            || !stored.Entry.IsToBeCollected(await terms.TodayAsync(stored.Invoice.LocationId, cancellation)))
        {
            return;
        }

        Result<StoredEntry>? started = await start.StartAsync(stored, AttemptOrigin.Collection, null, cancellation);
        if (started is not { } outcome)
        {
            throw new TransientFaultException($"{id} changed while it was to be collected.");
        }

        if (outcome.IsError)
        {
            log.LogInformation("{InvoiceId} is not collected: {Code}.", id, outcome.Error.Code);
            return;
        }

        await runner.SendAsync(outcome.Value, cancellation);
    }
}

/// <summary>Hourly: a command for every invoice whose day of collection has come. A lost command is repaired an hour later.</summary>
public sealed class CollectDueInvoices(InvoiceBook book, InvoiceTerms terms, IMessagePublisher publisher, TimeProvider time)
{
    /// <summary>No place is further ahead of UTC; the command's handler looks at the invoice's own local day.</summary>
    private static readonly Duration EarliestZone = Duration.FromHours(14);

    public async Task RunAsync(CancellationToken cancellation)
    {
        if (!(await terms.OperatorAsync(cancellation)).AutomaticCollection)
        {
            return;
        }

        Instant now = time.Now();
        string hour = now.InUtc().ToString("uuuuMMddHH", CultureInfo.InvariantCulture);
        await foreach (InvoiceId id in book.CollectableAsync((now + EarliestZone).InUtc().Date, cancellation))
        {
            var message = new Envelope(
                $"collect-{id}-{hour}", CollectInvoice.Subject, Platform.StorageJson.Write(new CollectInvoice(id)), CorrelationScope.Current);
            await publisher.PublishAsync(Queues.Billing, message, null, cancellation);
        }
    }
}
