using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>The answer to a request that no function takes: preflight, 405 with Allow, or 404.</summary>
internal static class Unrouted
{
    public static IResult Answer(HttpRequest request, FunctionCatalog catalog, CorsSettings cors)
    {
        IReadOnlyList<string> methods = catalog.MethodsAt(request.Path.Value ?? "/");
        if (HttpMethods.IsOptions(request.Method) && methods.Count > 0)
        {
            return new Preflight(methods, cors);
        }

        string requestId = request.HttpContext.CorrelationId();
        if (methods.Count == 0 || methods.Contains(request.Method.ToUpperInvariant()))
        {
            return Problem.Of(new Error(ErrorKind.NotFound, ErrorCodes.NotFound, "There is nothing at this path."), requestId);
        }

        request.HttpContext.Response.Headers.Allow = string.Join(", ", methods);
        return Problem.Of(new Error(ErrorKind.MethodNotAllowed, ErrorCodes.MethodNotAllowed, $"This path takes {string.Join(", ", methods)}."), requestId);
    }

    /// <summary>204 with Allow; with the CORS answers only for a configured origin. Browsers keep it for an hour.</summary>
    private sealed class Preflight(IReadOnlyList<string> methods, CorsSettings cors) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            IHeaderDictionary headers = httpContext.Response.Headers;
            httpContext.Response.StatusCode = StatusCodes.Status204NoContent;
            headers.Allow = string.Join(", ", methods);
            if (cors.Allows(httpContext.Request.Headers.Origin))
            {
                headers.AccessControlAllowMethods = string.Join(", ", methods);
                headers.AccessControlAllowHeaders =
                    "authorization, content-type, if-match, if-none-match, traceparent, "
                    + $"{RequestHeaders.IdempotencyKey.ToLowerInvariant()}, {RequestIds.Header}";
                headers.AccessControlMaxAge = "3600";
            }

            return Task.CompletedTask;
        }
    }
}
