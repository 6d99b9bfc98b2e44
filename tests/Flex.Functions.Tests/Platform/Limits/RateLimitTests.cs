using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Flex.Functions.Tests.Platform.Http;
using Flex.Functions.Tests.Platform.Messaging;
using Flex.Kernel;
using Flex.Local.Runtime.Hosting;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Flex.Platform.Messaging;
using Flex.Platform.Resilience;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Stripe;
using Xunit;

namespace Flex.Functions.Tests.Platform.Limits;

/// <summary>Limits as callers meet them, through our middleware; the wire's clock stands still unless it is moved.</summary>
public sealed class RateLimitTests : IDisposable
{
    private const string Probe = "/api/v1/probes/loc_00000000000000000000000001";
    private const string Secret = "whsec_limits";
    private readonly FakeTimeProvider _network = new();
    private readonly Tokens _tokens = new();
    private readonly RecordingPublisher _broker = new();
    private readonly FunctionHarness _app;

    public RateLimitTests() => _app = new FunctionHarness(
        s => s.AddMemoryStorage().AddSingleton(new ProbeBehaviour()).AddSingleton<ITokenValidator>(_tokens).AddSingleton<IMessagePublisher>(_broker)
            .AddKeyedSingleton<TimeProvider>(NetworkTime.Key, _network),
        new()
        {
            ["RateLimits:Reads:PerMinute"] = "7",
            ["RateLimits:Reads:Burst"] = "3",
            ["RateLimits:Refusals:PerMinute"] = "6",
            ["RateLimits:Refusals:Burst"] = "4",
            ["Stripe:WebhookSecret"] = Secret,
        });

    public void Dispose() => _app.Dispose();

    [Fact]
    public async Task Whoever_calls_too_often_gets_429_and_is_told_when_to_come_again()
    {
        Assert.Equal([200, 200, 200], await StaffAsync("alice", 3));

        Answer limited = await StaffAsync("alice");

        // A token comes back every 8.57 seconds.
        Assert.Equal((429, "rate_limited", "9"), (limited.Status, limited.Code, limited.Headers.RetryAfter.ToString()));
        Assert.Equal(Problem.ContentType, limited.Headers.ContentType);
        Assert.Equal("urn:flex:problem:rate_limited", (string?)limited.Json["type"]);
        Assert.Equal("nosniff", limited.Headers.XContentTypeOptions);
    }

    [Fact]
    public async Task Waiting_as_long_as_retry_after_says_is_enough_and_a_second_less_is_not()
    {
        await StaffAsync("alice", 3);
        int seconds = RetryAfter(await StaffAsync("alice"));
        _network.Advance(TimeSpan.FromSeconds(seconds - 1));
        Answer early = await StaffAsync("alice");
        _network.Advance(TimeSpan.FromSeconds(RetryAfter(early)));

        Assert.Equal((429, 1), (early.Status, RetryAfter(early)));
        Assert.Equal([200, 429], await StaffAsync("alice", 2));
    }

    [Fact]
    public async Task Each_caller_and_each_function_has_a_limit_of_its_own()
    {
        await StaffAsync("alice", 3);

        Assert.Equal(429, (await StaffAsync("alice")).Status);
        Assert.Equal(200, (await StaffAsync("bob")).Status);
        Assert.Equal(200, (await _app.SendAsync("Probe_OtherStaff", "GET", "/api/v1/other-staff-probe", null, Bearer("alice"))).Status);
    }

    [Fact]
    public async Task A_caller_with_a_token_is_the_same_from_every_address()
    {
        _app.Address = IPAddress.Parse("192.0.2.1");
        await StaffAsync("alice", 3);
        _app.Address = IPAddress.Parse("192.0.2.2");

        Assert.Equal(429, (await StaffAsync("alice")).Status);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("fe80::1%2", "fe80::1%3", true)]
    [InlineData(null, null, true)]
    [InlineData(null, "192.0.2.1", false)]
    public async Task Callers_without_a_token_are_told_apart_by_address_and_ipv6_by_its_64_bit_prefix(string? one, string? other, bool same)
    {
        _app.Address = one is null ? null : IPAddress.Parse(one);
        Assert.Equal([200, 200, 200, 429], await ProbesAsync(4));
        _app.Address = other is null ? null : IPAddress.Parse(other);

        Assert.Equal(same ? 429 : 200, (await ProbeAsync()).Status);
    }

