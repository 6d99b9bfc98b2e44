using System.Globalization;
using Flex.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flex.Platform.Http;

/// <summary>Notices answers the API description does not promise. They are given all the same: a missing word in it breaks no caller.</summary>
internal static class Conformance
{
    public static void Check(HttpContext http, Error? error, int status)
    {
        if (http.Function() is not { Operation: { } operation } entry
            || (error is null ? status == operation.Status || (operation.MayTakeLong && status == 202) : OpenApiDocument.CodesOf(entry).Contains(error.Code)))
        {
            return;
        }

        string answer = error?.Code ?? status.ToString(CultureInfo.InvariantCulture);
        http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Conformance))
            .LogWarning("{Function} answered {Answer}, which its description does not name.", entry.Name, answer);
    }
}
