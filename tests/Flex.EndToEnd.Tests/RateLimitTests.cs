using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Xunit;

namespace Flex.EndToEnd.Tests;

/// <summary>Limits over sockets, with numbers small enough to be met.</summary>
public sealed class RateLimitTests
{
    private const string Feed = "/api/v1/calendar-feeds/feed_0000000000000000000000000000000000000000000.ics";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_calls_too_often_is_told_when_to_come_again_and_who_guesses_at_addresses_is_stopped()
    {
        using var data = new TemporaryDirectory();
        await using TestHost host = await TestHost.StartAsync(data.Path, Cancel, new Dictionary<string, string?>
        {
            ["RateLimits:Reads:PerMinute"] = "60",
            ["RateLimits:Reads:Burst"] = "2",
            ["RateLimits:Feeds:PerMinute"] = "1",
            ["RateLimits:Feeds:Burst"] = "3",
        });
        string staff = await TokenAsync(host, "staff");

        using HttpResponseMessage limited = await UntilLimitedAsync(host, staff);
        using HttpResponseMessage someoneElse = await GetAsync(host, "/api/v1/locations", await TokenAsync(host, "owner"));
        await Task.Delay(limited.Headers.RetryAfter!.Delta!.Value, TimeProvider.System, Cancel);
        using HttpResponseMessage again = await GetAsync(host, "/api/v1/locations", staff);

        Assert.Equal("application/problem+json", limited.Content.Headers.ContentType?.MediaType);
        Assert.Equal("rate_limited", (string?)JsonNode.Parse(await limited.Content.ReadAsStringAsync(Cancel))!["code"]);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (someoneElse.StatusCode, again.StatusCode));

        List<HttpStatusCode> guesses = [];
        for (int i = 0; i < 5; i++)
        {
            using HttpResponseMessage guess = await GetAsync(host, Feed, token: null, forwardedFor: $"198.51.100.{i}");
            guesses.Add(guess.StatusCode);
        }

        Assert.Equal([HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], guesses);
        Assert.Empty(host.Log.Errors);
    }

    /// <summary>A token comes back every second, so a slow machine gets more than the burst; never more than a few.</summary>
    private static async Task<HttpResponseMessage> UntilLimitedAsync(TestHost host, string token)
    {
        for (int calls = 0; calls < 100; calls++)
        {
            HttpResponseMessage answer = await GetAsync(host, "/api/v1/locations", token);
            if (answer.StatusCode == HttpStatusCode.TooManyRequests)
            {
                Assert.True(calls >= 2, "Limited before the burst was used up.");
                return answer;
            }

            answer.EnsureSuccessStatusCode();
            answer.Dispose();
        }

        throw new InvalidOperationException("Never limited.");
    }

    private static async Task<HttpResponseMessage> GetAsync(TestHost host, string path, string? token, string? forwardedFor = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        if (forwardedFor is not null)
        {
            request.Headers.Add("X-Forwarded-For", forwardedFor);
        }

        return await host.Http.SendAsync(request, Cancel);
    }

    private static async Task<string> TokenAsync(TestHost host, string role) =>
        (string)(await host.Client.PostAsync(string.Empty, "/local/token", new JsonObject { ["role"] = role }, "token", Cancel))["token"]!;
}
