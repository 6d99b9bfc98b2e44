using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Flex.Functions.Tests.Platform.Http;

public sealed class MiddlewareTests : IDisposable
{
    private const string Path = "/api/v1/probes/loc_00000000000000000000000001";
    private readonly ProbeBehaviour _probe = new();
    private readonly FunctionHarness _app;

    public MiddlewareTests() => _app = new FunctionHarness(s => s.AddSingleton(_probe), new() { ["Cors:Origins:0"] = "https://app.example.com" });

    public void Dispose() => _app.Dispose();

    [Fact]
    public async Task A_fault_of_a_dependency_is_503_and_says_when_to_repeat()
    {
        _probe.Get = (_, _) => throw new TransientFaultException("table host 10.0.0.5 is busy");

        Answer answer = await _app.SendAsync("Probe_Get", "GET", Path);

        Assert.Equal((503, "unavailable", "5"), (answer.Status, answer.Code, answer.Headers.RetryAfter.ToString()));
        Assert.DoesNotContain("10.0.0.5", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_defect_is_500_without_detail_and_an_error_in_the_log()
    {
        _probe.Get = (_, _) => throw new DefectException("row 17 is inconsistent");

        Answer answer = await _app.SendAsync("Probe_Get", "GET", Path, null, ("x-request-id", "abc-1"));

        Assert.Equal((500, "internal"), (answer.Status, answer.Code));
        Assert.DoesNotContain("row 17", answer.Body, StringComparison.Ordinal);
        Assert.Equal("abc-1", (string?)answer.Json["requestId"]);
        Assert.Contains(_app.Logs.Entries, e => e.Level == LogLevel.Error && e.Exception!.Contains("row 17", StringComparison.Ordinal));
        Assert.Null(answer.Headers.ETag.FirstOrDefault());
        Assert.Equal("nosniff", answer.Headers.XContentTypeOptions);
    }

    [Theory]
    [InlineData(413, "body_too_large")]
    [InlineData(400, "malformed_request")]
    public async Task What_the_server_cannot_read_is_the_callers_fault(int status, string code)
    {
        _probe.Get = (_, _) => throw new BadHttpRequestException("secret detail", status);

        Answer answer = await _app.SendAsync("Probe_Get", "GET", Path);

        Assert.Equal((status, code), (answer.Status, answer.Code));
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_carries_its_extensions()
    {
        _probe.Get = (_, _) => new Error(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "Declined.")
        {
            Extensions = new Dictionary<string, object?> { ["declineCode"] = "insufficient_funds" },
        };

        Answer answer = await _app.SendAsync("Probe_Get", "GET", Path, null, ("x-request-id", "r1"));

        Assert.Equal(402, answer.Status);
        Assert.Equal(
            """{"type":"urn:flex:problem:payment_failed","title":"The payment was declined; declineCode says why.","status":402"""
            + ""","code":"payment_failed","detail":"Declined.","errors":[],"requestId":"r1","declineCode":"insufficient_funds"}""",
            answer.Body);
    }

    [Theory]
    [InlineData("x-request-id", "abc.DEF_1-2", "abc.DEF_1-2")]
    [InlineData("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c")]
    public async Task A_request_keeps_the_id_it_came_with(string header, string value, string expected)
    {
        string? inside = null;
        _probe.Get = (_, context) =>
        {
            inside = $"{context.CorrelationId} {CorrelationScope.Current}";
            return ProbeBehaviour.View(null);
        };

        Answer answer = await _app.SendAsync("Probe_Get", "GET", Path, null, (header, value));

        Assert.Equal(expected, answer.Headers["x-request-id"]);
        Assert.Equal($"{expected} {expected}", inside);
    }

    [Theory]
    [InlineData("x-request-id", "a b")]
    [InlineData("x-request-id", "alice@example.com")]
    [InlineData("x-request-id", "")]
    [InlineData("traceparent", "00-XYZ")]
    public async Task A_request_id_of_another_form_is_replaced(string header, string value)
    {
        Answer answer = await _app.SendAsync("Probe_Get", "GET", Path, null, (header, value));

        Assert.StartsWith("req_", answer.Headers["x-request-id"].ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://app.example.com", "https://app.example.com")]
    [InlineData("https://evil.example.com", null)]
    [InlineData("https://app.example.com.evil.example", null)]
    [InlineData("null", null)]
    public async Task Only_configured_origins_are_answered(string origin, string? allowed)
    {
        Answer simple = await _app.SendAsync("Probe_Get", "GET", Path, null, ("Origin", origin));
        Answer preflight = await _app.SendAsync("zz_NotFound", "OPTIONS", Path, null, ("Origin", origin), ("Access-Control-Request-Method", "GET"));

        Assert.Equal(allowed, simple.Headers.AccessControlAllowOrigin.FirstOrDefault());
        Assert.Equal(204, preflight.Status);
        Assert.Equal(allowed, preflight.Headers.AccessControlAllowOrigin.FirstOrDefault());
        Assert.Equal(allowed is null ? null : "GET", preflight.Headers.AccessControlAllowMethods.FirstOrDefault());
        Assert.Equal("Origin", simple.Headers.Vary);
    }

    [Fact]
    public async Task An_unknown_path_is_404_and_a_wrong_method_405_with_those_that_exist()
    {
        Answer unknown = await _app.SendAsync("zz_NotFound", "GET", "/api/v1/nowhere");
        Answer wrong = await _app.SendAsync("zz_NotFound", "DELETE", "/api/v1/probes");
        Answer outside = await _app.SendAsync("zz_NotFound", "GET", "/v1/probes");

        Assert.Equal((404, "not_found"), (unknown.Status, unknown.Code));
        Assert.Equal((405, "method_not_allowed", "GET, POST"), (wrong.Status, wrong.Code, wrong.Headers.Allow.ToString()));
        Assert.Equal(404, outside.Status);
    }

    [Fact]
    public async Task What_is_not_http_passes_straight_on()
    {
        int passed = 0;
        foreach (Type type in FlexApp.Middleware)
        {
            var middleware = (IFunctionsWorkerMiddleware)_app.Services.GetRequiredService(type);
            Task task = middleware.Invoke(new FakeFunctionContext("Renewal_v1", null, _app.Services), _ =>
            {
                passed++;
                return Task.CompletedTask;
            });
            Assert.True(task.IsCompletedSuccessfully);
            await task;
        }

        Assert.Equal(FlexApp.Middleware.Count, passed);
    }

    [Fact]
    public void The_catch_all_sorts_after_every_other_function()
    {
        FunctionCatalog catalog = new(typeof(FlexApp).Assembly);

        Assert.True(FunctionCatalog.IsCatchAll(catalog.Entries[^1]));
        Assert.Single(catalog.Entries, FunctionCatalog.IsCatchAll);
    }
}
