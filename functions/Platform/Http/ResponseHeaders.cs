using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>Headers that every answer has: request id, security (this is an API, nothing in it is a page) and CORS.</summary>
internal static class ResponseHeaders
{
    public static void Apply(HttpContext http, string requestId, CorsSettings cors)
    {
        IHeaderDictionary headers = http.Response.Headers;
        headers[RequestIds.Header] = requestId;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains";
        if (cors.Allows(http.Request.Headers.Origin))
        {
            headers.AccessControlAllowOrigin = http.Request.Headers.Origin;
            headers.AccessControlExposeHeaders = $"ETag, Location, Retry-After, WWW-Authenticate, {RequestIds.Header}, {ApiResult.ReplayedHeader}";
        }

        if (cors.Origins.Count > 0)
        {
            headers.Vary = "Origin";
        }
    }
}
