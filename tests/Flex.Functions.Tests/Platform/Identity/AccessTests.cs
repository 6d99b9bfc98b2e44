using System.Net;
using System.Security.Cryptography;
using System.Text;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Flex.Functions.Tests.Platform.Identity;

public sealed class AccessTests : IDisposable
{
    private const string Issuer = "https://staff.example.com/v2.0";
    private const string Audience = "flex-api";

    // Making a key takes longer than everything else here, and no test changes one.
    private static readonly RSA Signing = RSA.Create(2048);
    private static readonly RSA Other = RSA.Create(2048);

    private readonly FakeIssuer _issuer;
    private readonly FunctionHarness _app;

    public AccessTests()
    {
        _issuer = new FakeIssuer(Issuer);
        _issuer.Publish("key-1", Signing);
        _app = new FunctionHarness(
            s =>
            {
                s.AddSingleton(new ProbeBehaviour());
                s.AddHttpClient(IdentityRegistration.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => _issuer);
            },
            new()
            {
                ["Auth:Issuers:0:Authority"] = Issuer,
                ["Auth:Issuers:0:Audience"] = Audience,
                ["Auth:Issuers:1:Authority"] = "https://members.example.com",
                ["Auth:Issuers:1:Issuer"] = "https://members.example.com",
                ["Auth:Issuers:1:Audience"] = Audience,
                ["Auth:Issuers:1:Roles:0"] = "member",
            });
    }

    public void Dispose()
    {
        _app.Dispose();
        _issuer.Dispose();
    }

