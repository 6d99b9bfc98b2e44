using System.Globalization;
using System.Net;
using Flex.Invoicing;
using Flex.Platform.Resilience;
using Stripe;

namespace Flex.Payments;

/// <summary>What Stripe's answers, and the lack of one, mean for an attempt.</summary>
public static class StripeOutcomes
{
    private static readonly PaymentObservation Doubt = new(AttemptState.Unknown);

    /// <summary>
    /// A payment intent as an observation. Off session, a payment that needs its payer has failed. One that was neither confirmed nor
    /// refused tells nothing.
    /// </summary>
    public static PaymentObservation Of(PaymentIntent intent) => intent.Status switch
    {
        "succeeded" => new PaymentObservation(AttemptState.Succeeded, intent.Id),
        "processing" => new PaymentObservation(AttemptState.Processing, intent.Id),
        "requires_action" => new PaymentObservation(AttemptState.Failed, intent.Id, DeclineCodes.AuthenticationRequired),
        "canceled" => new PaymentObservation(AttemptState.Failed, intent.Id, intent.CancellationReason ?? "canceled"),
        "requires_payment_method" when intent.LastPaymentError is { } error => Failed(error, intent.Id),
        _ => new PaymentObservation(AttemptState.Unknown, intent.Id),
    };

    /// <summary>Our reference in the metadata; null for a payment that is not ours.</summary>
    public static PaymentReference? ReferenceOf(PaymentIntent intent) =>
        Numbered(intent.Metadata, "attempt_no") is { } found ? new PaymentReference(found.Invoice, found.No) : null;

    /// <summary>A refund as an observation. One that waits for somebody is under way.</summary>
    public static RefundObservation Of(Stripe.Refund refund) => refund.Status switch
    {
        "succeeded" => new RefundObservation(RefundState.Succeeded, refund.Id),
        "failed" or "canceled" => new RefundObservation(RefundState.Failed, refund.Id, refund.FailureReason ?? refund.Status),
        _ => new RefundObservation(RefundState.Processing, refund.Id),
    };

    public static Dictionary<string, string> MetadataOf(RefundReference reference) => new()
    {
        ["invoice_id"] = reference.InvoiceId.Value,
        ["refund_no"] = reference.RefundNo.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Our reference in the metadata; null for a refund that is not ours.</summary>
    public static RefundReference? ReferenceOf(Stripe.Refund refund) =>
        Numbered(refund.Metadata, "refund_no") is { } found ? new RefundReference(found.Invoice, found.No) : null;

    /// <summary>
    /// The outcome of a refund that threw: Failed when Stripe certainly refused it, else a <see cref="TransientFaultException"/>,
    /// also when it may have happened.
    /// </summary>
    public static RefundObservation OfRefundFault(Exception fault) => fault switch
    {
        StripeException { StripeError.Type: "idempotency_error" } or StripeException { StripeError.Code: "lock_timeout" } => throw Transient(fault),
        StripeException { HttpStatusCode: HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.PaymentRequired, StripeError: { } error } =>
            new RefundObservation(RefundState.Failed, null, error.Code ?? error.Type),
        _ => throw Transient(fault),
    };

    /// <summary>
    /// The outcome of a charge that threw. Declined is Failed; what Stripe certainly did not take on is a
    /// <see cref="TransientFaultException"/>; everything else may have happened.
    /// </summary>
    public static PaymentObservation OfChargeFault(Exception fault) => fault switch
    {
        StripeException { StripeError: { Type: "card_error" } error } => Failed(error, error.PaymentIntent?.Id),
        StripeException { StripeError.Type: "idempotency_error", HttpStatusCode: HttpStatusCode.BadRequest } => Doubt,

        // Another call works on the same objects, perhaps an earlier sending of this one.
        StripeException { StripeError.Code: "lock_timeout" } => Doubt,
        StripeException { HttpStatusCode: HttpStatusCode.BadRequest or HttpStatusCode.NotFound, StripeError: { } error } => Failed(error, null),
        _ when IsNotTaken(fault) => throw Transient(fault),
        _ => Doubt,
    };

    /// <summary>A fault of a call that charges nothing: transient when it is Stripe's or the wire's, a defect when it is ours.</summary>
    public static Exception OfCallFault(Exception fault) =>
        fault is StripeException { HttpStatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError } && !IsNotTaken(fault)
            ? new DefectException("Stripe refused a call.", fault)
            : Transient(fault);

    public static bool IsFault(Exception fault, CancellationToken cancellation) =>
        fault is StripeException || FlexHttpClients.IsNetworkFault(fault)
        || (fault is OperationCanceledException && !cancellation.IsCancellationRequested);

    private static (InvoiceId Invoice, int No)? Numbered(Dictionary<string, string>? metadata, string name) =>
        metadata is not null
        && metadata.TryGetValue("invoice_id", out string? invoice)
        && metadata.TryGetValue(name, out string? text)
        && EntityId.TryParse(invoice, out InvoiceId id)
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int no)
        && no > 0
            ? (id, no)
            : null;

    /// <summary>Throttled, refused for its key, another call with the same idempotency key under way, or never sent.</summary>
    private static bool IsNotTaken(Exception fault) => fault switch
    {
        StripeException { HttpStatusCode: HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } => true,
        StripeException { HttpStatusCode: HttpStatusCode.Conflict } => true,
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        } => true,
        _ => FlexHttpClients.IsNotSent(fault),
    };

    private static TransientFaultException Transient(Exception fault) => new("Stripe is busy or out of reach.", fault);

    /// <summary>The decline code says more than the error's code, which for most cards is just card_declined.</summary>
    private static PaymentObservation Failed(StripeError error, string? intentId) => new(
        AttemptState.Failed, intentId, error.DeclineCode ?? error.Code ?? error.Type, error.DeclineCode, error.AdviceCode);
}
