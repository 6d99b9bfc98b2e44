using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Messaging;
using Flex.Platform.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Flex.Functions.Tests.Platform.Telemetry;

public sealed class RedactionTests : IDisposable
{
    private const string Email = "zoe.washburn@serenity.example";
    private const string Name = "Zoe Washburn";
    private const string Card = "4242 4242 4242 4242";
    private const string Key = "sk_test_51HabcDEF";
    private const string Jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ6b2UifQ.c2lnbmF0dXJl";

    private static readonly string[] Secrets = [Email, Name, Card, Card.Replace(" ", "", StringComparison.Ordinal), Key, Jwt];

    private readonly ProbeBehaviour _probe = new();
    private readonly FunctionHarness _app;
    private readonly ILogger _log;

    public RedactionTests()
    {
        _app = new FunctionHarness(s => s.AddSingleton(_probe));
        _log = _app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("test");
    }

    public void Dispose() => _app.Dispose();

    public static TheoryData<string> Requests => ["defect", "transient", "format", "invalid", "malformed", "token", "headers", "id", "query"];

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task No_sink_ever_sees_what_a_request_carried(string kind)
    {
        string all = string.Join(' ', Secrets);
        string body = $$"""{"name":"{{Name}}","price":{"amount":"1","currency":"cad"},"startsAt":"2025-01-01T00:00:00Z","day":"2025-01-01","kind":"plain","lines":[]}""";
        _probe.Create = (request, _) =>
        {
            _log.LogInformation("Creating {Name} with {Request} and {Key}", request.Name, request, Key);
            return kind switch
            {
                "defect" => throw new DefectException($"Row of {Email} with {Card} is broken, token {Jwt}, key {Key}."),
                "transient" => throw new TransientFaultException("Provider busy.", new HttpRequestException($"POST with {Key} for {Email}")),
                "format" => throw new FormatException($"'{all}' is no date."),
                _ => ProbeBehaviour.View(request),
            };
        };

        Answer answer = kind switch
        {
            "malformed" => await _app.SendAsync("Probe_Create", "POST", "/api/v1/probes", body.Replace("\"plain\"", $"\"{all}\"", StringComparison.Ordinal)),
            "invalid" => await _app.SendAsync("Probe_Create", "POST", "/api/v1/probes", body.Replace("\"amount\":\"1\"", $"\"amount\":\"{all}\"", StringComparison.Ordinal)),
            "token" => await _app.SendAsync("Probe_Staff", "GET", "/api/v1/staff-probe", null, ("Authorization", "Bearer " + Jwt)),
            "headers" => await _app.SendAsync("Probe_Create", "POST", "/api/v1/probes", body, ("x-request-id", Email), ("Idempotency-Key", Key), ("Origin", Email)),
            "id" => await _app.SendAsync("Probe_Get", "GET", "/api/v1/probes/" + Uri.EscapeDataString(Email)),
            "query" => await _app.SendAsync("Probe_List", "GET", "/api/v1/probes?locationId=" + Uri.EscapeDataString(all)),
            _ => await _app.SendAsync("Probe_Create", "POST", "/api/v1/probes", body),
        };

        Assert.True(answer.Status >= 200);
        foreach (string secret in Secrets)
        {
            Assert.DoesNotContain(_app.Logs.Entries, e => e.Everything.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_entries_are_there_and_say_what_may_be_said()
    {
        _probe.Create = (request, _) =>
        {
            LocationId location = LocationId.FromValidated("loc_00000000000000000000000001");
            _log.LogInformation("Creating {Name} in {LocationId} for {Price}, {Count} times; {{literal}}", request.Name, location, request.Price, 3);
            throw new DefectException($"Row bkg_1 of {Email} is broken.");
        };

        await _app.SendAsync(
            "Probe_Create",
            "POST",
            "/api/v1/probes",
            $$"""{"name":"{{Name}}","price":{"amount":"14.98","currency":"cad"},"startsAt":"2025-01-01T00:00:00Z","day":"2025-01-01","kind":"plain","lines":[]}""",
            ("x-request-id", "req-7"));

        LogEntry info = Assert.Single(_app.Logs.Entries, e => e.Message.StartsWith("Creating", StringComparison.Ordinal));
        Assert.Equal("Creating [hidden] in loc_00000000000000000000000001 for 14.98 CAD, 3 times; {literal}", info.Message);
        Assert.Contains("flex.correlation_id=req-7", info.Values, StringComparison.Ordinal);
        LogEntry error = Assert.Single(_app.Logs.Entries, e => e.Level == LogLevel.Error);
        Assert.Contains("Flex.Kernel.DefectException: Row bkg_1 of [hidden] is broken.", error.Exception, StringComparison.Ordinal);
        Assert.Contains(nameof(ProbeFunctions), error.Exception, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Mail to a.b+c@sub.example.co.uk bounced", "Mail to [hidden] bounced")]
    [InlineData("GET /users?email=a.b%40example.com&x=1", "GET /users?email=[hidden]&x=1")]
    [InlineData("Authorization: Bearer abc.def", "Authorization: [hidden]")]
    [InlineData("key rk_live_9aZ and whsec_abc+/=", "key [hidden] and [hidden]")]
    [InlineData("secret pi_3N_secret_4x", "secret [hidden]")]
    [InlineData("GET /api/v1/calendar-feeds/feed_2Zb-x_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.ics", "GET /api/v1/calendar-feeds/[hidden].ics")]
    [InlineData("Endpoint=x;AccountKey=abc==;Suffix=y", "Endpoint=x;[hidden];Suffix=y")]
    [InlineData("GET https://x.blob.core.windows.net/exports/2026-11-22/a.gz?sp=r&sr=b&sig=aB%2Bc%3D&se=1", "GET https://x.blob.core.windows.net/exports/2026-11-22/a.gz?sp=r&sr=b&[hidden]&se=1")]
    [InlineData("card 4242-4242-4242-4242 declined", "card [hidden] declined")]
    [InlineData("card 378282246310005", "card [hidden]")]
    [InlineData("sequence 1234567890123456", "sequence 1234567890123456")]
    [InlineData("renewal-mem_01jq-20250101 in 17 ms", "renewal-mem_01jq-20250101 in 17 ms")]
    public void Texts_lose_what_looks_private_and_nothing_else(string text, string expected) => Assert.Equal(expected, LogScrubber.Text(text));

    [Fact]
    public void An_object_is_logged_by_its_type_only() =>
        Assert.Equal("[OutgoingMail]", LogScrubber.Value("Mail1", new Flex.Platform.Mail.OutgoingMail("1", Email, "s", "t")));

    [Fact]
    public void An_entry_outside_of_a_request_carries_no_correlation()
    {
        CorrelationScope.Set(null);
        _log.LogInformation("Plain");

        Assert.DoesNotContain("correlation", Assert.Single(_app.Logs.Entries, e => e.Message == "Plain").Values, StringComparison.Ordinal);
    }
}
