using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using NodaTime;

namespace Flex.Functions.Tests.Payments;

/// <summary>
/// A gateway that keeps payments as a real one does: one payment per key, found by id and by reference. What it answers is scripted; what it
/// knows can be changed behind the caller's back.
/// </summary>
public sealed class FakeGateway : IPaymentGateway
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, GatewayPayment> _byKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GatewayPayment> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GatewayDispute> _disputes = new(StringComparer.Ordinal);

    public bool IsConnected { get; set; } = true;

    /// <summary>Every call that reached the gateway.</summary>
    public List<GatewayCharge> Calls { get; } = [];

    public int Lookups { get; private set; }

    public int CustomersMade { get; private set; }

    /// <summary>Payments that exist: what was really charged.</summary>
    public IReadOnlyCollection<GatewayPayment> Payments => _byId.Values;

    /// <summary>What becomes of the next charges; the last one repeats. A null is an effect whose answer is lost.</summary>
    public Queue<Script> Scripts { get; } = [];

    /// <summary>Look-ups fail while this is set.</summary>
    public bool Down { get; set; }

    public Func<string, Result<PaymentMethodOnFile>> Attach { get; set; } =
        id => new PaymentMethodOnFile(id, PaymentMethodKind.Card, "visa", "4242");

    /// <summary>One at a time: a real gateway never lets two requests with one key both charge.</summary>
    public Task<PaymentObservation> ChargeAsync(GatewayCharge charge, CancellationToken cancellation)
    {
        lock (_gate)
        {
            return Task.FromResult(Charge(charge));
        }
    }

    public Task<GatewayPayment?> FindPaymentAsync(string paymentId, CancellationToken cancellation) => Look(() => _byId.GetValueOrDefault(paymentId));

    public Task<GatewayPayment?> FindPaymentAsync(string gatewayCustomerId, PaymentReference reference, Instant since, CancellationToken cancellation) =>
        Look(() => _byId.Values.FirstOrDefault(p => p.Reference == reference));

    public Task<GatewayDispute?> FindDisputeAsync(string disputeId, CancellationToken cancellation) =>
        Task.FromResult(_disputes.GetValueOrDefault(disputeId));

    public Task<string> CreateCustomerAsync(Customer customer, CancellationToken cancellation)
    {
        CustomersMade++;
        return Task.FromResult("cus_gw_" + customer.Id.Value[^4..]);
    }

    public Task<Result<PaymentMethodOnFile>> AttachAsync(string paymentMethodId, string gatewayCustomerId, string key, CancellationToken cancellation) =>
        Task.FromResult(Attach(paymentMethodId));

    /// <summary>The payment changes at the gateway, e.g. a bank debit clears.</summary>
    public void Becomes(string paymentId, AttemptState state, string? code = null)
    {
        GatewayPayment changed = _byId[paymentId] with { Observation = new PaymentObservation(state, paymentId, code, code) };
        _byId[paymentId] = changed;
    }

    public void Add(string paymentId, GatewayPayment payment) => _byId[paymentId] = payment;

    public void Dispute(string disputeId, string paymentId, bool isFinal, string reason) =>
        _disputes[disputeId] = new GatewayDispute(paymentId, isFinal, reason);

    private PaymentObservation Charge(GatewayCharge charge)
    {
        Calls.Add(charge);
        if (Down)
        {
            throw new TransientFaultException("down");
        }

        if (_byKey.TryGetValue(charge.Key, out GatewayPayment? known))
        {
            return known.Observation;
        }

        Script script = Scripts.Count > 1 ? Scripts.Dequeue() : Scripts.Count == 1 ? Scripts.Peek() : Script.Success;
        if (script.NotSent)
        {
            Scripts.Dequeue();
            throw new TransientFaultException("throttled");
        }

        if (script.Effect is { } state)
        {
            string id = $"pi_{_byId.Count + 1}";
            var payment = new GatewayPayment(charge.Reference, new PaymentObservation(state, id, script.Code, script.Code, script.Advice));
            _byKey[charge.Key] = payment;
            _byId[id] = payment;
            if (!script.Lost)
            {
                return payment.Observation;
            }
        }

        if (Scripts.Count == 1)
        {
            Scripts.Dequeue();
        }

        return new PaymentObservation(AttemptState.Unknown);
    }

    private Task<GatewayPayment?> Look(Func<GatewayPayment?> look)
    {
        Lookups++;
        return Down ? Task.FromException<GatewayPayment?>(new TransientFaultException("down")) : Task.FromResult(look());
    }

    /// <param name="Effect">What happens at the gateway; null is nothing.</param>
    /// <param name="Lost">The answer does not arrive.</param>
    /// <param name="NotSent">Refused before anything happened.</param>
    public sealed record Script(AttemptState? Effect, string? Code = null, bool Lost = false, bool NotSent = false, string? Advice = null)
    {
        public static Script Success { get; } = new(AttemptState.Succeeded);

        public static Script Declined(string code, string? advice = null) => new(AttemptState.Failed, code, Advice: advice);
    }
}
