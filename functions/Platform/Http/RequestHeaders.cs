using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>Idempotency-Key and If-Match, as the operation's <see cref="OperationAttribute"/> wants them.</summary>
internal static class RequestHeaders
{
    public const string IdempotencyKey = "Idempotency-Key";

    /// <exception cref="RefusalException">A needed header is missing, or one is not in its form.</exception>
    public static RequestContext Read(HttpRequest request, byte[] body, string requestId)
    {
        OperationAttribute? operation = request.HttpContext.Function()?.Operation;
        return new RequestContext(request.Caller(), ReadKey(request, body, operation), ReadIfMatch(request, operation), requestId);
    }

    private static RequestKey? ReadKey(HttpRequest request, byte[] body, OperationAttribute? operation)
    {
        string? key = Single(request, IdempotencyKey);
        if (HttpMethods.IsGet(request.Method))
        {
            return null;
        }

        if (key is null)
        {
            return operation?.IdempotencyKey == Need.Required
                ? throw new RefusalException(Missing(ErrorCodes.IdempotencyKeyRequired, "Send an Idempotency-Key header, a fresh one per intention."))
                : null;
        }

        if (!RequestKey.IsWellFormed(key))
        {
            throw new RefusalException($"{IdempotencyKey} is 1 to {RequestKey.MaxLength} visible ASCII characters.");
        }

        string scope = $"{request.Caller().Subject} {request.Method.ToUpperInvariant()} {request.Path.Value?.ToLowerInvariant().TrimEnd('/')}";
        return new RequestKey(scope, key, RequestKey.Hash(body));
    }

    private static string? ReadIfMatch(HttpRequest request, OperationAttribute? operation)
    {
        string? ifMatch = request.Headers.IfMatch.Count == 0 ? null : request.Headers.IfMatch.ToString();
        if (ifMatch is null)
        {
            return operation?.IfMatch == Need.Required
                ? throw new RefusalException(Missing(ErrorCodes.IfMatchRequired, "Send an If-Match header with the ETag that was read."))
                : null;
        }

        return ETags.IsWellFormed(ifMatch) ? ifMatch : throw new RefusalException("If-Match is a list of quoted entity tags.");
    }

    private static string? Single(HttpRequest request, string name) => request.Headers[name] switch
    {
        { Count: 0 } => null,
        { Count: 1 } one => one[0],
        _ => throw new RefusalException($"{name} is given more than once."),
    };

    private static Error Missing(string code, string detail) => new(ErrorKind.Malformed, code, detail);
}
