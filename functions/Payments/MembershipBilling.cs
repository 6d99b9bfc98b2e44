using Flex.Invoicing;
using NodaTime;

namespace Flex.Payments;

/// <summary>What is to be charged for a membership now: makes the invoice and one payment attempt, off session, with the payment method on file.</summary>
/// <param name="InvoiceId">Chosen by the caller and the same for a repeated call, so that a repeat resumes and never charges again.</param>
/// <param name="Kind"><see cref="InvoiceKind.SignUp"/> or <see cref="InvoiceKind.Renewal"/>.</param>
public sealed record MembershipCharge(
    InvoiceId InvoiceId,
    InvoiceKind Kind,
    MembershipPeriod Period,
    CustomerId CustomerId,
    MemberId MemberId,
    LocationId LocationId,
    string Description,
    Money Net,
    TaxRateId? TaxRateId,
    InvoiceId? Replaces);

public enum ChargeState
{
    Succeeded,

    /// <summary>A bank debit is under way: days may pass before the outcome is known.</summary>
    Processing,

    /// <summary>Declined, no payment method, or the customer would have to be present.</summary>
    Failed,

    /// <summary>The gateway did not answer: it may or may not have happened. Never repeated blindly; reconciled at 5 minutes, 1 hour, then daily.</summary>
    Unknown,

    /// <summary>It had succeeded and was taken back by the bank or a lost dispute.</summary>
    Reversed,
}

/// <param name="FailureCode">The gateway's code for people and reports, e.g. <c>insufficient_funds</c>; null unless Failed or Reversed.</param>
/// <param name="At">When this state became known.</param>
public sealed record ChargeOutcome(InvoiceId InvoiceId, ChargeState State, string? FailureCode, Instant At);

/// <summary>Charging memberships. Implemented by Payments, used by sign-up and renewals.</summary>
public interface IMembershipBilling
{
    /// <summary>
    /// Idempotent by <see cref="MembershipCharge.InvoiceId"/>: a repeat returns the stored outcome or resumes an attempt that
    /// was cut off, with the same gateway key. Total 0 succeeds without a gateway call.
    /// </summary>
    /// <exception cref="TransientFaultException">Nothing is known to have been charged and nothing is in doubt; repeat.</exception>
    Task<ChargeOutcome> ChargeAsync(MembershipCharge charge, CancellationToken cancellation);
}

/// <summary>
/// Fact: the outcome of a membership's charge is known (Succeeded, Failed or Reversed). Queue <c>memberships</c>. Published for every
/// outcome, also for one that <see cref="IMembershipBilling.ChargeAsync"/> has returned already.
/// </summary>
public sealed record MembershipPaymentSettled(
    InvoiceId InvoiceId, InvoiceKind Kind, MembershipPeriod Period, ChargeState State, string? FailureCode, Instant At)
{
    public const string Subject = "membership-payment.settled.v1";
}

/// <summary>Fact: the customer's payment source was replaced. Queue <c>memberships</c>.</summary>
public sealed record PaymentSourceUpdated(CustomerId CustomerId, Instant At)
{
    public const string Subject = "payment-source.updated.v1";
}
