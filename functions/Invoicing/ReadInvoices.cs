using Flex.Members;
using Flex.Platform.Http;

namespace Flex.Invoicing;

/// <param name="CustomerId">Whose invoices; members may leave it out and get their own customer's.</param>
public sealed record InvoiceFilter(CustomerId? CustomerId = null);

/// <summary>
/// Reads of invoices. A member reaches the invoices of their own customer; others answer as if they did not exist.
/// </summary>
public sealed class InvoiceReader(InvoiceBook book, MemberReader reader, CustomerStore customers, MemberStore members, InvoiceTerms terms)
{
    public async Task<Reply<InvoiceView>> GetAsync(InvoiceId id, RequestContext context, CancellationToken cancellation)
    {
        Result<StoredEntry> found = await FindAsync(id, context, cancellation);
        return found.IsError ? found.Error : await ViewAsync(found.Value.Entry, cancellation);
    }

    /// <summary>The customer's invoices, newest first.</summary>
    public async Task<Reply<PageOf<InvoiceView>>> ListAsync(
        InvoiceFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        CustomerId? customer = filter.CustomerId ?? await OwnCustomerAsync(context, cancellation);
        if (customer is not { } id)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/customerId", "Say whose invoices: customerId.");
        }

        if (!await reader.ReachesAsync(context, id, cancellation) || await customers.FindAsync(id, cancellation) is null)
        {
            return Error.NotFound("The customer");
        }

        IReadOnlyList<(string Position, BookEntry Entry)> found = await book.ListAsync(id, paging.After, paging.Take, cancellation);
        var views = new List<(string Position, InvoiceView View)>(found.Count);
        foreach ((string position, BookEntry entry) in found)
        {
            views.Add((position, await ViewAsync(entry, cancellation)));
        }

        PageOf<(string Position, InvoiceView View)> page = paging.Page<(string Position, InvoiceView View)>(views, v => v.Position);
        return new PageOf<InvoiceView>([.. page.Results.Select(r => r.View)], page.CursorNext, page.CursorPrev, page.HasMore);
    }

    /// <summary>The entry if the caller reaches it, else 404.</summary>
    public async Task<Result<StoredEntry>> FindAsync(InvoiceId id, RequestContext context, CancellationToken cancellation) =>
        await book.FindAsync(id, cancellation) is { } stored && await reader.ReachesAsync(context, stored.Invoice.CustomerId, cancellation)
            ? stored
            : Error.NotFound("The invoice");

    public async Task<InvoiceView> ViewAsync(BookEntry entry, CancellationToken cancellation) =>
        InvoiceView.Of(entry, await terms.TodayAsync(entry.Invoice.LocationId, cancellation));

    private async Task<CustomerId?> OwnCustomerAsync(RequestContext context, CancellationToken cancellation) =>
        context.Caller.MemberId is { } self ? (await members.FindAsync(self, cancellation))?.CustomerId : null;
}
