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
    private readonly Dictionary<string, (string PaymentId, GatewayRefund Refund)> _refunds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _refundKeys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GatewayDispute> _disputes = new(StringComparer.Ordinal);

    public bool IsConnected { get; set; } = true;

    public Task PingAsync(CancellationToken cancellation) => Down ? throw new TransientFaultException("down") : Task.CompletedTask;

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

    /// <summary>Every refund call that reached the gateway.</summary>
    public List<RefundOrder> RefundCalls { get; } = [];

    /// <summary>What becomes of the next refunds, one each; then they succeed. A null state is one that never happened.</summary>
    public Queue<(RefundState? State, bool Lost)> RefundScripts { get; } = [];

    /// <summary>Refunds that exist: what was really sent back.</summary>
    public IEnumerable<GatewayRefund> Refunds => _refunds.Values.Select(r => r.Refund);

    public Task<RefundObservation> RefundAsync(RefundOrder order, CancellationToken cancellation)
    {
        lock (_gate)
        {
            RefundCalls.Add(order);
            if (Down)
            {
                throw new TransientFaultException("down");
            }

            if (_refundKeys.TryGetValue(order.Key, out string? known))
            {
                return Task.FromResult(_refunds[known].Refund.Observation);
            }

            (RefundState? state, bool lost) = RefundScripts.Count > 0 ? RefundScripts.Dequeue() : (RefundState.Succeeded, false);
            if (state is { } made)
            {
                _refundKeys[order.Key] = AddRefund(order.PaymentId, order.Reference, order.Amount, made);
            }

            return lost || state is null
                ? throw new TransientFaultException("lost")
                : Task.FromResult(_refunds[_refundKeys[order.Key]].Refund.Observation);
        }
    }

    public Task<IReadOnlyList<GatewayRefund>> FindRefundsAsync(string paymentId, CancellationToken cancellation) => Down
        ? Task.FromException<IReadOnlyList<GatewayRefund>>(new TransientFaultException("down"))
        : Task.FromResult<IReadOnlyList<GatewayRefund>>([.. _refunds.Values.Where(r => r.PaymentId == paymentId).Select(r => r.Refund)]);

    public Task<string?> FindPaymentIdAsync(string chargeOrRefundId, CancellationToken cancellation) => Task.FromResult<string?>(
        _refunds.TryGetValue(chargeOrRefundId, out (string PaymentId, GatewayRefund Refund) refund)
            ? refund.PaymentId
            : chargeOrRefundId.Replace("ch_", "pi_", StringComparison.Ordinal));

    /// <summary>Makes a refund, e.g. behind the caller's back; its id.</summary>
    public string AddRefund(string paymentId, RefundReference? reference, Money amount, RefundState state = RefundState.Succeeded)
    {
        string id = $"re_{_refunds.Count + 1}";
        _refunds[id] = (paymentId, new GatewayRefund(id, reference, amount, new RefundObservation(state, id)));
        return id;
    }

    /// <summary>The refund changes at the gateway.</summary>
    public void RefundBecomes(string id, RefundState state, string? code = null) =>
        _refunds[id] = (_refunds[id].PaymentId, _refunds[id].Refund with { Observation = new RefundObservation(state, id, code) });

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
