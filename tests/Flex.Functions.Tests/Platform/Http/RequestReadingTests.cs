using Flex.Kernel;
using Flex.Platform.Http;
using FluentValidation;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Flex.Functions.Tests.Platform.Http;

public sealed class RequestReadingTests : IDisposable
{
    private const string Good =
        """{"name":"A","price":{"amount":"14.98","currency":"cad"}"""
        + ""","startsAt":"2025-01-01T04:00:00-05:00","day":"2025-01-31","kind":"veryFancy","lines":[{"label":"x","count":1}]}""";

    private readonly ProbeBehaviour _probe = new();
    private readonly FunctionHarness _app;

    public RequestReadingTests() => _app = new FunctionHarness(s => s.AddSingleton(_probe).AddSingleton<IValidator<ProbeRequest>, ProbeValidator>());

    public void Dispose() => _app.Dispose();

    [Fact]
    public async Task A_good_request_is_answered_in_the_public_form()
    {
        Answer answer = await PostAsync(Good);

        Assert.Equal(201, answer.Status);
        Assert.Equal(
            """{"id":"loc_00000000000000000000000001","name":"A","price":{"amount":"14.98","currency":"cad"}"""
            + ""","startsAt":"2025-01-01T09:00:00Z","kind":"veryFancy","note":null,"version":7}""",
            answer.Body);
        Assert.Equal("/api/v1/probes/loc_00000000000000000000000001", answer.Headers.Location);
        Assert.Equal("\"7\"", answer.Headers.ETag);
        Assert.Equal("application/json; charset=utf-8", answer.Headers.ContentType);
    }

