using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flex.Platform.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>
/// The one writer of errors: RFC 9457 <c>application/problem+json</c> with
/// <c>{type, title, status, code, detail, errors: [{pointer, code, message}], requestId}</c> and the error's own members.
/// </summary>
public sealed class Problem : IResult
{
    private readonly string _requestId;

    private Problem(Error? error, string requestId)
    {
        Error = error;
        _requestId = requestId;
    }

    public const string ContentType = "application/problem+json";

    /// <summary>How long a caller waits after 503, in seconds: longer than a throttled partition or a broken circuit needs.</summary>
    public const int UnavailableSeconds = 5;

    /// <summary>Null for a failure of the service itself.</summary>
    public Error? Error { get; }

    public static Problem Of(Error error, string requestId) => new(error, requestId);

    /// <summary>500 without any detail of what happened; the request id leads to the log.</summary>
    public static Problem Internal(string requestId) => new(null, requestId);

    public static string TypeOf(string code) => "urn:flex:problem:" + code;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        int status = Error?.Status ?? StatusCodes.Status500InternalServerError;
        FlexTelemetry.Problems.Add(1, new("code", Error?.Code ?? ErrorCodes.Internal), new("status", status));
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(Document(status), HttpJson.Options);
        response.StatusCode = status;
        response.ContentType = ContentType;
        response.ContentLength = body.Length;
        if ((Error?.RetryAfterSeconds ?? (status == StatusCodes.Status503ServiceUnavailable ? UnavailableSeconds : null)) is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }

    private JsonObject Document(int status)
    {
        string code = Error?.Code ?? ErrorCodes.Internal;
        var document = new JsonObject
        {
            ["type"] = TypeOf(code),
            ["title"] = ErrorCodes.All.TryGetValue(code, out string? title) ? title : code,
            ["status"] = status,
            ["code"] = code,
            ["detail"] = Error?.Detail ?? ErrorCodes.All[ErrorCodes.Internal],
            ["errors"] = new JsonArray([.. (Error?.Fields ?? []).Select(f => (JsonNode)new JsonObject
            {
                ["pointer"] = f.Pointer,
                ["code"] = f.Code,
                ["message"] = f.Message,
            })]),
            ["requestId"] = _requestId,
        };
        foreach ((string name, object? value) in Error?.Extensions ?? new Dictionary<string, object?>())
        {
            document[name] = JsonSerializer.SerializeToNode(value, HttpJson.Options);
        }

        return document;
    }
}
