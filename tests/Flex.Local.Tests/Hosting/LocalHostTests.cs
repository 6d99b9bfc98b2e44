using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Local.Runtime.Hosting;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Hosting;

public sealed class LocalHostTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private static readonly LocalHostOptions Memory = new(Port: 0, Clock: Instant.FromUtc(2025, 1, 1, 0, 0), Memory: true);

    [Fact]
    public async Task The_host_serves_flex_its_controls_and_its_simulators_over_http()
    {
        await using LocalHost host = await LocalHost.StartAsync(Memory, Cancel);
        using var client = new HttpClient { BaseAddress = host.Address };

        using HttpResponseMessage issued = await client.PostAsJsonAsync("/local/token", new { role = "staff" }, Cancel);
        string token = (string)(await issued.Content.ReadFromJsonAsync<JsonNode>(Cancel))!["token"]!;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

        Assert.True(host.Address.IsLoopback);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/locations", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/local/mail", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/elsewhere", Cancel)).StatusCode);
        using var toStripe = new HttpRequestMessage(HttpMethod.Get, "/local/stripe/v1/customers");
        toStripe.Headers.Authorization = new AuthenticationHeaderValue("Bearer", LocalModules.StripeKey);
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(toStripe, Cancel)).StatusCode);
    }

    [Fact]
    public async Task Settings_that_cannot_work_keep_the_host_from_starting_with_a_line_for_each()
    {
        string folder = Directory.CreateTempSubdirectory("flex-settings-").FullName;
        string file = Path.Combine(folder, "local.settings.json");
        await File.WriteAllTextAsync(file, """{"Values":{"Stripe__ApiKey":"sk_live_secret","Mail__Hots":"x","Quotes__SigningKey":""}}""", Cancel);
        try
        {
            LocalHostException refused = await Assert.ThrowsAsync<LocalHostException>(() => LocalHost.StartAsync(Memory with { SettingsFile = file }, Cancel));

            string[] lines = refused.Message.Split('\n');
            Assert.Equal("The settings cannot be used:", lines[0]);
            Assert.Equal(["Mail__Hots", "Stripe__ApiKey", "Stripe__WebhookSecret"], lines.Skip(1).Select(l => l.Trim().Split(' ')[0]).Order(StringComparer.Ordinal));
            Assert.DoesNotContain("sk_live_secret", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("{\"role\":\"staff\",\"memberId\":\"mbr_1\"}")]
    [InlineData("{\"role\":\"member\"}")]
    [InlineData("{\"role\":\"king\"}")]
    [InlineData("{\"rule\":\"staff\"}")]
    [InlineData("{}")]
    [InlineData("")]
    public async Task A_token_is_not_given_for_a_request_that_makes_no_sense(string body)
    {
        await using SampleWorld world = await SampleWorld.StartAsync();

        using HttpResponseMessage refused = await world.Client.PostAsync("/local/token", new StringContent(body), Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task On_real_time_the_clock_cannot_be_moved_and_says_so()
    {
        await using LocalHost host = await LocalHost.StartAsync(Memory with { Clock = null }, Cancel);
        using var client = new HttpClient { BaseAddress = host.Address };

        using HttpResponseMessage refused = await client.PostAsJsonAsync("/local/clock", new { advance = "P1D" }, Cancel);

        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("--clock", (string)(await refused.Content.ReadFromJsonAsync<JsonNode>(Cancel))!["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_one_clear_line()
    {
        await using LocalHost host = await LocalHost.StartAsync(Memory, Cancel);

        LocalHostException refused = await Assert.ThrowsAsync<LocalHostException>(
            () => LocalHost.StartAsync(Memory with { Port = host.Address.Port }, Cancel));

        Assert.Contains("--port", refused.Message, StringComparison.Ordinal);
    }
}
