using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Access;

/// <summary>Door access over HTTP.</summary>
public sealed class AccessFunctions(GetAccess get)
{
    [Function("Access_Get")]
    [Allow(Role.Staff, Role.Member)]
    [Operation("Show a member's door access", Response = typeof(AccessView))]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/members/{memberId}/access")] HttpRequest request,
        string memberId,
        CancellationToken cancellation) => request.GetAsync<MemberId, AccessView>(memberId, get.HandleAsync, cancellation);
}
