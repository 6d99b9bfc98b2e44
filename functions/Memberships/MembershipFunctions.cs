using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Flex.Platform.Messaging;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Memberships;

/// <summary>HTTP surface and queue of memberships.</summary>
public sealed class MembershipFunctions(
    SignUpHandler signUp, AssignMembershipHandler assign, CancelMembershipHandler cancel, ReadMembershipsHandler read, MessageDispatcher dispatcher)
{
    [Function("Memberships_SignUp"), Allow(Role.Staff, Role.Member), RateLimit(RatePolicy.Payments)]
    [Operation("Sign up for a plan and pay now", Body = typeof(SignUpRequest), Response = typeof(MembershipView), Status = 201,
        IdempotencyKey = Need.Required,
        Errors = [ErrorCodes.PaymentFailed, ErrorCodes.PaymentMethodRequired, ErrorCodes.UnknownReference, ErrorCodes.GatewayNotConnected])]
    public Task<IResult> SignUp(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/memberships/sign-up")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<SignUpRequest, MembershipView>(signUp.HandleAsync, Created, cancellation);

    [Function("Memberships_Assign"), Allow(Role.Staff)]
    [Operation("Give a member a membership that bills from its renewal date", Body = typeof(AssignMembershipRequest), Response = typeof(MembershipView),
        Status = 201, IdempotencyKey = Need.Optional, Errors = [ErrorCodes.RenewalDateInPast, ErrorCodes.UnknownReference])]
    public Task<IResult> Assign(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/memberships")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<AssignMembershipRequest, MembershipView>(assign.HandleAsync, Created, cancellation);

    [Function("Memberships_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List memberships of a location or a member", Query = typeof(MembershipQuery), Response = typeof(PageOf<MembershipView>))]
    public Task<IResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/memberships")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<MembershipQuery, MembershipView>(read.ListAsync, cancellation);

    [Function("Memberships_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a membership", Response = typeof(MembershipView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/memberships/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<MembershipId, MembershipView>(id, read.GetAsync, cancellation);

    [Function("Memberships_Dunning"), Allow(Role.Staff, Role.Member)]
    [Operation("Read what has failed and what happens next", Response = typeof(DunningView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Dunning(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/memberships/{id}/dunning")] HttpRequest request,
        string id,
        CancellationToken cancellation) => request.GetAsync<MembershipId, DunningView>(id, read.GetDunningAsync, cancellation);

    [Function("Memberships_Cancel"), Allow(Role.Staff, Role.Member)]
    [Operation("Let a membership end on a date", Body = typeof(CancelMembershipRequest), Response = typeof(MembershipView), IfMatch = Need.Required,
        IdempotencyKey = Need.Optional, Errors = [ErrorCodes.InvalidTransition, ErrorCodes.InThePast, ErrorCodes.Stale, ErrorCodes.NotFound])]
    public Task<IResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/memberships/{id}/cancel")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<MembershipId, CancelMembershipRequest, MembershipView>(id, cancel.HandleAsync, cancellation);

    [Function("Memberships_Consume")]
    public Task Consume([ServiceBusTrigger(Queues.Memberships, Connection = Queues.Connection)] string message, CancellationToken cancellation) =>
        dispatcher.DispatchAsync(Queues.Memberships, message, cancellation);

    private static Respond<MembershipView> Created => Respond.Created<MembershipView>(m => $"/api/v1/memberships/{m.Id}");
}
