using Flex.Invoicing;
using Flex.Members;

namespace Flex.Payments;

/// <summary>Charges a booking or a booking pass as it is bought.</summary>
public sealed class ChargeImmediately(ChargeAtOnce charges, CustomerStore customers, IPaymentGateway gateway) : IImmediateBilling
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

    public Task RefundAsync(InvoiceId invoice, string reason, CancellationToken cancellation) =>
        throw new NotSupportedException();
}
