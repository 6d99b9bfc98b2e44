using Flex.Kernel;
using Flex.Payments;
using NodaTime;

namespace Flex.Functions.Tests.Wallets;

/// <summary>Charges at once: answers what a test has put in, Succeeded else, and the same again for the same invoice.</summary>
internal sealed class FakeImmediateBilling : IImmediateBilling
{
    private readonly Dictionary<InvoiceId, ChargeOutcome> _outcomes = [];

    public List<ImmediateCharge> Charges { get; } = [];

    public Error? Refusal { get; set; }

    public ChargeState Next { get; set; } = ChargeState.Succeeded;

    public Instant Now { get; set; } = Instant.FromUtc(2025, 1, 1, 0, 0);

    /// <summary>Charges, and then the process dies.</summary>
    public bool CrashesAfterwards { get; set; }

    public Task<Error?> RefuseAsync(CustomerId customer, CancellationToken cancellation) => Task.FromResult(Refusal);

    public Task<ChargeOutcome> ChargeAsync(ImmediateCharge charge, CancellationToken cancellation)
    {
        if (!_outcomes.TryGetValue(charge.InvoiceId, out ChargeOutcome? outcome))
        {
            Charges.Add(charge);
            outcome = new ChargeOutcome(charge.InvoiceId, Next, Next == ChargeState.Failed ? "insufficient_funds" : null, Now);
            _outcomes.Add(charge.InvoiceId, outcome);
        }

        return CrashesAfterwards ? throw new TransientFaultException("Gone.") : Task.FromResult(outcome);
    }

    public Task RefundAsync(InvoiceId invoice, string reason, CancellationToken cancellation) => throw new NotSupportedException();

    public ImmediatePaymentSettled Settled(MemberId member, ChargeState state, Instant at) => new(
        Charges[0].InvoiceId, ImmediatePurpose.BookingPass, Charges[0].Source, member, state, state == ChargeState.Succeeded ? null : "bank", at);
}
