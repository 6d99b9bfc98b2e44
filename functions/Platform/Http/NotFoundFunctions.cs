using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.Http;

/// <summary>
/// Catches what no other function does. Its name sorts last, because the host tries overlapping routes in the order of the
/// functions' names.
/// </summary>
public sealed class NotFoundFunctions(FunctionCatalog catalog, CorsSettings cors)
{
    [Function("zz_NotFound")]
    [AllowAnyone("It tells nothing but which paths exist, as the API description does."), RateLimit(RatePolicy.Unlimited)]
    public IResult Any([HttpTrigger(AuthorizationLevel.Anonymous, Route = "{*path}")] HttpRequest request, string? path) =>
        Unrouted.Answer(request, catalog, cors);
}
