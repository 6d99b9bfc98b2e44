using Flex.Local.Demo;
using Flex.Local.Runtime.Hosting;
using Flex.Local.Runtime.Testing;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.EndToEnd.Tests.Support;

/// <summary>The local host on Azurite and simulated time, as <c>flex run</c> starts it, reached over sockets.</summary>
public sealed class TestHost : IAsyncDisposable
{
    public static readonly Instant Began = Instant.FromUtc(2025, 1, 1, 8, 0);

    private TestHost(LocalHost local, WorldLog log)
    {
        (Local, Log) = (local, log);
        Http = new HttpClient { BaseAddress = local.Address, Timeout = TimeSpan.FromMinutes(5) };
        Client = new FlexClient(Http, TimeProvider.System);
    }

    public LocalHost Local { get; }

    public WorldLog Log { get; }

    public HttpClient Http { get; }

    /// <summary>Requests that must succeed, with tokens for whoever makes them.</summary>
    public FlexClient Client { get; }

    /// <param name="settings">Settings beside the local defaults; without any the rate limits are ample.</param>
    public static async Task<TestHost> StartAsync(
        string data, CancellationToken cancellation, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var log = new WorldLog(LogLevel.Warning, isDead: () => false);
        LocalHost local = await LocalHost.StartAsync(
            new LocalHostOptions(0, data, Began)
            {
                Logging = logging => logging.AddProvider(log),
                Settings = settings ?? LocalSettings.AmpleRateLimits,
            },
            cancellation);
        return new TestHost(local, log);
    }

    /// <summary>Moves simulated time and waits until everything due is done.</summary>
    public Task AdvanceAsync(string period, CancellationToken cancellation) =>
        Client.PostAsync(string.Empty, "/local/clock", new System.Text.Json.Nodes.JsonObject { ["advance"] = period }, "clock", cancellation);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Local.DisposeAsync();
    }
}
