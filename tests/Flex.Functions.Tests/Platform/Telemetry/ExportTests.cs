using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Monitor.OpenTelemetry.Exporter;
using Flex.Functions.Tests.Platform.Http;
using Flex.Platform.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Xunit;

namespace Flex.Functions.Tests.Platform.Telemetry;

/// <summary>What leaves for Azure Monitor, as its exporter writes it: everything that happened, and no secret.</summary>
public sealed class ExportTests : IDisposable
{
    private const string Feed = "feed_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    private const string Email = "zoe.washburn@serenity.example";
    private const string Key = "sk_test_51HabcDEF";

    private static int _resources;

    private readonly Ingestion _ingestion = new();
    private readonly FunctionHarness _app;

    public ExportTests() => _app = App("0");

    public void Dispose()
    {
        _app.Dispose();
        _ingestion.Dispose();
    }

    [Fact]
    public void Nothing_but_traces_is_sampled_and_those_by_the_ratio_alone()
    {
        AzureMonitorExporterOptions options = _app.Services.GetRequiredService<IOptionsMonitor<AzureMonitorExporterOptions>>().CurrentValue;

        Assert.False(options.EnableTraceBasedLogsSampler);
        Assert.Null(options.TracesPerSecond);
        Assert.Equal(0, options.SamplingRatio);
        Assert.Equal(1, new TelemetrySettings().TraceSamplingRatio);
    }

    [Fact]
    public void Without_a_place_to_send_it_nothing_is_exported()
    {
        using var app = new FunctionHarness();

        Assert.Null(app.Services.GetService<TracerProvider>());
    }

    [Fact]
    public void What_tells_of_money_arrives_although_no_trace_is_kept()
    {
        TracerProvider traces = _app.Services.GetRequiredService<TracerProvider>();
        ILogger log = _app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("money");
        _app.Services.GetRequiredService<MeterProvider>();
        using var meter = new Meter("Flex.ExportTests");
        Counter<long> money = meter.CreateCounter<long>("flex.export.tests");
        Gauge<long> level = meter.CreateGauge<long>("flex.export.level");
        Histogram<long> age = meter.CreateHistogram<long>("flex.export.age", "s");
        using (Activity? span = FlexTelemetry.Source.StartActivity("billing payment.v1", ActivityKind.Consumer))
        {
            for (int i = 0; i < 100; i++)
            {
                log.LogInformation("Payment {No} is {State} for {Email}, {Key}.", i, "Succeeded", Email, Key);
            }

            money.Add(3, new KeyValuePair<string, object?>("state", "Succeeded"));
            level.Record(7);
            age.Record(1);
            age.Record(5);
        }

        Flush(traces);

        JsonObject[] items = _ingestion.Items();
        Assert.Equal(100, items.Count(i => Kind(i) == "MessageData" && Text(i).Contains("is Succeeded for [hidden]", StringComparison.Ordinal)));
        JsonNode counted = Metric(items, "flex.export.tests");
        Assert.Equal(3, (int)counted["metrics"]![0]!["value"]!);
        Assert.Equal("Succeeded", (string?)counted["properties"]!["state"]);
        Assert.Equal(7, (int)Metric(items, "flex.export.level")["metrics"]![0]!["value"]!);
        JsonNode ages = Metric(items, "flex.export.age")["metrics"]![0]!;
        Assert.Equal((6, 2, 1, 5), ((int)ages["value"]!, (int)ages["count"]!, (int)ages["min"]!, (int)ages["max"]!));
        Assert.DoesNotContain(items, i => Kind(i) == "RequestData");
        Assert.DoesNotContain(Email, _ingestion.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, _ingestion.Everything, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ActivityKind.Server, "RequestData")]
    [InlineData(ActivityKind.Client, "RemoteDependencyData")]
    public void No_span_carries_a_feeds_token_or_a_querys_secret(ActivityKind kind, string expected)
    {
        using FunctionHarness app = App("1");
        TracerProvider traces = app.Services.GetRequiredService<TracerProvider>();
        string path = $"/api/v1/calendar-feeds/{Feed}.ics";
        using (Activity span = FlexTelemetry.Source.StartActivity($"GET {path}", kind)!)
        {
            span.SetTag("http.request.method", "GET");
            span.SetTag("url.scheme", "https");
            span.SetTag("url.path", path);
            span.SetTag("url.query", $"?email={Email}");
            span.SetTag("url.full", $"https://flex.example{path}?sig=c2VjcmV0&email={Email}");
            span.SetTag("server.address", "flex.example");
            span.SetTag("error.type", Key);
            span.SetStatus(ActivityStatusCode.Error, $"for {Email}");
        }

        traces.ForceFlush();

        JsonObject item = Assert.Single(_ingestion.Items(), i => Kind(i) == expected && Text(i).Contains("calendar-feeds", StringComparison.Ordinal));
        Assert.Contains("calendar-feeds/[hidden]", Text(item), StringComparison.Ordinal);
        foreach (string secret in new[] { Feed, Email, Key, "c2VjcmV0" })
        {
            Assert.DoesNotContain(secret, _ingestion.Everything, StringComparison.Ordinal);
        }
    }

