using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.DayPasses;

/// <summary>HTTP surface of day passes and check-ins.</summary>
public sealed class DayPassesFunctions(
    IssueDayPassesHandler issue, CancelDayPassHandler cancel, CheckInHandler checkIn, CheckOutHandler checkOut, DayPassReader reader)
{
    [Function("DayPasses_Issue"), Allow(Role.Staff)]
    [Operation("Give a member or the member's company day passes", Body = typeof(IssueDayPassesRequest), Response = typeof(DayPassView), Status = 201,
        IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.NotFound, ErrorCodes.UnknownReference, ErrorCodes.EndBeforeStart, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Issue(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/members/{id}/day-passes")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<MemberId, IssueDayPassesRequest, DayPassView>(
            id, issue.HandleAsync, Respond.Created<DayPassView>(_ => $"/api/v1/members/{id}/day-passes"), cancellation);

    [Function("DayPasses_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the day passes a member can use", Query = typeof(NoQuery), Response = typeof(PageOf<DayPassView>), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/members/{id}/day-passes")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.ListAsync<NoQuery, DayPassView>(
            (_, paging, context, ct) => reader.ListAsync(Handling.RouteId<MemberId>(id), paging, context, ct), cancellation);

    [Function("DayPasses_Cancel"), Allow(Role.Staff)]
    [Operation("Take away what is left of a day pass", Response = typeof(DayPassView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/members/{id}/day-passes/{passId}")] HttpRequest request,
        string id,
        string passId,
        CancellationToken cancellation) =>
        request.ActAsync(
            (_, ct) => cancel.HandleAsync(Handling.RouteId<MemberId>(id), Handling.RouteId<DayPassId>(passId), ct),
            Respond.Ok<DayPassView>(),
            cancellation);

    [Function("CheckIns_Create"), Allow(Role.Staff, Role.Member)]
    [Operation("Check a member in", Body = typeof(CheckInRequest), Response = typeof(CheckInView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [
            ErrorCodes.PassNotYetValid, ErrorCodes.PassExpired, ErrorCodes.NoPassesLeft, ErrorCodes.UnknownReference, ErrorCodes.NotFound,
            ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> CheckIn(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/check-ins")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<CheckInRequest, CheckInView>(
            checkIn.HandleAsync, Respond.Created<CheckInView>(c => $"/api/v1/check-ins/{c.Id}"), cancellation);

    [Function("CheckIns_CheckOut"), Allow(Role.Staff, Role.Member)]
    [Operation("Check a member out", Response = typeof(CheckInView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> CheckOut(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/check-ins/{id}/check-out")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.ActAsync<CheckInId, CheckInView>(id, checkOut.HandleAsync, cancellation);

    [Function("CheckIns_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a check-in", Response = typeof(CheckInView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetCheckIn(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/check-ins/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<CheckInId, CheckInView>(id, reader.GetCheckInAsync, cancellation);

    [Function("CheckIns_List"), Allow(Role.Staff)]
    [Operation("List the check-ins of a location's day", Query = typeof(CheckInFilter), Response = typeof(PageOf<CheckInView>),
        Errors = [ErrorCodes.NotFound])]
    public Task<IResult> ListCheckIns(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/check-ins")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<CheckInFilter, CheckInView>(reader.ListCheckInsAsync, cancellation);
}
