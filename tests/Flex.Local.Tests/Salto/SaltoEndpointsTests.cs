using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Flex.Local.Simulators;
using Flex.Local.Simulators.Salto;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Flex.Local.Tests.Salto;

/// <summary>The simulator over HTTP, as a newcomer's own client meets it.</summary>
public sealed class SaltoEndpointsTests : IAsyncLifetime
{
    private readonly SaltoFaultQueue _faults = new();
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var simulator = new SaltoSimulator(new SaltoState(new JsonLinesJournal(null)), TimeProvider.System, new SaltoSimulatorOptions(), _faults);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapSalto(simulator);
        await _app.StartAsync(Ct);
        string address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _http = new HttpClient { BaseAddress = new Uri(address) };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task A_site_is_seeded_signed_in_to_and_read_over_http()
    {
        JsonElement site = await SeedAsync();
        string siteId = site.GetProperty("siteId").GetString()!;
        await SignInAsync();

        JsonElement users = await _http.GetFromJsonAsync<JsonElement>($"/local/salto/api/v1.2/sites/{siteId}/users", Ct);
        Assert.Equal("boss@flex.test", users[0].GetProperty("user").GetProperty("email").GetString());

        JsonElement facts = await _http.GetFromJsonAsync<JsonElement>("/local/salto/control/users", Ct);
        JsonElement boss = Assert.Single(facts.GetProperty("users").EnumerateArray().ToArray());
        Assert.Equal("subscribed", boss.GetProperty("subscriptionState").GetString());
        Assert.Equal(site.GetProperty("groups").GetProperty("members").GetString(), boss.GetProperty("groups")[0].GetString());
    }

    [Fact]
    public async Task Seeding_twice_changes_nothing()
    {
        JsonElement once = await SeedAsync();
        JsonElement twice = await SeedAsync();

        Assert.Equal(once.GetRawText(), twice.GetRawText());
        JsonElement facts = await _http.GetFromJsonAsync<JsonElement>("/local/salto/control/users", Ct);
        Assert.Equal(1, facts.GetProperty("users").GetArrayLength());
    }

    [Fact]
    public async Task A_broken_seed_is_400()
    {
        using var broken = new StringContent("{\"name\":", Encoding.UTF8, "application/json");

        Assert.Equal(HttpStatusCode.BadRequest, (await _http.PostAsync("/local/salto/control/sites", broken, Ct)).StatusCode);
    }

    [Fact]
    public async Task Faults_reach_an_http_client_as_statuses_and_broken_connections()
    {
        await SignInAsync();
        _faults.Add(SaltoFaultKind.TooManyRequests, pathContains: "/sites").Add(SaltoFaultKind.LostAnswer, pathContains: "/sites");

        HttpResponseMessage busy = await _http.GetAsync("/local/salto/api/v1.2/sites", Ct);
        Assert.Equal(HttpStatusCode.TooManyRequests, busy.StatusCode);
        Assert.NotNull(busy.Headers.RetryAfter);
        await Assert.ThrowsAsync<HttpRequestException>(() => _http.GetAsync("/local/salto/api/v1.2/sites", Ct));
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync("/local/salto/api/v1.2/sites", Ct)).StatusCode);
    }

    private async Task<JsonElement> SeedAsync()
    {
        HttpResponseMessage response = await _http.PostAsJsonAsync(
            "/local/salto/control/sites",
            new
            {
                name = "House",
                seats = 5,
                groups = new[] { "members" },
                users = new[] { new { email = "boss@flex.test", firstName = "Bea", lastName = "Boss", role = "site_owner", groups = new[] { "members" } } },
            },
            Ct);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Ct);
    }

    private async Task SignInAsync()
    {
        var options = new SaltoSimulatorOptions();
        using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "user_api.full_access")]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/local/salto/identity/connect/token") { Content = form };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.ClientId}:{options.ClientSecret}")));
        JsonElement token = await (await _http.SendAsync(request, Ct)).Content.ReadFromJsonAsync<JsonElement>(Ct);
        _http.DefaultRequestHeaders.Authorization = new("Bearer", token.GetProperty("access_token").GetString());
    }
}
