using System.Text.Json;
using Flex.Platform;
using Microsoft.AspNetCore.Http;

namespace Flex.Local.Runtime.Hosting;

/// <summary>A control was used wrongly; the message says how it is used.</summary>
public sealed class LocalRequestException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}

/// <summary>Reading and answering in the controls below <c>/local</c>.</summary>
internal static class LocalHttp
{
    private static readonly JsonSerializerOptions Strict = new(StorageJson.Options)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    public static async Task<T> ReadAsync<T>(HttpRequest request)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(request.Body, Strict, request.HttpContext.RequestAborted)
                ?? throw new LocalRequestException(StatusCodes.Status400BadRequest, "Send a JSON object.");
        }
        catch (JsonException broken)
        {
            throw new LocalRequestException(StatusCodes.Status400BadRequest, broken.Message);
        }
    }

    /// <summary>An endpoint that answers 200 with the result as JSON, or a problem.</summary>
    public static RequestDelegate Answer(Func<HttpContext, Task<object>> run) => async http =>
    {
        IResult result;
        try
        {
            result = Results.Json(await run(http), StorageJson.Options);
        }
        catch (LocalRequestException refused)
        {
            result = Results.Problem(detail: refused.Message, statusCode: refused.Status);
        }

        await result.ExecuteAsync(http);
    };

    public static RequestDelegate Answer(Func<HttpContext, object> look) => Answer(http => Task.FromResult(look(http)));
}
