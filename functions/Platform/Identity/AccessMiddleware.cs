using Flex.Platform.Http;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace Flex.Platform.Identity;

/// <summary>
/// Lets a request through only when its function declares who may call it and the caller is one of them. No declaration, no
/// call: 403 for everyone. An address that is refused again and again is turned away before its tokens are looked at, because
/// until a token is validated there is nothing else to count by.
/// </summary>
public sealed class AccessMiddleware(FunctionCatalog catalog, ITokenValidator tokens, CallLimits limits) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        HttpContext? http = context.GetHttpContext();
        if (http is null)
        {
            await next(context);
            return;
        }

        Result<Caller> caller = await AdmitAsync(http, catalog.Find(context.FunctionDefinition.Name), context.CancellationToken);
        if (caller.IsError)
        {
            if (caller.Error.Kind == ErrorKind.Unauthenticated)
            {
                http.Response.Headers.WWWAuthenticate = BearerToken.IsPresent(http.Request)
                    ? "Bearer realm=\"flex\", error=\"invalid_token\""
                    : "Bearer realm=\"flex\"";
            }

            await Problem.Of(caller.Error, http.CorrelationId()).ExecuteAsync(http);
            return;
        }

        http.Set(caller.Value);
        await next(context);
    }

    private async Task<Result<Caller>> AdmitAsync(HttpContext http, FunctionEntry? entry, CancellationToken cancellation)
    {
        if (entry is not null)
        {
            http.Set(entry);
        }

        if (entry?.AllowAnyone is not null)
        {
            return Caller.Anonymous;
        }

        if (entry?.Allow is not { } allow)
        {
            return Forbidden("Nobody may call this function.");
        }

        if (limits.Bars(http) is { } tooMany)
        {
            return tooMany;
        }

        Result<Caller> caller = await tokens.ValidateAsync(BearerToken.Of(http.Request), cancellation);
        if (caller.IsError)
        {
            return limits.Refuse(http, caller.Error);
        }

        return caller.Value.Has(allow.Roles) ? caller : limits.Count(http, entry, caller.Value) ?? Forbidden("The caller's role may not do this.");
    }

    private static Error Forbidden(string detail) => new(ErrorKind.Forbidden, ErrorCodes.Forbidden, detail);
}

/// <summary>The token of an <c>Authorization: Bearer …</c> header.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";

    public static bool IsPresent(HttpRequest request) => Of(request) is not null;

    public static string? Of(HttpRequest request) => request.Headers.Authorization is { Count: 1 } header
        && header[0] is { } text && text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && text.Length > Scheme.Length
            ? text[Scheme.Length..].Trim()
            : null;
}
