using Flex.Invoicing;
using Flex.Members;

namespace Flex.Payments;

/// <summary>Charges a booking or a booking pass as it is bought.</summary>
public sealed class ChargeImmediately(ChargeAtOnce charges, Credits credits, CustomerStore customers, IPaymentGateway gateway) : IImmediateBilling
{
    public async Task<Error?> RefuseAsync(CustomerId customer, CancellationToken cancellation) => StartPayment.Refuse(
        gateway,
        await customers.FindAsync(customer, cancellation) ?? throw new DefectException($"{customer} is to be charged and does not exist."));

    public Task<ChargeOutcome> ChargeAsync(ImmediateCharge charge, CancellationToken cancellation) => charges.RunAsync(
        new AtOnce(
            charge.InvoiceId,
            charge.Purpose == ImmediatePurpose.BookingPass ? InvoiceKind.BookingPass : InvoiceKind.Booking,
            charge.CustomerId,
            charge.MemberId,
            charge.LocationId,
            new InvoiceLine(
                charge.Description,
                charge.Quantity,
                charge.UnitPrice,
                charge.UnitPrice.Times(charge.Quantity),
                charge.LocationId,
                null,
                charge.ChargeId,
                charge.Source,
                charge.ServiceDate),
            charge.TaxRateId,
            charge.Purpose == ImmediatePurpose.BookingPass ? "Booking pass" : "Booking",
            null,
            null,
            AttemptOrigin.Purchase,
            null,
            IsLookedAfter: false),
        cancellation);

    /// <summary>The credit note and the refund to be made are one commit; the gateway is called by the message that goes with it.</summary>
    public Task RefundAsync(InvoiceId invoice, string reason, CancellationToken cancellation) => credits.IssueAsync(
        new IssueCreditNote(EntityId.Derive<CreditNoteId>($"refund|{invoice}"), null, invoice, null, reason, 0), cancellation);
}
