using System.Text;
using Flex.Local.Runtime.Faults;
using Flex.Local.Runtime.Hosting;
using Flex.Local.Runtime.Scheduling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// Plugs the simulator into the local host: <c>/local/stripe/v1/…</c> and <c>/local/stripe/control/…</c>, its work, and the
/// host's fault rules. Stripe.net works unchanged with its ApiBase at the prefix. The host decides how webhooks travel by
/// configuring the client named <see cref="WebhookClient"/>.
/// </summary>
public sealed class StripeSimulatorModule(StripeOptions options) : ILocalModule
{
    public const string Prefix = "/local/stripe";

    /// <summary>The name of the <see cref="HttpClient"/> that sends webhooks.</summary>
    public const string WebhookClient = "stripe-webhooks";

    /// <summary>Longer bodies are refused with 413.</summary>
    private const int MaxBody = 1024 * 1024;

    /// <summary>Flex's settings for talking to the simulator.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["Stripe:ApiKey"] = options.ApiKey,
        ["Stripe:ApiBase"] = options.PublicUrl,
        ["Stripe:WebhookSecret"] = options.Endpoints.SelectMany(e => e.Secrets).FirstOrDefault(),
    };

    public void Configure(IServiceCollection services)
    {
        services.AddHttpClient(WebhookClient);
        services.AddSingleton(provider => new StripeSimulator(options, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(WebhookClient), provider.GetService<IWorkSignal>(), Faults(provider)));
        services.AddSingleton(provider => provider.GetRequiredService<StripeSimulator>().Work);
        services.AddSingleton(provider => new InProcessRoute(Prefix + "/", new StripeSimulatorHandler(provider.GetRequiredService<StripeSimulator>())));
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        StripeSimulator simulator = routes.ServiceProvider.GetRequiredService<StripeSimulator>();
        routes.Map(Prefix + "/{**path}", context => ServeAsync(context, simulator));
    }

    /// <summary>The part of a URL path that Stripe knows: from <c>/v1/</c> or <c>/control/</c> on.</summary>
    public static string PathWithin(string path)
    {
        int at = path.IndexOf("/v1/", StringComparison.Ordinal);
        at = at < 0 ? path.IndexOf("/control/", StringComparison.Ordinal) : at;
        return at < 0 ? path : path[at..];
    }

    private static IStripeFaults? Faults(IServiceProvider provider) => provider.GetService<IStripeFaults>()
        ?? (provider.GetService<FaultRegistry>() is { } registry ? new StripeRegistryFaults(registry) : null);

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
