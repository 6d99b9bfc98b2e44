using System.Text;
using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>A successful answer: exactly the bytes given, with its status, Location and ETag.</summary>
public sealed class ApiResult(StoredAnswer answer, bool replayed) : IResult
{
    public const string ReplayedHeader = "Idempotency-Replayed";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.StatusCode = answer.Status;
        if (answer.Location is { } location)
        {
            response.Headers.Location = location;
        }

        if (answer.ETag is { } etag)
        {
            response.Headers.ETag = etag;
        }

        if (replayed)
        {
            response.Headers[ReplayedHeader] = "true";
        }

        if (answer.ETag is { } current && ETags.IsUnchanged(httpContext.Request, current))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        if (answer.Json is { } json)
        {
            byte[] body = Encoding.UTF8.GetBytes(json);
            response.ContentType = HttpJson.ContentType;
            response.ContentLength = body.Length;
            await response.Body.WriteAsync(body, httpContext.RequestAborted);
        }
    }
}
