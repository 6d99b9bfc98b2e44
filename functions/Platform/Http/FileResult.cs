using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>A body that is a file.</summary>
/// <param name="ContentType">As the caller named it; the content may be something else.</param>
public sealed record FileBody(string? ContentType, ReadOnlyMemory<byte> Content);

/// <param name="Tag">Names the content: another content has another tag.</param>
public sealed record FileAnswer(string ContentType, ReadOnlyMemory<byte> Content, string Tag);

/// <summary>A file as the answer. Clients may keep it but ask each time whether it is still the one, by its ETag.</summary>
internal sealed class FileResult(FileAnswer file) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        string etag = $"\"{file.Tag}\"";
        response.Headers.ETag = etag;
        response.Headers.CacheControl = "private, no-cache";
        if (ETags.IsUnchanged(httpContext.Request, etag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = file.ContentType;
        response.ContentLength = file.Content.Length;
        await response.Body.WriteAsync(file.Content, httpContext.RequestAborted);
    }
}