    [Theory]
    [InlineData("\"name\":\"A\"", "\"name\":null", 400, "malformed_request", "/name")]
    [InlineData("\"name\":\"A\"", "\"name\":5", 400, "malformed_request", "/name")]
    [InlineData("\"name\":\"A\"", "\"surname\":\"A\"", 400, "malformed_request", "/surname")]
    [InlineData("\"name\":\"A\"", "\"Name\":\"A\"", 400, "malformed_request", "/Name")]
    [InlineData("\"name\":\"A\",", "", 400, "malformed_request", "/name")]
    [InlineData(",\"count\":1", "", 400, "malformed_request", "/lines/0/count")]
    [InlineData("\"name\":\"A\"", "\"name\":\"A\",\"name\":\"B\"", 400, "malformed_request", "/name")]
    [InlineData("\"count\":1", "\"count\":\"1\"", 400, "malformed_request", "/lines/0/count")]
    [InlineData("\"count\":1", "\"count\":1.5", 400, "malformed_request", "/lines/0/count")]
    [InlineData("\"veryFancy\"", "1", 400, "malformed_request", "/kind")]
    [InlineData("\"veryFancy\"", "\"VeryFancy\"", 400, "malformed_request", "/kind")]
    [InlineData("\"veryFancy\"", "\"plain, veryFancy\"", 400, "malformed_request", "/kind")]
    [InlineData("\"14.98\"", "14.98", 400, "malformed_request", "/price/amount")]
    [InlineData("\"cad\"", "\"xxx\"", 400, "malformed_request", "/price/currency")]
    [InlineData("\"cad\"", "\"cad\",\"note\":1", 400, "malformed_request", "/price/note")]
    [InlineData("-05:00", "", 400, "malformed_request", "/startsAt")]
    [InlineData("2025-01-31", "2025-02-31", 400, "malformed_request", "/day")]
    [InlineData("}]}", "}],\"planId\":\"bkg_1\"}", 400, "malformed_request", "/planId")]
    [InlineData("}]}", "},null]}", 400, "malformed_request", null)]
    [InlineData("}]}", "}", 400, "malformed_request", null)]
    [InlineData("\"14.98\"", "\"14.987\"", 422, "invalid_value", "/price")]
    [InlineData("\"name\":\"A\"", "\"name\":\"\"", 422, "invalid_value", "/name")]
    [InlineData("\"count\":1", "\"count\":0", 422, "invalid_value", "/lines/0/count")]
    [InlineData("2025-01-01T04", "2023-01-01T04", 422, "in_the_past", "/startsAt")]
    public async Task What_is_not_acceptable_is_named_with_status_code_and_place(string part, string instead, int status, string code, string? pointer)
    {
        bool reached = false;
        _probe.Create = (r, _) =>
        {
            reached = true;
            return ProbeBehaviour.View(r);
        };

        Answer answer = await PostAsync(Good.Replace(part, instead, StringComparison.Ordinal));

        Assert.Equal((status, code), (answer.Status, answer.Code));
        Assert.Equal(pointer, pointer is null ? null : answer.Pointer ?? string.Empty);
        Assert.Equal("application/problem+json", answer.Headers.ContentType);
        Assert.False(reached);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{} {}")]
    public async Task A_body_that_is_no_object_is_malformed(string body)
    {
        Answer answer = await PostAsync(body);

        Assert.Equal((400, "malformed_request"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Deep_nesting_is_malformed()
    {
        Answer answer = await PostAsync(Good.Replace("\"A\"", new string('[', 100_000), StringComparison.Ordinal));

        Assert.Equal((400, "malformed_request"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Another_media_type_is_refused()
    {
        Answer answer = await _app.SendAsync("Probe_Create", "POST", "/api/v1/probes", Good, ("Content-Type", "text/plain"));

        Assert.Equal((415, "unsupported_media_type"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_is_refused_with_and_without_its_length(bool chunked)
    {
        string body = Good.Replace("\"A\"", $"\"{new string('a', RequestBody.MaxBytes)}\"", StringComparison.Ordinal);

        Answer answer = await _app.SendAsync("Probe_Create", "POST", "/api/v1/probes", body, chunked ? [("Transfer-Encoding", "chunked")] : []);

        Assert.Equal((413, "body_too_large"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task An_operation_without_a_body_takes_none()
    {
        (string, string)[] headers = [("Idempotency-Key", "k"), ("If-Match", "\"1\"")];

        Answer empty = await _app.SendAsync("Probe_Charge", "POST", "/api/v1/probes/loc_00000000000000000000000001/charge", null, headers);
        Answer braces = await _app.SendAsync("Probe_Charge", "POST", "/api/v1/probes/loc_00000000000000000000000001/charge", " {} ", headers);
        Answer body = await _app.SendAsync("Probe_Charge", "POST", "/api/v1/probes/loc_00000000000000000000000001/charge", """{"a":1}""", headers);

        Assert.Equal((200, 200, 400), (empty.Status, braces.Status, body.Status));
    }

    [Theory]
    [InlineData(null, "\"1\"", "idempotency_key_required")]
    [InlineData("k", null, "if_match_required")]
    [InlineData("a b", "\"1\"", "malformed_request")]
    [InlineData("ü", "\"1\"", "malformed_request")]
    [InlineData("k", "1", "malformed_request")]
    public async Task Needed_headers_are_asked_for(string? key, string? ifMatch, string code)
    {
        (string, string)[] headers = [.. new[] { ("Idempotency-Key", key), ("If-Match", ifMatch) }.Where(h => h.Item2 is not null).Select(h => (h.Item1, h.Item2!))];

        Answer answer = await _app.SendAsync("Probe_Charge", "POST", "/api/v1/probes/loc_00000000000000000000000001/charge", null, headers);

        Assert.Equal((400, code), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_stale_if_match_is_412_and_the_current_one_passes()
    {
        _probe.Get = (_, context) => context.CheckIfMatch(7) is { } stale ? stale : ProbeBehaviour.View(null);

        Answer stale = await ChargeAsync("\"6\"");
        Answer weak = await ChargeAsync("W/\"7\"");
        Answer current = await ChargeAsync("\"6\", \"7\"");
        Answer any = await ChargeAsync("*");

        Assert.Equal((412, "stale"), (stale.Status, stale.Code));
        Assert.Equal((412, 200, 200), (weak.Status, current.Status, any.Status));
    }

    [Theory]
    [InlineData("loc_1")]
    [InlineData("bkg_00000000000000000000000001")]
    [InlineData("loc_0000000000000000000000000U")]
    [InlineData("%2e%2e%2fsecrets")]
    public async Task A_route_text_that_is_no_id_of_the_kind_is_not_found(string id)
    {
        Answer answer = await _app.SendAsync("Probe_Get", "GET", "/api/v1/probes/" + id);

        Assert.Equal((404, "not_found"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task An_unchanged_thing_is_304_without_a_body()
    {
        Answer same = await _app.SendAsync("Probe_Get", "GET", "/api/v1/probes/loc_00000000000000000000000001", null, ("If-None-Match", "\"7\""));
        Answer other = await _app.SendAsync("Probe_Get", "GET", "/api/v1/probes/loc_00000000000000000000000001", null, ("If-None-Match", "\"6\""));

        Assert.Equal((304, string.Empty), (same.Status, same.Body));
        Assert.Equal(200, other.Status);
    }

    private Task<Answer> PostAsync(string body) => _app.SendAsync("Probe_Create", "POST", "/api/v1/probes", body);

    private Task<Answer> ChargeAsync(string ifMatch) => _app.SendAsync(
        "Probe_Charge", "POST", "/api/v1/probes/loc_00000000000000000000000001/charge", null, ("Idempotency-Key", "k"), ("If-Match", ifMatch));
}