    [Theory]
    [InlineData("X-Forwarded-For")]
    [InlineData("X-Real-IP")]
    [InlineData("X-Azure-ClientIP")]
    [InlineData("Forwarded")]
    public async Task An_address_in_a_header_helps_nobody(string header)
    {
        _app.Address = IPAddress.Parse("192.0.2.1");
        await ProbesAsync(3);

        Assert.Equal(429, (await ProbeAsync((header, "198.51.100.7"))).Status);
        Assert.Equal(429, (await ProbeAsync((header, "for=198.51.100.8"))).Status);
    }

    [Fact]
    public async Task An_address_without_acceptable_tokens_is_turned_away_before_they_are_looked_at()
    {
        _app.Address = IPAddress.Parse("192.0.2.1");
        List<int> statuses = [];
        for (int i = 0; i < 10; i++)
        {
            statuses.Add((await StaffAsync($"bad-{i}")).Status);
        }

        Assert.Equal([401, 401, 401, 401, 429, 429, 429, 429, 429, 429], statuses);
        Assert.Equal(4, _tokens.Validated);

        Answer good = await StaffAsync("alice");
        Assert.Equal((429, 10), (good.Status, RetryAfter(good)));
        _app.Address = IPAddress.Parse("192.0.2.2");
        Assert.Equal(200, (await StaffAsync("alice")).Status);
        _app.Address = IPAddress.Parse("192.0.2.1");
        _network.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal([200, 200], await StaffAsync("alice", 2));
    }

    [Fact]
    public async Task Bad_tokens_count_together_over_all_functions_and_not_at_all_against_anonymous_calls()
    {
        _app.Address = IPAddress.Parse("192.0.2.1");
        await StaffAsync("bad", 3);
        await _app.SendAsync("Probe_OtherStaff", "GET", "/api/v1/other-staff-probe", null, Bearer("bad"));

        Assert.Equal(429, (await StaffAsync("bad")).Status);
        Assert.Equal(200, (await ProbeAsync(Bearer("bad"))).Status);
    }

    [Fact]
    public async Task Where_the_address_is_not_known_bad_tokens_keep_no_good_one_out()
    {
        Assert.Equal([401, 401, 401, 401, 429], await StaffAsync("bad", 5));

        Assert.Equal(200, (await StaffAsync("alice")).Status);
    }

    [Fact]
    public async Task A_known_caller_without_the_role_is_limited_as_a_caller_and_its_address_is_not_turned_away()
    {
        _app.Address = IPAddress.Parse("192.0.2.1");

        Assert.Equal([403, 403, 403, 429, 429, 429], await StaffAsync("member", 6));
        Assert.Equal(200, (await StaffAsync("alice")).Status);
    }

