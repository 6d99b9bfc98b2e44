using System.Diagnostics;
using System.Text.Json.Nodes;
using Flex.Local.Audit;
using Flex.Local.Demo;
using Flex.Local.Runtime.Testing;
using Flex.Local.Simulators.Stripe;
using NodaTime;

[assembly: Xunit.AssemblyFixture(typeof(Flex.EndToEnd.Tests.Support.UndisturbedDemo))]

namespace Flex.EndToEnd.Tests.Support;

/// <summary>What a run of the demo left.</summary>
/// <param name="State">The script's digest of the final state.</param>
/// <param name="Payments">What the gateway has taken, in order of amount.</param>
/// <param name="Answers">When each answer came, since the start of the script.</param>
/// <param name="Data">The data directory it has left, which no host runs on any more.</param>
/// <param name="EndedAt">By the demo's own clock.</param>
public sealed record DemoRun(
    JsonObject State,
    IReadOnlyList<string> Payments,
    AuditReport Audit,
    IReadOnlyList<WorldLogEntry> Errors,
    IReadOnlyList<TimeSpan> Answers,
    string Data,
    Instant EndedAt);

/// <summary>One run of the demo that nothing disturbs, made when the first test asks for it.</summary>
public sealed class UndisturbedDemo : IDisposable
{
    private readonly TemporaryDirectory _data = new();
    private readonly Lazy<Task<DemoRun>> _run;

    public UndisturbedDemo() => _run = new(() => PlayAsync(_data.Path));

    public Task<DemoRun> RunAsync() => _run.Value;

    /// <summary>Money that moved, without ids: a killed run makes others.</summary>
    public static IReadOnlyList<string> PaymentsOf(StripeAudit stripe) =>
        [.. stripe.PaymentIntents.Where(i => i.Status == "succeeded").Select(i => $"{i.AmountReceived:D8} {i.Currency}").Order(StringComparer.Ordinal)];

    public void Dispose() => _data.Dispose();

    private static async Task<DemoRun> PlayAsync(string data)
    {
        await using TestHost host = await TestHost.StartAsync(data, CancellationToken.None);
        using var progress = new ProgressHandler();
        using var http = new HttpClient(progress) { BaseAddress = host.Local.Address, Timeout = TimeSpan.FromMinutes(10) };
        var clock = Stopwatch.StartNew();
        var answers = new List<TimeSpan>();
        progress.Answered += () =>
        {
            lock (answers)
            {
                answers.Add(clock.Elapsed);
            }
        };
        JsonObject state = await new DemoScript(new FlexClient(http, TimeProvider.System), new SilentDisplay()).PlayAsync(CancellationToken.None);
        AuditReport audit = await HostAudit.RunAsync(host.Local.Runtime.Services, atRest: true, CancellationToken.None);
        return new DemoRun(
            state, PaymentsOf(StripeAudit.Find(data)!), audit, host.Log.Errors, answers, data, host.Local.Runtime.Scheduler.Now);
    }
}

/// <summary>Tells when an answer has come; 503 and broken connections are none.</summary>
public sealed class ProgressHandler() : DelegatingHandler(new SocketsHttpHandler())
{
    public event Action? Answered;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode != System.Net.HttpStatusCode.ServiceUnavailable)
        {
            Answered?.Invoke();
        }

        return response;
    }
}

/// <summary>The demo without an audience.</summary>
public sealed class SilentDisplay : IDemoDisplay
{
    public void Step(int number, string title)
    {
    }

    public void Fact(string text)
    {
    }

    public void Held(string expectation)
    {
    }

    public void Clock(Instant now)
    {
    }

    public void Done()
    {
    }
}
