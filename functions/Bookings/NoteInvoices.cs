using Flex.Invoicing;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;

namespace Flex.Bookings;

/// <summary>Keeps bookings in step with what billing has made of their charges.</summary>
public sealed class BookingAccounts(BookingStore bookings)
{
    /// <summary>One read and one commit per booking; a change that comes in between has the message delivered again.</summary>
    public async Task NoteAsync(InvoiceId invoice, IReadOnlyList<InvoicedCharge> charges, bool isPaid, CancellationToken cancellation)
    {
        foreach (IGrouping<string, InvoicedCharge> source in charges.GroupBy(c => c.Source))
        {
            if (!EntityId.TryParse(source.Key, out BookingId id))
            {
                continue;
            }

            Stored<Booking> found = await bookings.RequireAsync(id, cancellation);
            Booking noted = found.Value.Note(invoice, [.. source], isPaid);
            if (!ReferenceEquals(noted, found.Value))
            {
                (await bookings.CommitAsync(BookingStore.Put(BookingStore.BatchFor(noted.LocationId), noted, found.ETag), cancellation)).Require();
            }
        }
    }
}

/// <summary>Handles <see cref="ChargesInvoiced"/>.</summary>
public sealed class ChargesInvoicedHandler(BookingAccounts accounts) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => ChargesInvoiced.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ChargesInvoiced fact = envelope.Read<ChargesInvoiced>();
        return accounts.NoteAsync(fact.InvoiceId, fact.Charges, isPaid: false, cancellation);
    }
}

/// <summary>Handles <see cref="ChargesPaid"/>.</summary>
public sealed class ChargesPaidHandler(BookingAccounts accounts) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => ChargesPaid.Subject;

    public Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        ChargesPaid fact = envelope.Read<ChargesPaid>();
        return accounts.NoteAsync(fact.InvoiceId, fact.Charges, isPaid: true, cancellation);
    }
}
