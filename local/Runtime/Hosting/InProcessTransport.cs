using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;

namespace Flex.Local.Runtime.Hosting;

/// <summary>Answers requests below a path of the runtime's own address without going through HTTP endpoints; a simulator registers one.</summary>
public sealed record InProcessRoute(string Prefix, HttpMessageHandler Handler);

/// <summary>Puts <see cref="SelfHandler"/> under every client of the factory that would otherwise use sockets.</summary>
internal sealed class InProcessTransport(Func<HttpMessageHandler> transport) : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (builder.PrimaryHandler is SocketsHttpHandler or HttpClientHandler)
        {
            builder.PrimaryHandler = transport();
        }
    };
}

/// <summary>The network of a runtime without one: its own address, and nothing else.</summary>
internal sealed class SelfHandler(IServiceProvider services, Uri self, HttpMessageHandler app) : HttpMessageHandler
{
    private readonly HttpMessageInvoker _app = new(app, disposeHandler: false);
    private readonly Lazy<(string Prefix, HttpMessageInvoker Invoker)[]> _routes = new(() =>
        [.. services.GetServices<InProcessRoute>().Select(r => (r.Prefix, new HttpMessageInvoker(r.Handler, disposeHandler: false)))]);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri target = request.RequestUri!;
        if (target.Authority != self.Authority)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, $"There is no network here, so {target.Authority} cannot be reached.");
        }

        foreach ((string prefix, HttpMessageInvoker invoker) in _routes.Value)
        {
            if (target.AbsolutePath.StartsWith(prefix, StringComparison.Ordinal))
            {
                return invoker.SendAsync(request, cancellationToken);
            }
        }

        return _app.SendAsync(request, cancellationToken);
    }
}
