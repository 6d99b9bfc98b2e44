using Flex.Platform.Http;

namespace Flex.Members;

/// <param name="CustomerId">Only members of this customer.</param>
public sealed record MemberFilter(CustomerId? CustomerId = null);

/// <summary>
/// Reads of customers and members. A member reaches themself and their own customer; any other id answers as one that does not
/// exist, so that nothing can be learnt by trying.
/// </summary>
public sealed class MemberReader(MemberStore members, CustomerStore customers)
{
    public async Task<Reply<MemberView>> GetMemberAsync(MemberId id, RequestContext context, CancellationToken cancellation)
    {
        if (context.Caller.Refuses(id, "The member") is { } hidden)
        {
            return hidden;
        }

        return await members.FindAsync(id, cancellation) is { } member ? MemberView.Of(member) : Error.NotFound("The member");
    }

    public async Task<Reply<PageOf<MemberView>>> ListMembersAsync(
        MemberFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        IReadOnlyList<Member> found = filter.CustomerId is { } customer
            ? await members.PageOfCustomerAsync(customer, paging.After, paging.Take, cancellation)
            : await members.PageAsync(paging.After, paging.Take, cancellation);
        return paging.Page<MemberView>([.. found.Select(MemberView.Of)], m => m.Id.Value);
    }

    public async Task<Reply<CustomerView>> GetCustomerAsync(CustomerId id, RequestContext context, CancellationToken cancellation) =>
        await ReachesAsync(context, id, cancellation) && await customers.FindAsync(id, cancellation) is { } customer
            ? CustomerView.Of(customer)
            : Error.NotFound("The customer");

    public async Task<Reply<PageOf<CustomerView>>> ListCustomersAsync(
        NoQuery query, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        IReadOnlyList<Customer> found = await customers.PageAsync(paging.After, paging.Take, cancellation);
        return paging.Page<CustomerView>([.. found.Select(CustomerView.Of)], c => c.Id.Value);
    }

    /// <summary>Whether the customer is in the caller's reach: every one for staff, their own for a member (one point read).</summary>
    public async Task<bool> ReachesAsync(RequestContext context, CustomerId id, CancellationToken cancellation) =>
        context.Caller.IsStaff
        || (context.Caller.MemberId is { } self && (await members.FindAsync(self, cancellation))?.CustomerId == id);
}