    private FunctionHarness App(string traceSamplingRatio)
    {
        // The exporter shares one connection among all that have the same key.
        string connection = $"InstrumentationKey=00000000-0000-0000-0000-{Interlocked.Increment(ref _resources):D12};IngestionEndpoint=https://ingestion.invalid/";
        var app = new FunctionHarness(
            services => services
                .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                    .AddInMemoryCollection([new("APPLICATIONINSIGHTS_CONNECTION_STRING", connection)]).Build())
                .PostConfigure<AzureMonitorExporterOptions>(o =>
                {
                    o.Transport = new HttpClientTransport(new HttpClient(_ingestion));
                    o.Credential = new FixedToken();
                    o.EnableLiveMetrics = false;
                    o.DisableOfflineStorage = true;
                }),
            new() { ["Telemetry:AzureMonitor"] = "true", ["Telemetry:TraceSamplingRatio"] = traceSamplingRatio });

        // The exporter joins the pipeline when the host starts.
        foreach (IHostedService service in app.Services.GetServices<IHostedService>())
        {
            service.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        }

        return app;
    }

    private void Flush(TracerProvider traces)
    {
        traces.ForceFlush();
        _app.Services.GetRequiredService<LoggerProvider>().ForceFlush();
        _app.Services.GetRequiredService<MeterProvider>().ForceFlush();
    }

    private static JsonNode Metric(JsonObject[] items, string name) => Assert.Single(
        items, i => Kind(i) == "MetricData" && (string?)i["data"]!["baseData"]!["metrics"]![0]!["name"] == name)["data"]!["baseData"]!;

    private static string Kind(JsonObject item) => (string)item["data"]!["baseType"]!;

    private static string Text(JsonObject item) => item.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private sealed class FixedToken : TokenCredential
    {
        private static readonly AccessToken Token = new("token", DateTimeOffset.MaxValue);

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => Token;

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => new(Token);
    }

    /// <summary>The service's end of the wire: keeps what it is sent.</summary>
    private sealed class Ingestion : HttpMessageHandler
    {
        private readonly StringBuilder _received = new();

        public string Everything
        {
            get
            {
                lock (_received)
                {
                    return _received.ToString();
                }
            }
        }

        public JsonObject[] Items() => [.. Everything.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await using Stream raw = await request.Content!.ReadAsStreamAsync(cancellationToken);
            await using Stream content = request.Content.Headers.ContentEncoding.Contains("gzip") ? new GZipStream(raw, CompressionMode.Decompress) : raw;
            using var reader = new StreamReader(content);
            string text = await reader.ReadToEndAsync(cancellationToken);
            int items = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
            lock (_received)
            {
                _received.Append(text).Append('\n');
            }

            return new HttpResponseMessage(HttpStatusCode.OK)
            {
                RequestMessage = request,
                Content = new StringContent($$"""{"itemsReceived":{{items}},"itemsAccepted":{{items}},"errors":[]}""", Encoding.UTF8, "application/json"),
            };
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync(request, cancellationToken).GetAwaiter().GetResult();
    }
}
