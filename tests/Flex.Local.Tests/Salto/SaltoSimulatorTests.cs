using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Flex.Local.Simulators;
using Flex.Local.Simulators.Salto;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flex.Local.Tests.Salto;

public sealed class SaltoSimulatorTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.Parse("2025-01-01T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
    private readonly SaltoFaultQueue _faults = new();
    private readonly SaltoSimulatorOptions _options = new();
    private readonly SaltoSimulator _salto;
    private readonly HttpClient _http;
    private readonly SaltoSeeded _site;

    public SaltoSimulatorTests()
    {
        _salto = new SaltoSimulator(new SaltoState(new JsonLinesJournal(null)), _time, _options, _faults);
        _http = new HttpClient(new SaltoSimulatorHandler(_salto)) { BaseAddress = new Uri("http://salto.test/local/salto/") };
        _site = _salto.Control.Seed(new SaltoSiteSeed(
            "House",
            Seats: 2,
            ["Coworking", "Night"],
            [new SaltoUserSeed("boss@flex.test", "Bea", "Boss", SaltoUsersApi.OwnerRole, ["Coworking"])]));
    }

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_token_lasts_an_hour_and_needs_basic_authentication()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await _http.PostAsync("identity/connect/token", Form("client_credentials"), Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _http.GetAsync("api/v1.2/sites", Ct)).StatusCode);

        await SignInAsync();
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync("api/v1.2/sites", Ct)).StatusCode);

        _time.Advance(TimeSpan.FromSeconds(3601));
        Assert.Equal(HttpStatusCode.Unauthorized, (await _http.GetAsync("api/v1.2/sites", Ct)).StatusCode);
    }

    [Fact]
    public async Task The_password_grant_checks_the_service_account()
    {
        _http.DefaultRequestHeaders.Authorization = Basic();
        HttpResponseMessage wrong = await _http.PostAsync("identity/connect/token", Password("x"), Ct);
        HttpResponseMessage right = await _http.PostAsync("identity/connect/token", Password(_options.Password), Ct);

        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal("invalid_grant", (await JsonAsync(wrong)).GetProperty("error").GetString());
        Assert.Equal(3600, (await JsonAsync(right)).GetProperty("expires_in").GetInt32());
    }

    [Fact]
    public async Task The_readable_site_id_is_refused_with_1100_and_an_unknown_one_with_2202()
    {
        await SignInAsync();

        await RefusedAsync(await _http.GetAsync($"api/v1.2/sites/{_site.SiteUid}/users", Ct), HttpStatusCode.BadRequest, "1100");
        await RefusedAsync(await _http.GetAsync("api/v1.2/sites/00000000-0000-0000-0000-000000000000/users", Ct), HttpStatusCode.NotFound, "2202");
    }

    [Fact]
    public async Task Lists_come_as_bare_arrays_or_as_pages()
    {
        await SignInAsync();

        Assert.Equal(JsonValueKind.Array, (await JsonAsync(await GetAsync("users"))).ValueKind);
        JsonElement groups = await JsonAsync(await GetAsync("access_groups"));
        Assert.Equal(2, groups.GetProperty("items").GetArrayLength());
        Assert.Equal(2, groups.GetProperty("count").GetInt32());
        Assert.Equal(JsonValueKind.Null, groups.GetProperty("next_page_link").ValueKind);
    }

    [Fact]
    public async Task Users_are_addressed_by_site_user_id_and_group_members_by_platform_id()
    {
        await SignInAsync();
        (string siteUserId, string userId) = await CreateAsync("ann@flex.test");
        _time.Advance(TimeSpan.FromMinutes(1));
        string group = _site.Groups["Coworking"];

        await RefusedAsync(await GetAsync($"users/{userId}"), HttpStatusCode.NotFound, "2202");
        await RefusedAsync(await PostAsync($"access_groups/{group}/users", new { user_id = siteUserId }), HttpStatusCode.NotFound, "2202");
        Assert.Equal(HttpStatusCode.OK, (await PostAsync($"access_groups/{group}/users", new { user_id = userId })).StatusCode);
        Assert.Equal([group], _salto.Inspection.User(_site.SiteId, "ann@flex.test")!.Groups);

        await RefusedAsync(await DeleteAsync($"access_groups/{group}/users/{siteUserId}"), HttpStatusCode.NotFound, "2202");
        Assert.Equal(HttpStatusCode.NoContent, (await DeleteAsync($"access_groups/{group}/users/{userId}")).StatusCode);
        Assert.Empty(_salto.Inspection.User(_site.SiteId, "ann@flex.test")!.Groups);
    }

    [Fact]
    public async Task Seats_run_out_silently()
    {
        await SignInAsync();
        await CreateAsync("ann@flex.test");

        HttpResponseMessage late = await PostAsync("users", NewUser("ben@flex.test"));

        Assert.Equal(HttpStatusCode.Created, late.StatusCode);
        JsonElement ben = await JsonAsync(late);
        Assert.Equal("suspended", ben.GetProperty("subscription_state").GetString());

        _time.Advance(TimeSpan.FromMinutes(1));
        string path = $"users/{ben.GetProperty("id").GetString()}";
        Assert.Equal(HttpStatusCode.NoContent, (await PatchAsync($"{path}/subscription", new { state = "subscribed" })).StatusCode);
        Assert.Equal("suspended", (await JsonAsync(await GetAsync(path))).GetProperty("subscription_state").GetString());
        Assert.Equal(6, (await JsonAsync(await _http.PutAsJsonAsync(Site($"{path}/pin"), new { }, Ct))).GetString()!.Length);
    }

    [Fact]
    public async Task A_deleted_or_suspended_user_frees_the_seat_at_once()
    {
        await SignInAsync();
        (string ann, _) = await CreateAsync("ann@flex.test");
        Assert.Equal(0, _salto.Inspection.FreeSeats(_site.SiteId));

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.NoContent, (await PatchAsync($"users/{ann}/subscription", new { state = "suspended" })).StatusCode);
        Assert.Equal(1, _salto.Inspection.FreeSeats(_site.SiteId));

        Assert.Equal(HttpStatusCode.Accepted, (await DeleteAsync($"users/{ann}")).StatusCode);
        await RefusedAsync(await GetAsync($"users/{ann}"), HttpStatusCode.NotFound, "2202");
        (string again, _) = await CreateAsync("ann@flex.test");
        Assert.NotEqual(ann, again);
    }

    [Fact]
    public async Task A_new_user_is_not_everywhere_for_a_minute()
    {
        await SignInAsync();
        (string siteUserId, string userId) = await CreateAsync("ann@flex.test");
        string group = _site.Groups["Night"];

        Assert.Equal(0, (await JsonAsync(await GetAsync($"users/{siteUserId}"))).GetProperty("roles").GetArrayLength());
        await RefusedAsync(await PatchAsync($"users/{siteUserId}/subscription", new { state = "suspended" }), HttpStatusCode.Forbidden, "2203");
        await RefusedAsync(await PostAsync($"access_groups/{group}/users", new { user_id = userId }), HttpStatusCode.NotFound, "2202");

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, (await JsonAsync(await GetAsync($"users/{siteUserId}"))).GetProperty("roles").GetArrayLength());
        Assert.Equal(HttpStatusCode.OK, (await PostAsync($"access_groups/{group}/users", new { user_id = userId })).StatusCode);
    }

    [Fact]
    public async Task Writing_subscription_state_instead_of_state_is_refused()
    {
        await SignInAsync();
        (string ann, _) = await CreateAsync("ann@flex.test");
        _time.Advance(TimeSpan.FromMinutes(1));

        await RefusedAsync(await PatchAsync($"users/{ann}/subscription", new { subscription_state = "suspended" }), HttpStatusCode.BadRequest, "1101");
    }

    [Fact]
    public async Task The_same_person_joins_a_site_once()
    {
        await SignInAsync();
        (_, string userId) = await CreateAsync("ann@flex.test");

        await RefusedAsync(await PostAsync("users", NewUser("ANN@flex.test")), HttpStatusCode.BadRequest, "1102");
        await RefusedAsync(
            await _http.PostAsJsonAsync($"api/v1.1/sites/{_site.SiteId}/users/existing", new { id = userId, alias = "Ann" }, Ct),
            HttpStatusCode.BadRequest,
            "1102");
    }

    [Fact]
    public async Task Faults_hit_before_or_after_the_effect()
    {
        await SignInAsync();
        _faults.Add(SaltoFaultKind.TooManyRequests, "POST").Add(SaltoFaultKind.ErrorCodeInSuccess, "POST").Add(SaltoFaultKind.LostAnswer, "POST");

        HttpResponseMessage busy = await PostAsync("users", NewUser("ann@flex.test"));
        Assert.Equal(HttpStatusCode.TooManyRequests, busy.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), busy.Headers.RetryAfter!.Delta);
        Assert.Equal("1000", (await JsonAsync(await PostAsync("users", NewUser("ann@flex.test")))).GetProperty("ErrorCode").GetString());
        Assert.Null(_salto.Inspection.User(_site.SiteId, "ann@flex.test"));

        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync("users", NewUser("ann@flex.test")));
        Assert.NotNull(_salto.Inspection.User(_site.SiteId, "ann@flex.test"));
    }

    [Fact]
    public void State_survives_a_kill_also_in_the_middle_of_a_line()
    {
        string path = Path.Combine(Path.GetTempPath(), $"salto-{Environment.ProcessId}.jsonl");
        try
        {
            IReadOnlyList<SaltoUserFacts> before;
            using (var journal = new JsonLinesJournal(path))
            {
                var salto = new SaltoSimulator(new SaltoState(journal), _time, _options);
                salto.Control.Seed(new SaltoSiteSeed(
                    "House", 1, ["Coworking"], [new SaltoUserSeed("boss@flex.test", "Bea", "Boss", SaltoUsersApi.OwnerRole, ["Coworking"])]));
                before = salto.Inspection.Users();
            }

            File.AppendAllText(path, "{\"user\":{\"id\":\"tor");
            using (var journal = new JsonLinesJournal(path))
            {
                var salto = new SaltoSimulator(new SaltoState(journal), _time, _options);
                Assert.Equivalent(before, salto.Inspection.Users(), strict: true);
                Assert.Equal(0, salto.Inspection.FreeSeats(before[0].SiteId));
                salto.Control.SetSeats(before[0].SiteId, 5);
            }

            using (var journal = new JsonLinesJournal(path))
            {
                Assert.Equal(4, new SaltoSimulator(new SaltoState(journal), _time, _options).Inspection.FreeSeats(before[0].SiteId));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static object NewUser(string email) =>
        new { alias = email, first_name = "Ann", last_name = "Member", email, blocked = false, role_ids = Array.Empty<string>() };

    private FormUrlEncodedContent Password(string password) => Form("password", ("username", _options.Username), ("password", password));

    private static FormUrlEncodedContent Form(string grant, params (string Key, string Value)[] more) =>
        new(
        [
            new("grant_type", grant),
            new("scope", "user_api.full_access"),
            .. more.Select(m => KeyValuePair.Create(m.Key, m.Value)),
        ]);

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response) => await response.Content.ReadFromJsonAsync<JsonElement>(Ct);

    private static async Task RefusedAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(code, (await JsonAsync(response)).GetProperty("ErrorCode").GetString());
    }

    private AuthenticationHeaderValue Basic() =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_options.ClientId}:{_options.ClientSecret}")));

    private async Task SignInAsync()
    {
        _http.DefaultRequestHeaders.Authorization = Basic();
        JsonElement token = await JsonAsync(await _http.PostAsync("identity/connect/token", Form("client_credentials"), Ct));
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("access_token").GetString());
    }

    private async Task<(string SiteUserId, string UserId)> CreateAsync(string email)
    {
        HttpResponseMessage created = await PostAsync("users", NewUser(email));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        JsonElement user = await JsonAsync(created);
        return (user.GetProperty("id").GetString()!, user.GetProperty("user").GetProperty("id").GetString()!);
    }

    private string Site(string path) => $"api/v1.2/sites/{_site.SiteId}/{path}";

    private Task<HttpResponseMessage> GetAsync(string path) => _http.GetAsync(Site(path), Ct);

    private Task<HttpResponseMessage> PostAsync(string path, object body) => _http.PostAsJsonAsync(Site(path), body, Ct);

    private Task<HttpResponseMessage> PatchAsync(string path, object body) => _http.PatchAsJsonAsync(Site(path), body, Ct);

    private Task<HttpResponseMessage> DeleteAsync(string path) => _http.DeleteAsync(Site(path), Ct);
}
