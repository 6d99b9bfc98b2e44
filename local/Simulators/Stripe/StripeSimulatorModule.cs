using System.Text;
using Flex.Local.Runtime.Scheduling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Plugs the simulator into a host: its services, and its HTTP face under a path.</summary>
public static class StripeSimulatorModule
{
    public const string DefaultPrefix = "/local/stripe";

    /// <summary>The name of the <see cref="HttpClient"/> that sends webhooks.</summary>
    public const string WebhookClient = "stripe-webhooks";

    /// <summary>Bodies beyond this are refused with 413: Stripe's own limit is of this order.</summary>
    private const int MaxBody = 1024 * 1024;

    /// <summary>Registers the simulator and its work source. Needs a <see cref="TimeProvider"/>; uses an <see cref="IWorkSignal"/> if there is one.</summary>
    public static IServiceCollection Configure(IServiceCollection services, StripeOptions options)
    {
        services.AddHttpClient(WebhookClient);
        services.AddSingleton(provider => new StripeSimulator(options, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(WebhookClient), provider.GetService<IWorkSignal>(), provider.GetService<IStripeFaults>()));
        services.AddSingleton(provider => provider.GetRequiredService<StripeSimulator>().Work);
        return services;
    }

    /// <summary>Serves <c>{prefix}/v1/…</c> and <c>{prefix}/control/…</c>; Stripe.net works unchanged with its ApiBase at the prefix.</summary>
    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder routes, StripeSimulator simulator, string prefix = DefaultPrefix) =>
        routes.Map(prefix + "/{**path}", context => ServeAsync(context, simulator));

    /// <summary>The part of a URL path that Stripe knows: from <c>/v1/</c> or <c>/control/</c> on.</summary>
    public static string PathWithin(string path)
    {
        int at = path.IndexOf("/v1/", StringComparison.Ordinal);
        at = at < 0 ? path.IndexOf("/control/", StringComparison.Ordinal) : at;
        return at < 0 ? path : path[at..];
    }

    private static async Task ServeAsync(HttpContext context, StripeSimulator simulator)
    {
        HttpRequest http = context.Request;
        if (http.ContentLength > MaxBody)
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }

        using var reader = new StreamReader(http.Body, Encoding.UTF8);
        string body = await reader.ReadToEndAsync(context.RequestAborted);
        var headers = http.Headers.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var request = new StripeRequest(http.Method, PathWithin(http.Path.Value ?? "/"), http.QueryString.Value?.TrimStart('?') ?? string.Empty, body, headers);
        StripeReply reply = simulator.Handle(request);
        if (reply.Lost)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = "application/json";
        foreach ((string name, string value) in reply.Headers)
        {
            context.Response.Headers[name] = value;
        }

        await context.Response.WriteAsync(reply.Body, context.RequestAborted);
    }
}
