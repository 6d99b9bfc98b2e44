using Flex.Invoicing;
using NodaTime;

namespace Flex.Payments;

/// <summary>Something that is paid before it is given: makes the invoice and one payment attempt with the payment method on file.</summary>
/// <param name="InvoiceId">Chosen by the caller and the same for a repeated call, so that a repeat resumes and never charges again.</param>
/// <param name="Purpose">What is bought; decides who hears of the outcome.</param>
/// <param name="Source">Id of what is bought: a booking or a booking pass.</param>
/// <param name="ChargeId">The charge that the invoice line stands for; null when there is none.</param>
public sealed record ImmediateCharge(
    InvoiceId InvoiceId,
    ImmediatePurpose Purpose,
    string Source,
    CustomerId CustomerId,
    MemberId MemberId,
    LocationId LocationId,
    string Description,
    decimal Quantity,
    Money UnitPrice,
    TaxRateId? TaxRateId,
    ChargeId? ChargeId,
    LocalDate ServiceDate);

public enum ImmediatePurpose
{
    /// <summary>A prepaid booking pass: the invoice is issued as already paid and shows no payments (BPS-3).</summary>
    BookingPass,

    /// <summary>A booking that is held while it is paid (BKG-11, BKG-14).</summary>
    Booking,
}

/// <summary>Charging at once. A declined payment voids the invoice: nothing was sold.</summary>
public interface IImmediateBilling
{
    /// <summary>Why the customer cannot be charged now (<c>gateway_not_connected</c>, <c>payment_method_required</c>); null when they can.</summary>
    Task<Error?> RefuseAsync(CustomerId customer, CancellationToken cancellation);

    /// <summary>
    /// Idempotent by <see cref="ImmediateCharge.InvoiceId"/>: a repeat returns the stored outcome or resumes an attempt that was cut
    /// off, with the same gateway key. Total 0 succeeds without a gateway call.
    /// </summary>
    /// <exception cref="TransientFaultException">Nothing is known to have been charged and nothing is in doubt; repeat.</exception>
    Task<ChargeOutcome> ChargeAsync(ImmediateCharge charge, CancellationToken cancellation);

    /// <summary>
    /// Gives the money of a paid invoice back to where it came from, because what was bought cannot be given any more. Repeats change
    /// nothing.
    /// </summary>
    Task RefundAsync(InvoiceId invoice, string reason, CancellationToken cancellation);
}

/// <summary>
/// Fact: the outcome of an immediate charge is known (Succeeded, Failed or Reversed). Queue <c>bookings</c>. Published for every outcome,
/// also for one that <see cref="IImmediateBilling.ChargeAsync"/> has returned already.
/// </summary>
public sealed record ImmediatePaymentSettled(
    InvoiceId InvoiceId, ImmediatePurpose Purpose, string Source, MemberId MemberId, ChargeState State, string? FailureCode, Instant At)
{
    public const string Subject = "immediate-payment.settled.v1";
}
