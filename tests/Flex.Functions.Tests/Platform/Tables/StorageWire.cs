using Azure.Core.Pipeline;

namespace Flex.Functions.Tests.Platform.Tables;

/// <summary>
/// The wire between a storage client and its service. <see cref="OnWrite"/> decides about each attempt to write (anything
/// but GET and the making of tables and containers), counted from 1.
/// </summary>
public sealed class StorageWire : DelegatingHandler
{
    public StorageWire(HttpMessageHandler? service = null)
        : base(service ?? new SocketsHttpHandler())
    {
    }

    /// <summary>What happens to an attempt; null is nothing special.</summary>
    public Func<int, Func<Task<HttpResponseMessage>>, Task<HttpResponseMessage>>? OnWrite { get; set; }

    public int Writes { get; private set; }

    public HttpPipelineTransport Transport => new HttpClientTransport(new HttpClient(this));

    /// <summary>The first attempt reaches the service, its answer does not come back.</summary>
    public static async Task<HttpResponseMessage> LoseFirstAnswer(int attempt, Func<Task<HttpResponseMessage>> send)
    {
        HttpResponseMessage answer = await send();
        return attempt == 1 ? throw new HttpRequestException("The connection was reset.") : answer;
    }

    /// <summary>The first attempt never reaches the service.</summary>
    public static Task<HttpResponseMessage> LoseFirstRequest(int attempt, Func<Task<HttpResponseMessage>> send) =>
        attempt == 1 ? throw new HttpRequestException("The connection was refused.") : send();

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        bool isWrite = request.Method != HttpMethod.Get
            && !request.RequestUri!.AbsolutePath.EndsWith("/Tables", StringComparison.Ordinal)
            && !request.RequestUri.Query.Contains("restype=container", StringComparison.Ordinal);
        return isWrite && OnWrite is { } hook ? hook(++Writes, () => base.SendAsync(request, cancellationToken)) : base.SendAsync(request, cancellationToken);
    }
}

/// <summary>A service that answers from a script instead of a server.</summary>
public sealed class ScriptedService(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
}
