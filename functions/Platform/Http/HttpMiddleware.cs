using System.Diagnostics;
using Flex.Platform.Messaging;
using Flex.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace Flex.Platform.Http;

/// <summary>
/// The outermost of ours: names the request, sets the headers every answer has, and turns what nobody handled into a problem
/// document. Everything that is not HTTP passes straight on, because an orchestration must not meet asynchronous code here.
/// </summary>
public sealed class HttpMiddleware(CorsSettings cors, IIdSource ids, ILogger<HttpMiddleware> log) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        HttpContext? http = context.GetHttpContext();
        if (http is null)
        {
            await next(context);
            return;
        }

        string requestId = RequestIds.Of(http.Request, ids);
        http.SetCorrelationId(requestId);
        CorrelationScope.Set(requestId);
        Activity.Current?.SetTag(FlexTelemetry.CorrelationId, requestId);
        ResponseHeaders.Apply(http, requestId, cors);
        try
        {
            await next(context);
        }
        catch (Exception fault) when (!http.Response.HasStarted)
        {
            http.Response.Clear();
            ResponseHeaders.Apply(http, requestId, cors);
            await Judge(fault, requestId, context).ExecuteAsync(http);
        }
    }

    /// <summary>A caught exception counts as success in the host's log, so what is a fault is logged here.</summary>
    private Problem Judge(Exception fault, string requestId, FunctionContext context)
    {
        switch (fault)
        {
            case RefusalException refusal:
                return Problem.Of(refusal.Error, requestId);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return Problem.Of(new Error(ErrorKind.TooLarge, ErrorCodes.BodyTooLarge, "The body is too large."), requestId);
            case BadHttpRequestException:
                return Problem.Of(RefusalException.Malformed("The request cannot be read."), requestId);
            case TransientFaultException:
                log.LogWarning(fault, "{Function} met a dependency that is down or busy.", context.FunctionDefinition.Name);
                return Unavailable(requestId);
            case OperationCanceledException when context.CancellationToken.IsCancellationRequested:
                // The caller has gone or the host is stopping; whoever still listens may repeat.
                return Unavailable(requestId);
            default:
                log.LogError(fault, "{Function} failed.", context.FunctionDefinition.Name);
                return Problem.Internal(requestId);
        }
    }

    private static Problem Unavailable(string requestId) =>
        Problem.Of(new Error(ErrorKind.Unavailable, ErrorCodes.Unavailable, "A dependency is busy or down. Repeat the request."), requestId);
}
