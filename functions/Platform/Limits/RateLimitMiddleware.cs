using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace Flex.Platform.Limits;

/// <summary>
/// Refuses a caller who calls a function too often, before anything of the request is read: nothing changes and no
/// Idempotency-Key is used up. After <see cref="AccessMiddleware"/>, which finds out who calls and counts what it refuses itself.
/// </summary>
public sealed class RateLimitMiddleware(CallLimits limits) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is { } http && http.Function() is { } entry && limits.Count(http, entry, http.Request.Caller()) is { } tooMany)
        {
            await Problem.Of(tooMany, http.CorrelationId()).ExecuteAsync(http);
            return;
        }

        await next(context);
    }
}
