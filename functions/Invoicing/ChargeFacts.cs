using System.Globalization;
using Flex.Platform.Messaging;

namespace Flex.Invoicing;

/// <summary>What bookings hear of the invoices that their charges are on.</summary>
public static class ChargeFacts
{
    /// <summary>The charges whose invoice stands from this change on.</summary>
    public static IReadOnlyList<ChargeId> Invoiced(BookEntry? before, BookEntry after) => IsIssued(after) && !IsIssued(before)
        ? [.. after.Invoice.Lines.Where(line => line.ChargeId is not null).Select(line => line.ChargeId!.Value)]
        : [];

    /// <summary>
    /// The facts that become true with this change: the charges are on an issued invoice, and it is paid, be it from the customer's
    /// account credit. A charge that was credited meanwhile may be among those paid.
    /// </summary>
    public static IReadOnlyList<OutboxMessage> Of(BookEntry? before, BookEntry after)
    {
        Invoice invoice = after.Invoice;
        if (invoice.Lines.All(line => line.ChargeId is null))
        {
            return [];
        }

        var facts = new List<OutboxMessage>(2);
        if (IsIssued(after) && !IsIssued(before))
        {
            facts.Add(OutboxMessage.Create(
                $"invoiced-{invoice.Id}", Queues.Bookings, ChargesInvoiced.Subject, new ChargesInvoiced(invoice.Id, Charges(invoice))));
        }

        if (IsPaid(after) && !IsPaid(before))
        {
            // The version tells one payment from another after the first was taken back.
            string id = string.Create(CultureInfo.InvariantCulture, $"paid-{invoice.Id}-{invoice.Version}");
            facts.Add(OutboxMessage.Create(id, Queues.Bookings, ChargesPaid.Subject, new ChargesPaid(invoice.Id, Charges(invoice))));
        }

        return facts;
    }

    private static bool IsIssued(BookEntry? entry) => entry is { Stands: true, Invoice.State: DocumentState.Issued };

    private static bool IsPaid(BookEntry? entry) => IsIssued(entry)
        && entry!.Invoice is { Due.IsZero: true } invoice
        && (invoice.Total.IsZero || (invoice.Paid + invoice.FromAccount).IsPositive);

    private static InvoicedCharge[] Charges(Invoice invoice)
    {
        IReadOnlyList<Money> gross = InvoiceArithmetic.Gross(invoice);
        return [.. invoice.Lines
            .Select((line, i) => (Line: line, Gross: gross[i]))
            .Where(l => l.Line.ChargeId is not null)
            .Select(l => new InvoicedCharge(l.Line.ChargeId!.Value, l.Line.Source!, l.Line.Net, l.Gross))];
    }
}