    [Fact]
    public async Task Of_64_calls_at_once_exactly_the_burst_passes()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => StaffAsync("alice"))));

        Assert.Equal([(200, 3), (429, 61)], answers.CountBy(a => a.Status).OrderBy(c => c.Key).Select(c => (c.Key, c.Value)));
    }

    [Fact]
    public async Task Of_64_bad_tokens_at_once_exactly_the_burst_is_refused_as_such()
    {
        _app.Address = IPAddress.Parse("192.0.2.1");
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => StaffAsync($"bad-{i}"))));

        Assert.Equal([(401, 4), (429, 60)], answers.CountBy(a => a.Status).OrderBy(c => c.Key).Select(c => (c.Key, c.Value)));
    }

    [Fact]
    public async Task What_stripe_has_signed_is_never_limited_whoever_else_calls_from_there()
    {
        _app.Address = IPAddress.Parse("192.0.2.1");
        for (int i = 0; i < 20; i++)
        {
            await WebhookAsync("{}", "t=1,v1=00");
        }

        for (int i = 0; i < 500; i++)
        {
            string payload = $$$"""{"id":"evt_{{{i}}}","type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_1"} } }""";
            string signature = EventUtility.GenerateSignatureHeader(payload, Secret, _app.Time.GetUtcNow().ToUnixTimeSeconds());
            Assert.Equal(200, (await WebhookAsync(payload, signature)).Status);
        }

        Assert.Equal(500, _broker.All.Count);
    }

    [Fact]
    public async Task Bad_signatures_are_limited_by_address()
    {
        _app.Address = IPAddress.Parse("192.0.2.1");
        List<string?> codes = [];
        for (int i = 0; i < 6; i++)
        {
            codes.Add((await WebhookAsync("{}", $"t=1,v1=0{i}")).Code);
        }

        _app.Address = IPAddress.Parse("192.0.2.2");
        codes.Add((await WebhookAsync("{}", "t=1,v1=00")).Code);

        Assert.Equal(
            ["invalid_signature", "invalid_signature", "invalid_signature", "invalid_signature", "rate_limited", "rate_limited", "invalid_signature"], codes);
    }

    [Fact]
    public async Task Preflights_and_unknown_paths_are_not_limited()
    {
        _app.Address = IPAddress.Parse("192.0.2.1");
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal(204, (await _app.SendAsync("zz_NotFound", "OPTIONS", Probe)).Status);
        }
    }

    [Fact]
    public async Task Addresses_without_number_do_not_fill_the_memory_nor_keep_anyone_with_a_token_out()
    {
        var limits = _app.Services.GetRequiredService<CallLimits>();
        for (int i = 0; i < CallLimits.MaxCallers + 1_000; i++)
        {
            _app.Address = new IPAddress(BitConverter.GetBytes(i + 1));
            await ProbeAsync();
        }

        Assert.Equal(429, (await ProbeAsync()).Status);
        Assert.Equal([200, 200, 200, 429], await StaffAsync("alice", 4));
        Assert.Equal([200, 200, 200, 429], await StaffAsync("bob", 4));
        Assert.Equal(CallLimits.MaxCallers + 3, limits.Remembered);
    }

    private static (string Name, string Value) Bearer(string token) => ("Authorization", $"Bearer {token}");

    private static int RetryAfter(Answer answer) => int.Parse(answer.Headers.RetryAfter.ToString(), CultureInfo.InvariantCulture);

    private Task<Answer> StaffAsync(string token) => _app.SendAsync("Probe_Staff", "GET", "/api/v1/staff-probe", null, Bearer(token));

    private async Task<IReadOnlyList<int>> StaffAsync(string token, int times) => await RepeatAsync(() => StaffAsync(token), times);

    private Task<Answer> ProbeAsync(params (string Name, string Value)[] headers) => _app.SendAsync("Probe_Get", "GET", Probe, null, headers);

    private async Task<IReadOnlyList<int>> ProbesAsync(int times) => await RepeatAsync(() => ProbeAsync(), times);

    private static async Task<IReadOnlyList<int>> RepeatAsync(Func<Task<Answer>> call, int times)
    {
        var statuses = new List<int>();
        for (int i = 0; i < times; i++)
        {
            statuses.Add((await call()).Status);
        }

        return statuses;
    }

    private Task<Answer> WebhookAsync(string payload, string signature) => _app.SendBytesAsync(
        "Webhooks_Stripe", "POST", "/api/v1/webhooks/stripe", Encoding.UTF8.GetBytes(payload), ("Stripe-Signature", signature));

    /// <summary>The token is the name of who calls: <c>bad…</c> is refused, <c>member…</c> is a member, all others are staff.</summary>
    private sealed class Tokens : ITokenValidator
    {
        private readonly ConcurrentQueue<string?> _seen = [];

        public int Validated => _seen.Count;

        public Task<Result<Caller>> ValidateAsync(string? token, CancellationToken cancellation)
        {
            _seen.Enqueue(token);
            return Task.FromResult<Result<Caller>>(token switch
            {
                null or ['b', 'a', 'd', ..] => new Error(ErrorKind.Unauthenticated, ErrorCodes.Unauthenticated, "No."),
                ['m', 'e', 'm', ..] => new Caller(Role.Member, token, MemberId.FromValidated("mbr_00000000000000000000000001")),
                _ => new Caller(Role.Staff, token),
            });
        }
    }
}
