using Flex.Access;
using Flex.Kernel;
using Flex.Local.Simulators.Salto;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flex.Functions.Tests.Access;

public sealed class SaltoClientTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_is_kept_until_shortly_before_its_end()
    {
        using var world = new AccessWorld();
        SaltoClient client = Client(world);
        await client.FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct);
        world.Time.Advance(TimeSpan.FromMinutes(57));
        await client.FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct);
        Assert.Equal(1, Tokens(world));

        world.Time.Advance(TimeSpan.FromMinutes(2));
        await client.FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct);
        Assert.Equal(2, Tokens(world));
    }

    [Fact]
    public async Task A_token_that_is_not_accepted_any_more_is_replaced_once()
    {
        using var world = new AccessWorld();
        SaltoClient client = Client(world);
        await client.FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct);
        world.Faults.Add(SaltoFaultKind.TokenRejected, "GET");

        await client.FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct);
        Assert.Equal(2, Tokens(world));

        world.Faults.Add(SaltoFaultKind.TokenRejected, "GET", times: 2);
        await Assert.ThrowsAsync<TransientFaultException>(() => client.FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct));
    }

    [Fact]
    public async Task With_a_user_name_the_password_grant_is_used_and_wrong_credentials_are_transient()
    {
        using var world = new AccessWorld();
        SaltoClient right = Client(world, With(world.Options, "flex@local.test", "flex-local-password"));
        SaltoClient wrong = Client(world, With(world.Options, "flex@local.test", "no"));

        Assert.Empty(await right.FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct));
        await Assert.ThrowsAsync<TransientFaultException>(() => wrong.FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct));
    }

    [Theory]
    [InlineData(SaltoFaultKind.TooManyRequests)]
    [InlineData(SaltoFaultKind.ServerError)]
    [InlineData(SaltoFaultKind.LostRequest)]
    public async Task A_busy_or_broken_salto_is_a_transient_fault(SaltoFaultKind kind)
    {
        using var world = new AccessWorld();
        world.Faults.Add(kind);

        await Assert.ThrowsAsync<TransientFaultException>(() => Client(world).FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct));
    }

    [Fact]
    public async Task Refusals_carry_the_vendors_code_also_out_of_a_successful_answer()
    {
        using var world = new AccessWorld();
        SaltoClient client = Client(world);
        DoorUser user = await client.CreateUserAsync(world.Site.SiteId, world.Person!, Ct);

        async Task<(int, string)> RefusedAsync(Func<Task> call)
        {
            DoorRefusedException refused = await Assert.ThrowsAsync<DoorRefusedException>(call);
            return (refused.Status, refused.Code);
        }

        Assert.Equal((404, "2202"), await RefusedAsync(() => client.AddToGroupAsync(world.Site.SiteId, world.Group("night"), user.Ids.PlatformUserId, Ct)));
        Assert.Equal((403, "2203"), await RefusedAsync(() => client.SetSubscribedAsync(world.Site.SiteId, user.Ids.SiteUserId, false, Ct)));
        Assert.Equal((400, "1102"), await RefusedAsync(() => client.CreateUserAsync(world.Site.SiteId, world.Person!, Ct)));
        Assert.Equal((400, "1100"), await RefusedAsync(() => client.FindUsersAsync(world.Site.SiteUid, AccessWorld.Email, Ct)));
        world.Faults.Add(SaltoFaultKind.ErrorCodeInSuccess, "PATCH");
        Assert.Equal((200, "1000"), await RefusedAsync(() => client.SetSubscribedAsync(world.Site.SiteId, user.Ids.SiteUserId, false, Ct)));
    }

    [Fact]
    public async Task Users_are_told_apart_by_their_roles_and_found_by_email_in_any_case()
    {
        using var world = new AccessWorld(
            5,
            new SaltoUserSeed("guest@flex.test", "G", "G", SaltoUsersApi.GuestRole, []),
            new SaltoUserSeed("owner@flex.test", "O", "O", SaltoUsersApi.OwnerRole, []));
        SaltoClient client = Client(world);
        await client.CreateUserAsync(world.Site.SiteId, world.Person!, Ct);

        async Task<DoorUserKind> KindAsync(string email) => Assert.Single(await client.FindUsersAsync(world.Site.SiteId, email, Ct)).Kind;

        Assert.Equal(DoorUserKind.Plain, await KindAsync("GUEST@flex.test"));
        Assert.Equal(DoorUserKind.Protected, await KindAsync("owner@flex.test"));
        Assert.Equal(DoorUserKind.Unclear, await KindAsync(AccessWorld.Email));
        world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(DoorUserKind.Plain, await KindAsync(AccessWorld.Email));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_filter_by_email_changes_the_load_and_not_the_answer(bool filter)
    {
        using var world = new AccessWorld(5, new SaltoUserSeed("o'hara@flex.test", "S", "O'Hara", SaltoUsersApi.UserRole, []));
        SaltoClient client = Client(world, new SaltoOptions
        {
            IdentityUrl = world.Options.IdentityUrl,
            ApiUrl = world.Options.ApiUrl,
            ClientId = world.Options.ClientId,
            ClientSecret = world.Options.ClientSecret,
            MaxRequestsPerSecond = 0,
            FilterUsersByEmail = filter,
        });

        Assert.Single(await client.FindUsersAsync(world.Site.SiteId, "o'hara@flex.test", Ct));
        Assert.Empty(await client.FindUsersAsync(world.Site.SiteId, "nobody@flex.test", Ct));
    }

    [Fact]
    public async Task A_list_in_pages_is_read_to_its_end()
    {
        SaltoUserSeed[] crowd =
        [
            .. Enumerable.Range(0, 250).Select(i => new SaltoUserSeed($"u{i:D3}@flex.test", "U", $"{i}", SaltoUsersApi.UserRole, ["night"])),
        ];
        using var world = new AccessWorld(300, crowd);
        SaltoClient client = Client(world);
        DoorUser last = Assert.Single(await client.FindUsersAsync(world.Site.SiteId, "u249@flex.test", Ct));

        Assert.Equal([world.Group("night")], await client.GroupsOfAsync(world.Site.SiteId, last.Ids.PlatformUserId, null, Ct));
    }

    [Theory]
    [InlineData("https://elsewhere.example/users")]
    [InlineData("http://salto.example/users")]
    [InlineData("https://salto.example:8443/users")]
    [InlineData("https://salto.example@elsewhere.example/users")]
    public async Task A_page_link_to_another_host_is_not_followed(string link)
    {
        using var world = new AccessWorld();
        var options = new SaltoOptions { IdentityUrl = "https://salto.example", ApiUrl = "https://salto.example", ClientId = "me", ClientSecret = "x", MaxRequestsPerSecond = 0 };
        using var lists = new Lists($$"""{"access_token":"t","expires_in":3600,"items":[],"next_page_link":"{{link}}"}""");
        var client = new SaltoClient(new SaltoSession(lists, options, world.Time, TimeProvider.System), options);

        await Assert.ThrowsAsync<TransientFaultException>(() => client.FindUsersAsync("site", AccessWorld.Email, Ct));

        Assert.Equal(["https://salto.example"], lists.Asked.Distinct());
    }

    [Fact]
    public async Task A_group_that_is_gone_has_nobody_in_it()
    {
        using var world = new AccessWorld();

        Assert.Empty(await Client(world).GroupsOfAsync(world.Site.SiteId, "somebody", ["gone"], Ct));
    }

    [Fact]
    public async Task Calls_keep_to_the_rate_on_the_network_clock()
    {
        using var world = new AccessWorld();
        var network = new FakeTimeProvider();
        var options = new SaltoOptions
        {
            IdentityUrl = world.Options.IdentityUrl,
            ApiUrl = world.Options.ApiUrl,
            ClientId = world.Options.ClientId,
            ClientSecret = world.Options.ClientSecret,
            MaxRequestsPerSecond = 4,
        };
        using var session = new SaltoSession(world, options, world.Time, network);
        Task<IReadOnlyList<DoorUser>> users = new SaltoClient(session, options).FindUsersAsync(world.Site.SiteId, AccessWorld.Email, Ct);

        Assert.Single(world.Calls);
        Assert.False(users.IsCompleted);

        network.Advance(TimeSpan.FromMilliseconds(250));
        await users;
        Assert.Equal(2, world.Calls.Count);
    }

    private static int Tokens(AccessWorld world) => world.Calls.Count(c => c.EndsWith("/connect/token", StringComparison.Ordinal));

    private static SaltoClient Client(AccessWorld world, SaltoOptions? options = null) =>
        new(new SaltoSession(world, options ?? world.Options, world.Time, TimeProvider.System), options ?? world.Options);

    /// <summary>Answers every request alike and notes where it went.</summary>
    private sealed class Lists(string answer) : HttpMessageHandler, IHttpClientFactory
    {
        public List<string> Asked { get; } = [];

        public HttpClient CreateClient(string name) => new(this, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(request.RequestUri!.GetLeftPart(UriPartial.Authority));
            return Task.FromResult(new HttpResponseMessage { Content = new StringContent(answer, System.Text.Encoding.UTF8, "application/json") });
        }
    }

    private static SaltoOptions With(SaltoOptions options, string username, string password) => new()
    {
        IdentityUrl = options.IdentityUrl,
        ApiUrl = options.ApiUrl,
        ClientId = options.ClientId,
        ClientSecret = options.ClientSecret,
        MaxRequestsPerSecond = 0,
        Username = username,
        Password = password,
    };
}
