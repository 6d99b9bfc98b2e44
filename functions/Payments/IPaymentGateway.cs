using Flex.Invoicing;
using Flex.Members;
using NodaTime;

namespace Flex.Payments;

/// <summary>Our name for a payment, sent along as metadata so that whatever the gateway tells later finds its attempt.</summary>
public sealed record PaymentReference(InvoiceId InvoiceId, int AttemptNo);

/// <summary>An off-session charge of the payment method on file. Built from stored facts only, so that every repeat of a key is the same call.</summary>
public sealed record GatewayCharge(
    PaymentReference Reference,
    string Key,
    Money Amount,
    string GatewayCustomerId,
    string PaymentMethodId,
    PaymentMethodKind MethodKind,
    string Description,
    IReadOnlyDictionary<string, string> Metadata);

/// <summary>A payment as the gateway has it.</summary>
/// <param name="Reference">Null for a payment that is not ours.</param>
public sealed record GatewayPayment(PaymentReference? Reference, PaymentObservation Observation);

/// <summary>Money that is being or was taken back.</summary>
/// <param name="IsFinal">False while the dispute can still be won.</param>
/// <param name="Reason">The gateway's reason code, e.g. a bank's return code.</param>
public sealed record GatewayDispute(string? PaymentId, bool IsFinal, string Reason);

/// <summary>Our name for a refund, sent along as metadata.</summary>
public sealed record RefundReference(InvoiceId InvoiceId, int RefundNo);

/// <summary>Money to be sent back to where a payment came from. Built from stored facts only.</summary>
public sealed record RefundOrder(RefundReference Reference, string Key, string PaymentId, Money Amount);

/// <summary>A refund as the gateway has it.</summary>
/// <param name="Reference">Null for one that is not ours.</param>
public sealed record GatewayRefund(string Id, RefundReference? Reference, Money Amount, RefundObservation Observation);

/// <summary>
/// The port to the payment gateway. Methods throw <see cref="TransientFaultException"/> when nothing is known to have happened and a
/// repeat is in order; a charge whose answer is lost is an observation (Unknown), not an exception.
/// </summary>
public interface IPaymentGateway
{
    /// <summary>False while the operator has connected none: nothing can be charged then.</summary>
    bool IsConnected { get; }

    /// <summary>Returns when the gateway answers and takes our key.</summary>
    /// <exception cref="TransientFaultException">It does not.</exception>
    Task PingAsync(CancellationToken cancellation);

    Task<PaymentObservation> ChargeAsync(GatewayCharge charge, CancellationToken cancellation);

    /// <summary>The payment as it is now; null when the gateway does not know the id.</summary>
    Task<GatewayPayment?> FindPaymentAsync(string paymentId, CancellationToken cancellation);

    /// <summary>The customer's payment with this reference, made at or after <paramref name="since"/>; null when there certainly is none.</summary>
    Task<GatewayPayment?> FindPaymentAsync(string gatewayCustomerId, PaymentReference reference, Instant since, CancellationToken cancellation);

    /// <summary>Processing, Succeeded, or Failed when it is certainly refused.</summary>
    /// <exception cref="TransientFaultException">Not taken, or not answered: to be looked for before the same key is sent again.</exception>
    Task<RefundObservation> RefundAsync(RefundOrder order, CancellationToken cancellation);

    /// <summary>All refunds of a payment, whoever made them.</summary>
    Task<IReadOnlyList<GatewayRefund>> FindRefundsAsync(string paymentId, CancellationToken cancellation);

    /// <summary>The payment that the charge or refund with this id belongs to; null when there is none.</summary>
    Task<string?> FindPaymentIdAsync(string chargeOrRefundId, CancellationToken cancellation);

    Task<GatewayDispute?> FindDisputeAsync(string disputeId, CancellationToken cancellation);

    /// <summary>Makes the customer at the gateway; the same one for a repeat.</summary>
    Task<string> CreateCustomerAsync(Customer customer, CancellationToken cancellation);

    /// <summary>Attaches the payment method for future off-session charges. Refusals: <c>payment_failed</c>, <c>unknown_reference</c>.</summary>
    Task<Result<PaymentMethodOnFile>> AttachAsync(string paymentMethodId, string gatewayCustomerId, string key, CancellationToken cancellation);
}