    [Theory]
    [InlineData("staff")]
    [InlineData("owner")]
    public async Task Staff_and_owners_reach_what_is_for_staff(string role)
    {
        Answer answer = await CallAsync(Token(role: role));

        Assert.Equal((200, $"\"{Issuer}|user-1\""), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task No_token_is_401_and_says_which_scheme()
    {
        Answer answer = await CallAsync(null);

        Assert.Equal((401, "unauthenticated"), (answer.Status, answer.Code));
        Assert.Equal("Bearer realm=\"flex\"", answer.Headers.WWWAuthenticate);
    }

    public static TheoryData<string> Bad => ["expired", "not yet valid", "no expiry", "other issuer", "other audience", "no audience", "forged", "none", "hs256", "rs384", "garbage", "no subject", "huge"];

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_token_that_is_not_acceptable_is_401(string kind)
    {
        DateTime now = _app.Time.GetUtcNow().UtcDateTime;
        string token = kind switch
        {
            "expired" => Token(expires: now - TokenValidator.Skew),
            "not yet valid" => Token(notBefore: now + TokenValidator.Skew + TimeSpan.FromSeconds(1)),
            "no expiry" => Token(expires: DateTime.MaxValue),
            "other issuer" => Token(issuer: "https://evil.example.com"),
            "other audience" => Token(audience: "another-api"),
            "no audience" => Token(audience: null),
            "forged" => Token(key: Other),
            "none" => Unsigned(),
            "hs256" => Symmetric(),
            "rs384" => Token(algorithm: SecurityAlgorithms.RsaSha384),
            "garbage" => "a.b.c",
            "no subject" => Token(subject: null),
            "huge" => new string('a', 20_000) + ".b.c",
            _ => throw new InvalidOperationException(kind),
        };

        Answer answer = await CallAsync(token);

        Assert.Equal((401, "unauthenticated"), (answer.Status, answer.Code));
        Assert.Equal("Bearer realm=\"flex\", error=\"invalid_token\"", answer.Headers.WWWAuthenticate);
    }

    [Theory]
    [InlineData(-119)]
    [InlineData(0)]
    public async Task A_little_skew_is_forgiven(int seconds)
    {
        Answer answer = await CallAsync(Token(expires: _app.Time.GetUtcNow().UtcDateTime.AddSeconds(seconds)));

        Assert.Equal(200, answer.Status);
    }

    [Fact]
    public async Task Lifetime_follows_the_business_clock()
    {
        string token = Token(expires: _app.Time.GetUtcNow().UtcDateTime.AddHours(1));
        int before = (await CallAsync(token)).Status;
        _app.Time.Advance(TimeSpan.FromHours(2));

        Assert.Equal((200, 401), (before, (await CallAsync(token)).Status));
    }

    [Theory]
    [InlineData("member", "mbr_00000000000000000000000001")]
    [InlineData("member", null)]
    [InlineData("admin", null)]
    [InlineData("STAFF", null)]
    [InlineData(null, null)]
    public async Task Another_role_is_403(string? role, string? memberId)
    {
        Answer answer = await CallAsync(Token(role: role, memberId: memberId));

        Assert.Equal((403, "forbidden"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task An_issuer_grants_only_the_roles_it_is_allowed_to()
    {
        using var members = new FakeIssuer("https://members.example.com");
        members.Publish("key-1", Signing);
        using var http = new HttpClient(members);
        using var keys = new IssuerKeys(
            new IssuerSettings { Authority = members.Issuer, Audience = Audience, Roles = [Role.Member] }, http, TimeProvider.System);
        var validator = new TokenValidator([keys], _app.Time);

        Result<Caller> caller = await validator.ValidateAsync(
            Token(issuer: members.Issuer, role: "staff", memberId: "mbr_00000000000000000000000001", moreRoles: "member"), TestContext.Current.CancellationToken);

        Assert.Equal(Role.Member, caller.Value.Role);
        Assert.Equal("mbr_00000000000000000000000001", caller.Value.MemberId!.Value.Value);
    }

    [Fact]
    public async Task A_function_without_a_declaration_is_403_for_everyone()
    {
        Answer owner = await CallAsync(Token(role: "owner"), "Probe_Undeclared");
        Answer nobody = await CallAsync(null, "Probe_Undeclared");

        Assert.Equal((403, 403), (owner.Status, nobody.Status));
    }

    [Fact]
    public async Task A_function_anyone_may_call_needs_no_token_and_ignores_a_bad_one()
    {
        Answer answer = await _app.SendAsync("Probe_Get", "GET", "/api/v1/probes/loc_00000000000000000000000001", null, ("Authorization", "Bearer nonsense"));

        Assert.Equal(200, answer.Status);
    }

    [Fact]
    public async Task A_key_that_appears_later_is_fetched_when_a_token_names_it()
    {
        await CallAsync(Token());
        _issuer.Publish("key-2", Other);
        _issuer.Network.Advance(IssuerKeys.MinRefreshInterval);
        using var http = new HttpClient(_issuer);
        using var keys = new IssuerKeys(new IssuerSettings { Authority = Issuer, Audience = Audience }, http, _issuer.Network);
        var validator = new TokenValidator([keys], _app.Time);
        Assert.False((await validator.ValidateAsync(Token(key: Other, keyId: "key-2"), TestContext.Current.CancellationToken)).IsError);
        using RSA third = RSA.Create(2048);
        _issuer.Publish("key-3", third);

        Result<Caller> tooSoon = await validator.ValidateAsync(Token(key: third, keyId: "key-3"), TestContext.Current.CancellationToken);
        int fetches = _issuer.Fetches;
        Result<Caller> stillTooSoon = await validator.ValidateAsync(Token(key: third, keyId: "key-3"), TestContext.Current.CancellationToken);
        int fetchesAfterwards = _issuer.Fetches;
        _issuer.Network.Advance(IssuerKeys.MinRefreshInterval);
        Result<Caller> later = await validator.ValidateAsync(Token(key: third, keyId: "key-3"), TestContext.Current.CancellationToken);

        Assert.True(tooSoon.IsError && stillTooSoon.IsError);
        Assert.Equal(fetches, fetchesAfterwards);
        Assert.Equal(fetches + 1, _issuer.Fetches);
        Assert.False(later.IsError);
    }

    [Fact]
    public async Task An_issuer_that_is_down_is_503_at_first_and_does_not_matter_once_its_keys_are_known()
    {
        using var http = new HttpClient(_issuer);
        using var keys = new IssuerKeys(new IssuerSettings { Authority = Issuer, Audience = Audience }, http, _issuer.Network);
        var validator = new TokenValidator([keys], _app.Time);
        _issuer.IsDown = true;
        await Assert.ThrowsAsync<TransientFaultException>(() => validator.ValidateAsync(Token(), TestContext.Current.CancellationToken));
        _issuer.IsDown = false;
        Result<Caller> up = await validator.ValidateAsync(Token(), TestContext.Current.CancellationToken);
        _issuer.IsDown = true;
        _issuer.Network.Advance(IssuerKeys.Lifetime);
        Result<Caller> down = await validator.ValidateAsync(Token(), TestContext.Current.CancellationToken);

        Assert.False(up.IsError || down.IsError);
    }

    private Task<Answer> CallAsync(string? token, string function = "Probe_Staff") =>
        _app.SendAsync(function, "GET", function == "Probe_Staff" ? "/api/v1/staff-probe" : "/api/v1/undeclared", null, token is null ? [] : [("Authorization", $"Bearer {token}")]);

    private string Token(
        string? role = "staff",
        string? memberId = null,
        string issuer = Issuer,
        string? audience = Audience,
        string? subject = "user-1",
        DateTime? expires = null,
        DateTime? notBefore = null,
        RSA? key = null,
        string keyId = "key-1",
        string algorithm = SecurityAlgorithms.RsaSha256,
        string? moreRoles = null)
    {
        DateTime now = _app.Time.GetUtcNow().UtcDateTime;
        var claims = new Dictionary<string, object>();
        if (role is not null)
        {
            claims["roles"] = moreRoles is null ? role : new[] { role, moreRoles };
        }

        if (memberId is not null)
        {
            claims["memberId"] = memberId;
        }

        if (subject is not null)
        {
            claims["sub"] = subject;
        }

        var handler = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false };
        return handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            NotBefore = notBefore,
            Expires = expires == DateTime.MaxValue ? null : expires ?? now.AddHours(1),
            Claims = claims,
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(key ?? Signing) { KeyId = keyId }, algorithm),
        });
    }

    private static string Unsigned()
    {
        string header = Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""");
        string payload = Base64UrlEncoder.Encode($$"""{"iss":"{{Issuer}}","aud":"{{Audience}}","sub":"user-1","roles":"owner","exp":4102444800}""");
        return $"{header}.{payload}.";
    }

    /// <summary>The public key used as a shared secret: the classic confusion of algorithms.</summary>
    private string Symmetric()
    {
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Signing.ExportSubjectPublicKeyInfoPem())) { KeyId = "key-1" };
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            Expires = _app.Time.GetUtcNow().UtcDateTime.AddHours(1),
            NotBefore = _app.Time.GetUtcNow().UtcDateTime,
            IssuedAt = _app.Time.GetUtcNow().UtcDateTime,
            Claims = new Dictionary<string, object> { ["sub"] = "user-1", ["roles"] = "owner" },
            SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.HmacSha256),
        });
    }
}
