using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Functions.Tests.Payments;
using Flex.Kernel;
using Flex.Local.Runtime.Testing;
using Flex.Payments;
using Flex.Platform.Health;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flex.Functions.Tests.Platform.Health;

/// <summary>Live asks nothing; ready names each dependency that does not answer, in time, and says nothing else about it.</summary>
public sealed class ReadinessTests : IDisposable
{
    private const string Secret = "sk_live_51Hleak at 10.0.0.7:5671";

    private readonly FakeTimeProvider _network = new();
    private readonly Probe[] _probes = [new(Dependencies.Storage), new(Dependencies.Queue), new(Dependencies.Payments)];
    private readonly Readiness _readiness;

    public ReadinessTests() => _readiness = new Readiness(_probes, _network, NullLogger<Readiness>.Instance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _readiness.Dispose();

    [Fact]
    public async Task When_everything_answers_the_service_is_ready()
    {
        Assert.Equal("healthy", (await AskAsync()).Value!.Status);
        Assert.All(_probes, p => Assert.Equal(1, p.Asked));
    }

    [Theory]
    [InlineData(Dependencies.Storage)]
    [InlineData(Dependencies.Queue)]
    [InlineData(Dependencies.Payments)]
    [InlineData(Dependencies.Payments, Dependencies.Storage)]
    public async Task What_fails_is_named_and_nothing_else(params string[] failing)
    {
        foreach (Probe probe in _probes.Where(p => failing.Contains(p.Dependency)))
        {
            probe.Answer = _ => throw new InvalidOperationException(Secret);
        }

        Error error = (await AskAsync()).Error!;

        Assert.Equal((503, ErrorCodes.Unavailable), (error.Status, error.Code));
        Assert.Equal(failing, Named(error));
        Assert.Equal($"Not answering: {string.Join(", ", failing)}.", error.Detail);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_hangs_is_given_up_after_the_limit_while_the_others_are_asked(bool obeysItsToken)
    {
        _probes[1].Answer = token => Task.Delay(Timeout.InfiniteTimeSpan, obeysItsToken ? token : CancellationToken.None);

        Task<Reply<HealthView>> pending = AskAsync();
        Assert.All(_probes, p => Assert.Equal(1, p.Asked));
        _network.Advance(Readiness.Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(pending.IsCompleted);
        _network.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal([Dependencies.Queue], Named((await pending).Error!));
        Assert.True(_probes[1].Token.IsCancellationRequested);
    }

    [Fact]
    public async Task However_many_ask_a_dependency_is_called_once_in_a_while()
    {
        _probes[0].Answer = _ => throw new TransientFaultException("down");

        Reply<HealthView>[] replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => AskAsync()));
        _network.Advance(Readiness.Lifetime.ToTimeSpan() - TimeSpan.FromMilliseconds(1));
        await AskAsync();
        Assert.All(replies, r => Assert.Equal(503, r.Error!.Status));
        Assert.All(_probes, p => Assert.Equal(1, p.Asked));

        _probes[0].Answer = _ => Task.CompletedTask;
        _network.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Null((await AskAsync()).Error);
        Assert.All(_probes, p => Assert.Equal(2, p.Asked));
    }

    [Fact]
    public async Task A_caller_that_hangs_up_does_not_make_the_next_one_ask_again()
    {
        using var caller = new CancellationTokenSource();
        var answer = new TaskCompletionSource();
        _probes[2].Answer = _ => answer.Task;
        Task<Reply<HealthView>> first = _readiness.HandleAsync(RequestContext.For(Caller.Anonymous), caller.Token);
        await caller.CancelAsync();

        Task<Reply<HealthView>> second = AskAsync();
        answer.SetResult();

        Assert.Null((await second).Error);
        await first;
        Assert.Equal(1, _probes[2].Asked);
    }

    [Fact]
    public async Task Without_a_gateway_payments_are_not_a_fault()
    {
        var gateway = new FakeGateway { Down = true };
        var check = new PaymentsReadiness(gateway);
        await Assert.ThrowsAsync<TransientFaultException>(() => check.CheckAsync(Cancellation));

        gateway.IsConnected = false;

        await check.CheckAsync(Cancellation);
    }

    [Fact]
    public async Task The_app_checks_storage_queue_and_payments_and_tells_a_stranger_no_more()
    {
        var door = new Probe("door");
        await using FlexWorld world = await FlexWorld.StartAsync(new FlexWorldOptions { Services = s => s.AddSingleton<IReadinessCheck>(door) });
        using HttpClient stranger = world.Anonymous();
        Assert.Equal(
            ["door", Dependencies.Payments, Dependencies.Queue, Dependencies.Storage],
            world.Services.GetServices<IReadinessCheck>().Select(c => c.Dependency).Order(StringComparer.Ordinal));
        Assert.Equal("healthy", (string?)(await stranger.GetFromJsonAsync<JsonObject>("/api/v1/health/ready", Cancellation))!["status"]);

        door.Answer = _ => throw new TransientFaultException(Secret);
        using HttpResponseMessage cached = await stranger.GetAsync("/api/v1/health/ready", Cancellation);
        await world.AdvanceAsync(NodaTime.Duration.FromMinutes(1));
        using HttpResponseMessage unready = await stranger.GetAsync("/api/v1/health/ready", Cancellation);
        using HttpResponseMessage live = await stranger.GetAsync("/api/v1/health", Cancellation);
        string body = await unready.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal((200, 503, 200), ((int)cached.StatusCode, (int)unready.StatusCode, (int)live.StatusCode));
        Assert.Equal(["door"], JsonNode.Parse(body)!["dependencies"]!.AsArray().Select(n => (string)n!));
        Assert.DoesNotContain("sk_live", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Live_costs_no_storage_call()
    {
        await using FlexWorld world = await FlexWorld.StartAsync();
        using HttpClient stranger = world.Anonymous();
        using StorageCallScope calls = StorageCalls.Measure();

        using HttpResponseMessage live = await stranger.GetAsync("/api/v1/health", Cancellation);

        Assert.Equal((200, 0), ((int)live.StatusCode, calls.Count));
    }

    private Task<Reply<HealthView>> AskAsync() => _readiness.HandleAsync(RequestContext.For(Caller.Anonymous), Cancellation);

    private static IReadOnlyList<string> Named(Error error) => (IReadOnlyList<string>)error.Extensions!["dependencies"]!;

    private sealed class Probe(string dependency) : IReadinessCheck
    {
        public string Dependency => dependency;

        public Func<CancellationToken, Task> Answer { get; set; } = _ => Task.CompletedTask;

        public int Asked { get; private set; }

        public CancellationToken Token { get; private set; }

        public Task CheckAsync(CancellationToken cancellation)
        {
            Asked++;
            Token = cancellation;
            return Answer(cancellation);
        }
    }
}
