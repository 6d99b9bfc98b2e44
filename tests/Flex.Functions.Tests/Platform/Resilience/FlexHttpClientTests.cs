using System.Net;
using Flex.Platform.Resilience;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using Xunit;

namespace Flex.Functions.Tests.Platform.Resilience;

public sealed class FlexHttpClientTests
{
    private readonly FakeTimeProvider _business = new();
    private readonly AutoAdvancingTime _network = new();

    [Theory]
    [InlineData("GET", false, 4)]
    [InlineData("POST", true, 4)]
    [InlineData("POST", false, 1)]
    [InlineData("DELETE", false, 1)]
    public async Task Only_what_is_safe_to_repeat_is_repeated(string method, bool hasKey, int attempts)
    {
        var server = new Server((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable)));
        using HttpClient client = Client(server);
        using var request = new HttpRequestMessage(new HttpMethod(method), "http://provider/x");
        if (hasKey)
        {
            request.Headers.Add(FlexHttpClients.IdempotencyKeyHeader, "key-1");
        }

        using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, attempts), (answer.StatusCode, server.Attempts));
        Assert.Equal(default, _business.GetUtcNow() - _business.Start);
    }

    [Fact]
    public void Redirects_are_not_followed()
    {
        using ServiceProvider provider = new ServiceCollection().AddFlexHttpClient("plain").Services.BuildServiceProvider();

        HttpMessageHandler handler = provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("plain");
        while (handler is DelegatingHandler { InnerHandler: { } inner })
        {
            handler = inner;
        }

        Assert.False(Assert.IsType<SocketsHttpHandler>(handler).AllowAutoRedirect);
    }

    [Fact]
    public async Task A_refusal_is_not_repeated()
    {
        var server = new Server((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.PaymentRequired)));
        using HttpClient client = Client(server);

        using HttpResponseMessage answer = await client.GetAsync(new Uri("http://provider/x"), TestContext.Current.CancellationToken);

        Assert.Equal(1, server.Attempts);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_after_the_attempts_time()
    {
        var server = new Server(async (_, cancellation) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _network, cancellation);
            throw new InvalidOperationException();
        });
        using HttpClient client = Client(server, new OutgoingLimits { Retries = 0 });

        Task<HttpResponseMessage> call = client.GetAsync(new Uri("http://provider/x"), TestContext.Current.CancellationToken);
        _network.Advance(new OutgoingLimits().AttemptTimeout);
        Exception fault = await Assert.ThrowsAsync<TimeoutRejectedException>(() => call);

        Assert.True(FlexHttpClients.IsNetworkFault(fault));
        Assert.False(FlexHttpClients.IsNotSent(fault));
    }

    [Fact]
    public async Task A_provider_that_keeps_failing_is_left_alone_for_a_while()
    {
        var server = new Server((_, _) => throw new HttpRequestException("refused"));
        using HttpClient client = Client(server, new OutgoingLimits { Retries = 0 });
        for (int i = 0; i < 10; i++)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://provider/x"), TestContext.Current.CancellationToken));
        }

        Exception broken = await Assert.ThrowsAsync<BrokenCircuitException>(
            () => client.GetAsync(new Uri("http://provider/x"), TestContext.Current.CancellationToken));
        int whileOpen = server.Attempts;
        _network.Advance(new OutgoingLimits().BreakDuration);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://provider/x"), TestContext.Current.CancellationToken));

        Assert.True(FlexHttpClients.IsNotSent(broken));
        Assert.Equal((10, 11), (whileOpen, server.Attempts));
    }

    [Fact]
    public async Task No_more_calls_are_under_way_at_once_than_allowed()
    {
        var gate = new TaskCompletionSource();
        var server = new Server(async (_, _) =>
        {
            await gate.Task;
            return new HttpResponseMessage(HttpStatusCode.OK);
        });
        using HttpClient client = Client(server, new OutgoingLimits { Concurrency = 2, Queue = 1 });
        Task<HttpResponseMessage>[] calls = [.. Enumerable.Range(0, 3).Select(_ => client.GetAsync(new Uri("http://provider/x"), TestContext.Current.CancellationToken))];

        await Assert.ThrowsAsync<Polly.RateLimiting.RateLimiterRejectedException>(
            () => client.GetAsync(new Uri("http://provider/x"), TestContext.Current.CancellationToken));
        int underWay = server.Attempts;
        gate.SetResult();
        await Task.WhenAll(calls);

        Assert.Equal((2, 3), (underWay, server.Attempts));
    }

    private HttpClient Client(HttpMessageHandler server, OutgoingLimits? limits = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_business);
        services.AddKeyedSingleton<TimeProvider>(NetworkTime.Key, _network);
        services.AddFlexHttpClient("provider", limits).ConfigurePrimaryHttpMessageHandler(() => server);
        return services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient("provider");
    }

    private sealed class Server(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        private int _attempts;

        public int Attempts => _attempts;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _attempts);
            return answer(request, cancellationToken);
        }
    }

    /// <summary>A clock on which every wait is over as soon as it is asked for, so that a test never waits.</summary>
    private sealed class AutoAdvancingTime : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime > TimeSpan.Zero && dueTime < TimeSpan.FromSeconds(10))
            {
                Advance(dueTime);
            }

            return timer;
        }
    }
}
