using Flex.Kernel;
using Flex.Payments;
using Flex.Platform;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Functions.Tests.Bookings;

/// <summary>Immediate billing that charges once per invoice and answers as it is told.</summary>
internal sealed class FakeBilling : IImmediateBilling
{
    private readonly Dictionary<InvoiceId, ChargeOutcome> _outcomes = [];

    /// <summary>What becomes of the next charges; success when there is nothing here.</summary>
    public Queue<ChargeState> Script { get; } = [];

    /// <summary>One for each invoice.</summary>
    public List<ImmediateCharge> Charges { get; } = [];

    public List<InvoiceId> Refunds { get; } = [];

    public Error? Refusal { get; set; }

    /// <summary>Happens while the gateway is asked.</summary>
    public Func<Task>? Meanwhile { get; set; }

    /// <summary>The charge never got there.</summary>
    public bool Down { get; set; }

    public Task<Error?> RefuseAsync(CustomerId customer, CancellationToken cancellation) => Task.FromResult(Refusal);

    public async Task<ChargeOutcome> ChargeAsync(ImmediateCharge charge, CancellationToken cancellation)
    {
        if (Down)
        {
            throw new TransientFaultException("down");
        }

        if (!_outcomes.TryGetValue(charge.InvoiceId, out ChargeOutcome? outcome))
        {
            ChargeState state = Script.Count > 0 ? Script.Dequeue() : ChargeState.Succeeded;
            outcome = new ChargeOutcome(charge.InvoiceId, state, state == ChargeState.Failed ? "card_declined" : null, Instant.FromUtc(2025, 1, 1, 0, 0));
            Charges.Add(charge);
            _outcomes[charge.InvoiceId] = outcome;
        }

        if (Meanwhile is { } happens)
        {
            Meanwhile = null;
            await happens();
        }

        return outcome;
    }

    public Task RefundAsync(InvoiceId invoice, string reason, CancellationToken cancellation)
    {
        Refunds.Add(invoice);
        return Task.CompletedTask;
    }

    /// <summary>The message that follows a charge.</summary>
    public static Envelope News(ImmediateCharge charge, ChargeState state, string? code = null) => new(
        $"settled-{charge.InvoiceId}-{state}",
        ImmediatePaymentSettled.Subject,
        StorageJson.Write(new ImmediatePaymentSettled(
            charge.InvoiceId, charge.Purpose, charge.Source, charge.MemberId, state, code, Instant.FromUtc(2025, 1, 1, 0, 0))),
        null);
}
