using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;

namespace Flex.Storefront;

/// <summary>A visitor's request and who it has made of the visitor, so that its repetition makes nobody else.</summary>
public sealed record VisitorRequest(string BodyHash, CustomerId CustomerId, MemberId MemberId);

/// <summary>
/// Visitors as customers and members. Every request makes new ones, whatever the e-mail address: an address that anybody can type proves
/// nothing, so nobody gets at an existing account with it. The request's key lies with the customers: <c>K|</c>.
/// </summary>
public sealed class VisitorStore(ITableStore tables, CustomerStore customers, MemberStore members)
{
    /// <summary>What an earlier request with this key has made; null when it is the first. One point read.</summary>
    public async Task<VisitorRequest?> FindAsync(RequestKey key, CancellationToken cancellation) =>
        (await tables.FindAsync(CustomerStore.Table, CustomerStore.Partition, key.RowKey, cancellation))?.As<VisitorRequest>();

    /// <summary>Two commits; what an earlier try has made stays.</summary>
    public async Task AddAsync(RequestKey key, Customer customer, Member member, CancellationToken cancellation)
    {
        TableBatch batch = CustomerStore.Insert(customer).Insert(key.RowKey, new VisitorRequest(key.BodyHash, customer.Id, member.Id));
        Require(await customers.CommitAsync(batch, cancellation));
        Require(await members.CommitAsync(MemberStore.Insert(member), cancellation));
    }

    private static void Require(CommitResult result)
    {
        if (result.Kind != CommitKind.Duplicate)
        {
            result.Require();
        }
    }
}
