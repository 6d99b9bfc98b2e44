using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.CalendarFeeds;

/// <summary>HTTP surface of calendar feeds.</summary>
public sealed class CalendarFeedsFunctions(ManageFeeds manage, ReadFeed read)
{
    [Function("CalendarFeeds_CreateOfMember"), Allow(Role.Staff, Role.Member)]
    [Operation("Make a member's calendar feed, or give it another address", Response = typeof(CalendarFeedLink), Status = 201,
        Errors = [ErrorCodes.NotFound])]
    public Task<IResult> CreateOfMember(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/members/{id}/calendar-feed")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.ActAsync<MemberId, CalendarFeedLink>(
            id, manage.CreateAsync, Respond.Created<CalendarFeedLink>(_ => $"/api/v1/members/{id}/calendar-feed"), cancellation);

    [Function("CalendarFeeds_GetOfMember"), Allow(Role.Staff, Role.Member)]
    [Operation("Say since when a member has a calendar feed", Response = typeof(CalendarFeedView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetOfMember(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/members/{id}/calendar-feed")] HttpRequest request,
        string id,
        CancellationToken cancellation) => request.GetAsync<MemberId, CalendarFeedView>(id, manage.GetAsync, cancellation);

    [Function("CalendarFeeds_RevokeOfMember"), Allow(Role.Staff, Role.Member)]
    [Operation("Revoke a member's calendar feed", Status = 204, Errors = [ErrorCodes.NotFound])]
    public Task<IResult> RevokeOfMember(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/members/{id}/calendar-feed")] HttpRequest request,
        string id,
        CancellationToken cancellation) => request.ActAsync<MemberId, Unit>(id, manage.RevokeAsync, Respond.NoContent(), cancellation);

    [Function("CalendarFeeds_CreateOfResource"), Allow(Role.Staff)]
    [Operation("Make a resource's calendar feed, or give it another address", Response = typeof(CalendarFeedLink), Status = 201,
        Errors = [ErrorCodes.NotFound])]
    public Task<IResult> CreateOfResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/resources/{id}/calendar-feed")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.ActAsync<ResourceId, CalendarFeedLink>(
            id, manage.CreateAsync, Respond.Created<CalendarFeedLink>(_ => $"/api/v1/resources/{id}/calendar-feed"), cancellation);

    [Function("CalendarFeeds_GetOfResource"), Allow(Role.Staff)]
    [Operation("Say since when a resource has a calendar feed", Response = typeof(CalendarFeedView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetOfResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/resources/{id}/calendar-feed")] HttpRequest request,
        string id,
        CancellationToken cancellation) => request.GetAsync<ResourceId, CalendarFeedView>(id, manage.GetAsync, cancellation);

    [Function("CalendarFeeds_RevokeOfResource"), Allow(Role.Staff)]
    [Operation("Revoke a resource's calendar feed", Status = 204, Errors = [ErrorCodes.NotFound])]
    public Task<IResult> RevokeOfResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/resources/{id}/calendar-feed")] HttpRequest request,
        string id,
        CancellationToken cancellation) => request.ActAsync<ResourceId, Unit>(id, manage.RevokeAsync, Respond.NoContent(), cancellation);

    [Function("CalendarFeeds_Read"), AllowAnyone("The token in the path is the secret: calendar programs send no other.")]
    [RateLimit(RatePolicy.Feeds)]
    [Operation("Read a calendar feed as a calendar program does", ResponseTypes = [CalendarText.MediaType], Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Read(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/calendar-feeds/{file}")] HttpRequest request,
        string file,
        CancellationToken cancellation) => request.DownloadAsync((_, ct) => read.HandleAsync(file, ct), cancellation);
}
