using Flex.Invoicing;
using NodaTime;

namespace Flex.Bookings;

/// <summary>What a net price comes to with the taxes its invoice will have, as things are now. Answered from snapshots.</summary>
public sealed class BookingTax(InvoiceTerms terms)
{
    public async Task<InvoiceTotals> OfAsync(Money net, TaxRateId? rate, LocationId location, LocalDate day, CancellationToken cancellation)
    {
        TaxSnapshot? tax = await terms.TaxAsync(rate, cancellation);
        return InvoiceArithmetic.Totals([new InvoiceLine(string.Empty, 1, net, net, location, tax, null, null, day)], net.Currency);
    }
}
