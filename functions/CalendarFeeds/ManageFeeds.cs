using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Http;
using NodaTime;

namespace Flex.CalendarFeeds;

/// <param name="CreatedAt">Since when there is one; null when there is none.</param>
public sealed record CalendarFeedView(Instant? CreatedAt);

/// <param name="Path">To be put behind the service's address and given to a calendar program. It is told this once.</param>
public sealed record CalendarFeedLink(string Path, Instant CreatedAt);

/// <summary>
/// Gives out and takes back the addresses of feeds. No answer is kept for a repeated request, since it holds the token: a request
/// that is repeated makes another token, and the last one told is the one that works.
/// </summary>
public sealed class ManageFeeds(CalendarFeedStore store, MemberStore members, CatalogueStore catalogue, IIdSource ids, TimeProvider time)
{
    /// <summary>Somebody else changing the same feed makes one round stale; ten in a row are no longer chance.</summary>
    private const int MaxRounds = 10;

    /// <summary>Makes the member's feed, or gives it another token. Four storage calls at most.</summary>
    public async Task<Reply<CalendarFeedLink>> CreateAsync(MemberId id, RequestContext context, CancellationToken cancellation) =>
        await RefuseAsync(id, context, cancellation) is { } refusal ? refusal : await MakeAsync(id, null, cancellation);

    public async Task<Reply<CalendarFeedLink>> CreateAsync(ResourceId id, RequestContext context, CancellationToken cancellation) =>
        await RefuseAsync(id, cancellation) is { } refusal ? refusal : await MakeAsync(null, id, cancellation);

    public async Task<Reply<CalendarFeedView>> GetAsync(MemberId id, RequestContext context, CancellationToken cancellation) =>
        await RefuseAsync(id, context, cancellation) is { } refusal ? refusal : await GetAsync(id.Value, cancellation);

    public async Task<Reply<CalendarFeedView>> GetAsync(ResourceId id, RequestContext context, CancellationToken cancellation) =>
        await RefuseAsync(id, cancellation) is { } refusal ? refusal : await GetAsync(id.Value, cancellation);

    /// <summary>The feed's address stops working. Done as well when there is none.</summary>
    public async Task<Reply<Unit>> RevokeAsync(MemberId id, RequestContext context, CancellationToken cancellation) =>
        await RefuseAsync(id, context, cancellation) is { } refusal ? refusal : await PutAsync(id.Value, null, cancellation);

    public async Task<Reply<Unit>> RevokeAsync(ResourceId id, RequestContext context, CancellationToken cancellation) =>
        await RefuseAsync(id, cancellation) is { } refusal ? refusal : await PutAsync(id.Value, null, cancellation);

    private async Task<CalendarFeedLink> MakeAsync(MemberId? member, ResourceId? resource, CancellationToken cancellation)
    {
        string token = FeedToken.New(ids);
        var feed = new CalendarFeed(member, resource, FeedToken.Hash(token), time.Now());
        await PutAsync(feed.Subject, feed, cancellation);
        return new CalendarFeedLink(FeedToken.PathOf(token), feed.CreatedAt);
    }

    private async Task<CalendarFeedView> GetAsync(string subject, CancellationToken cancellation) =>
        new((await store.FindAsync(subject, cancellation))?.CreatedAt);

    private async Task<Unit> PutAsync(string subject, CalendarFeed? feed, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            if (await store.TryPutAsync(subject, feed, cancellation))
            {
                return Unit.Value;
            }
        }

        throw new TransientFaultException($"The calendar feed of {subject} keeps changing.");
    }

    private async Task<Error?> RefuseAsync(MemberId id, RequestContext context, CancellationToken cancellation) =>
        context.Caller.Refuses(id, "The member") is { } hidden ? hidden
        : await members.FindAsync(id, cancellation) is null ? Error.NotFound("The member")
        : null;

    private async Task<Error?> RefuseAsync(ResourceId id, CancellationToken cancellation) =>
        await catalogue.FindResourceAsync(id, cancellation) is null ? Error.NotFound("The resource") : null;
}
