using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>The id of a request: the caller's <c>x-request-id</c>, else the trace id of its <c>traceparent</c>, else a fresh one.</summary>
internal static class RequestIds
{
    public const string Header = "x-request-id";
    private const int MaxLength = 64;

    /// <summary>Only letters, digits, dot, dash and underscore are taken over: the id goes into logs and message headers.</summary>
    public static string Of(HttpRequest request, IIdSource ids)
    {
        string? given = request.Headers[Header];
        if (given is { Length: > 0 and <= MaxLength } && given.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            return given;
        }

        // 00-{32 hex trace id}-{16 hex parent id}-{flags}: www.w3.org/TR/trace-context
        string? trace = request.Headers.TraceParent;
        return trace is { Length: >= 55 } && trace[3..35] is var id && id.All(char.IsAsciiHexDigitLower)
            ? id
            : "req_" + ids.Next();
    }
}
