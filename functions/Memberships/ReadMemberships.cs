using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;

namespace Flex.Memberships;

/// <param name="LocationId">Staff: all memberships of a location. Exactly one of the two is given.</param>
/// <param name="MemberId">The member's own, also those that have ended.</param>
public sealed record MembershipQuery(LocationId? LocationId = null, MemberId? MemberId = null);

/// <summary>Reads of memberships.</summary>
public sealed class ReadMembershipsHandler(MembershipStore memberships, MemberStore members, SettingsStore settings)
{
    public async Task<Reply<MembershipView>> GetAsync(MembershipId id, RequestContext context, CancellationToken cancellation) =>
        await FindAsync(id, context, cancellation) is { } membership
            ? MembershipView.Of(membership, await CalendarAsync(membership.LocationId, cancellation))
            : Error.NotFound("The membership");

    public async Task<Reply<DunningView>> GetDunningAsync(MembershipId id, RequestContext context, CancellationToken cancellation) =>
        await FindAsync(id, context, cancellation) is { } membership ? DunningView.Of(membership) : Error.NotFound("The membership");

    public async Task<Reply<PageOf<MembershipView>>> ListAsync(MembershipQuery query, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        if (query.MemberId is { } memberId && query.LocationId is null)
        {
            return await OfMemberAsync(memberId, paging, context, cancellation);
        }

        if (query.LocationId is not { } locationId || query.MemberId is not null)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, string.Empty, "Give either locationId or memberId.");
        }

        if (!context.Caller.IsStaff || await settings.FindLocationAsync(locationId, cancellation) is not { } location)
        {
            return Error.NotFound("The location");
        }

        IReadOnlyList<Membership> found = await memberships.ListAsync(locationId, paging.After, paging.Take, cancellation);
        return paging.Page<MembershipView>([.. found.Select(m => MembershipView.Of(m, location.Calendar))], v => v.Id.Value);
    }

    private async Task<Reply<PageOf<MembershipView>>> OfMemberAsync(MemberId memberId, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        if (!context.Caller.Reaches(memberId) || await members.FindAsync(memberId, cancellation) is not { } member)
        {
            return Error.NotFound("The member");
        }

        var views = new List<MembershipView>();
        IEnumerable<MembershipId> ids = (await memberships.ListOfCustomerAsync(member.CustomerId, cancellation))
            .Where(id => paging.After is null || string.CompareOrdinal(id.Value, paging.After) > 0);
        foreach (MembershipId id in ids)
        {
            if (views.Count < paging.Take && await memberships.FindAsync(id, cancellation) is { } stored && stored.Value.MemberId == memberId)
            {
                views.Add(MembershipView.Of(stored.Value, await CalendarAsync(stored.Value.LocationId, cancellation)));
            }
        }

        return paging.Page<MembershipView>(views, v => v.Id.Value);
    }

    private async Task<Membership?> FindAsync(MembershipId id, RequestContext context, CancellationToken cancellation) =>
        await memberships.FindAsync(id, cancellation) is { } stored && context.Caller.Reaches(stored.Value.MemberId) ? stored.Value : null;

    private async Task<SiteCalendar> CalendarAsync(LocationId location, CancellationToken cancellation) =>
        (await settings.LocationAsync(location, cancellation)).Calendar;
}
