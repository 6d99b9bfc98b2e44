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

/// <summary>
/// The port to the payment gateway. Methods throw <see cref="TransientFaultException"/> when nothing is known to have happened and a
/// repeat is in order; a charge whose answer is lost is an observation (Unknown), not an exception.
/// </summary>
public interface IPaymentGateway
{
    /// <summary>False while the operator has connected none: nothing can be charged then.</summary>
    bool IsConnected { get; }

    Task<PaymentObservation> ChargeAsync(GatewayCharge charge, CancellationToken cancellation);

    /// <summary>The payment as it is now; null when the gateway does not know the id.</summary>
    Task<GatewayPayment?> FindPaymentAsync(string paymentId, CancellationToken cancellation);

    /// <summary>The customer's payment with this reference, made at or after <paramref name="since"/>; null when there certainly is none.</summary>
    Task<GatewayPayment?> FindPaymentAsync(string gatewayCustomerId, PaymentReference reference, Instant since, CancellationToken cancellation);

    Task<GatewayDispute?> FindDisputeAsync(string disputeId, CancellationToken cancellation);

    /// <summary>Makes the customer at the gateway; the same one for a repeat.</summary>
    Task<string> CreateCustomerAsync(Customer customer, CancellationToken cancellation);

    /// <summary>Attaches the payment method for future off-session charges. Refusals: <c>payment_failed</c>, <c>unknown_reference</c>.</summary>
    Task<Result<PaymentMethodOnFile>> AttachAsync(string paymentMethodId, string gatewayCustomerId, string key, CancellationToken cancellation);
}
