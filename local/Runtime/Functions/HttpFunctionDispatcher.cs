using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Flex.Local.Runtime.Functions;

/// <summary>
/// Serves HTTP functions as host and worker do together: unknown route or wrong method is an empty 404, an unhandled
/// exception an empty 500, a result that is no <see cref="IResult"/> or <see cref="IActionResult"/> an empty 200.
/// </summary>
public sealed class HttpFunctionDispatcher(FunctionCatalogue catalogue, FunctionInvoker invoker, HostJson host, ILogger<HttpFunctionDispatcher> log)
{
    /// <summary>What the worker's own Kestrel accepts.</summary>
    public const int MaxBodyBytes = 30_000_000;

    private readonly PathString _prefix = host.RoutePrefix.Length == 0 ? PathString.Empty : new PathString("/" + host.RoutePrefix);

    /// <summary>True for paths behind the route prefix; everything else is not the functions' business.</summary>
    public bool Owns(PathString path) => path.StartsWithSegments(_prefix, StringComparison.OrdinalIgnoreCase);

    public async Task HandleAsync(HttpContext http)
    {
        var values = new RouteValueDictionary();
        if (!http.Request.Path.StartsWithSegments(_prefix, StringComparison.OrdinalIgnoreCase, out PathString path)
            || catalogue.Routes.Find(http.Request.Method, path, values) is not { } function)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        http.Request.RouteValues = values;
        try
        {
            await invoker.InvokeAsync(function, new Invocation(_ => http.Request)
            {
                Http = http,
                BindingData = values,
                Completing = context => WriteAsync(context.Result, http),
                Cancellation = http.RequestAborted,
            });
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            log.LogInformation("{Function}: the client has gone.", function.Name);
        }
        catch (Exception unhandled)
        {
            log.LogError(unhandled, "{Function} failed with an unhandled exception.", function.Name);
            if (http.Response.HasStarted)
            {
                http.Abort();
                return;
            }

            http.Response.Clear();
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
    }

    private static Task WriteAsync(object? result, HttpContext http) => result switch
    {
        IResult value => value.ExecuteAsync(http),
        IActionResult value => value.ExecuteResultAsync(new ActionContext(http, new RouteData(http.Request.RouteValues), new ActionDescriptor())),
        _ => Task.CompletedTask,
    };
}
