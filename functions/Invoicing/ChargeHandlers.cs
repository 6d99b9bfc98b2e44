using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;

namespace Flex.Invoicing;

/// <summary>Puts a new charge on its customer's ledger.</summary>
public sealed class ChargeCreatedHandler(ChargeLedger ledger, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Billing;

    public string Subject => ChargeCreated.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        ledger.AddAsync(envelope.Read<ChargeCreated>(), time.Now(), cancellation);
}

/// <summary>Takes a cancelled charge off the ledger; one that is on an invoice already is noted as a credit due.</summary>
public sealed class ChargeCancelledHandler(ChargeLedger ledger, TimeProvider time, ILogger<ChargeCancelledHandler> log) : IMessageHandler
{
    public string Queue => Queues.Billing;

    public string Subject => ChargeCancelled.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        if (await ledger.CancelAsync(envelope.Read<ChargeCancelled>(), time.Now(), cancellation) is { } credit)
        {
            log.LogWarning(
                "Charge {ChargeId} was cancelled after it had been invoiced: {CustomerId} is owed a credit note.", credit.ChargeId, credit.CustomerId);
        }
    }
}
