using Flex.Platform.Messaging;

namespace Flex.Invoicing;

/// <summary>Puts a new charge on its customer's ledger.</summary>
public sealed class ChargeCreatedHandler(ChargeLedger ledger, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Billing;

    public string Subject => ChargeCreated.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        ledger.AddAsync(envelope.Read<ChargeCreated>(), time.Now(), cancellation);
}

/// <summary>Takes a cancelled charge off the ledger; one that is on an invoice already gets a credit note.</summary>
public sealed class ChargeCancelledHandler(ChargeLedger ledger, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Billing;

    public string Subject => ChargeCancelled.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        ledger.CancelAsync(envelope.Read<ChargeCancelled>(), time.Now(), cancellation);
}

/// <summary>Lowers a charge on the ledger; one that is on an invoice already gets a credit note.</summary>
public sealed class ChargeReducedHandler(ChargeLedger ledger, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Billing;

    public string Subject => ChargeReduced.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        ledger.ReduceAsync(envelope.Read<ChargeReduced>(), time.Now(), cancellation);
}
