using System.Globalization;
using System.Text;
using System.Text.Json;
using Flex.Platform;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Flex.Local.Simulators.Salto;

/// <summary>
/// The simulator over HTTP: identity server at <c>/local/salto/identity</c>, API at <c>/local/salto/api</c>, and controls:
/// <c>POST /local/salto/control/sites</c> takes a <see cref="SaltoSiteSeed"/> and answers a <see cref="SaltoSeeded"/>,
/// <c>GET /local/salto/control/users</c> answers <c>{"users":[…]}</c> with <see cref="SaltoUserFacts"/>.
/// </summary>
public static class SaltoEndpoints
{
    public const string Root = "/local/salto";

    /// <summary>Larger than any real request of a client.</summary>
    private const int MaxBodyChars = 1 << 20;

    public static void MapSalto(this IEndpointRouteBuilder routes, SaltoSimulator simulator)
    {
        routes.MapPost(Root + "/control/sites", async (HttpContext http) =>
        {
            string body = await BodyAsync(http.Request);
            try
            {
                return Results.Text(StorageJson.Write(simulator.Control.Seed(StorageJson.Read<SaltoSiteSeed>(body))), "application/json");
            }
            catch (JsonException broken)
            {
                return Results.Problem(broken.Message, statusCode: StatusCodes.Status400BadRequest);
            }
        });
        routes.MapGet(Root + "/control/users", () => Results.Text(StorageJson.Write(new { users = simulator.Inspection.Users() }), "application/json"));
        routes.Map(Root + "/identity/{**path}", http => ServeAsync(http, simulator));
        routes.Map(Root + "/api/{**path}", http => ServeAsync(http, simulator));
    }

    private static async Task ServeAsync(HttpContext http, SaltoSimulator simulator)
    {
        SaltoResponse response = simulator.Handle(new SaltoRequest(
            http.Request.Method,
            http.Request.Path.Value![Root.Length..],
            http.Request.Query.ToDictionary(p => p.Key, p => p.Value.ToString(), StringComparer.Ordinal),
            http.Request.Headers.Authorization.FirstOrDefault(),
            await BodyAsync(http.Request)));
        if (response.Latency > TimeSpan.Zero)
        {
            await Task.Delay(response.Latency, http.RequestAborted);
        }

        if (response.IsLost)
        {
            http.Abort();
            return;
        }

        http.Response.StatusCode = response.Status;
        if (response.RetryAfterSeconds is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (response.Body is not null)
        {
            http.Response.ContentType = response.ContentType;
            await http.Response.WriteAsync(response.Body, http.RequestAborted);
        }
    }

    private static async Task<string> BodyAsync(HttpRequest request)
    {
        if (request.ContentLength > MaxBodyChars)
        {
            throw new BadHttpRequestException("The body is too large.", StatusCodes.Status413PayloadTooLarge);
        }

        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        return await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
    }
}
