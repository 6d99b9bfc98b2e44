using System.Text;
using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>
/// A successful answer that is no JSON, with an ETag made of its text. The caller's own program may keep it and asks every time
/// whether it is still current; nobody in between may.
/// </summary>
/// <param name="MediaType">As <see cref="OperationAttribute.MediaType"/> says; it is sent as UTF-8.</param>
public sealed record TextDocument(string MediaType, string Text) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        byte[] body = Encoding.UTF8.GetBytes(Text);
        string etag = $"\"{RequestKey.Hash(body)[..32]}\"";
        response.Headers.ETag = etag;
        response.Headers.CacheControl = "private, no-cache";
        if (ETags.IsUnchanged(httpContext.Request, etag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = MediaType + "; charset=utf-8";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }
}
