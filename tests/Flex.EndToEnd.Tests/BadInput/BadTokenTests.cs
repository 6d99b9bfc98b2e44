using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Flex.Local.Runtime.Hosting;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NodaTime;
using Xunit;

namespace Flex.EndToEnd.Tests.BadInput;

/// <summary>Tokens are made with the host's own key where only one thing about them is to be wrong.</summary>
[Collection(nameof(Space))]
public sealed class BadTokenTests(Space space)
{
    private static readonly Dictionary<string, Func<Mint, string?>> Refused = new()
    {
        ["no token"] = _ => null,
        ["no token at all"] = _ => "nonsense",
        ["three empty parts"] = _ => "..",
        ["expired an hour ago"] = m => m.Token(d => d.Expires = m.Now.AddHours(-1)),
        ["valid from tomorrow"] = m => m.Token(d => d.NotBefore = m.Now.AddDays(1)),
        ["without an end"] = m => m.Token(d => d.Expires = null),
        ["of another issuer"] = m => m.Token(d => d.Issuer = "https://elsewhere.example"),
        ["for another audience"] = m => m.Token(d => d.Audience = "elsewhere"),
        ["for no audience"] = m => m.Token(d => d.Audience = null),
        ["of nobody"] = m => m.Token(d => d.Claims.Remove("sub")),
        ["signed by a stranger"] = m => m.Token(d => d.SigningCredentials = Mint.Sign(RSA.Create(2048), "stranger")),
        ["signed by a stranger under the host's key id"] = m => m.Token(d => d.SigningCredentials = Mint.Sign(RSA.Create(2048), m.KeyId)),
        ["signed with the public key as a secret"] = m => m.Token(d => d.SigningCredentials = new SigningCredentials(
            new SymmetricSecurityKey(m.Key.ExportSubjectPublicKeyInfo()) { KeyId = m.KeyId }, SecurityAlgorithms.HmacSha256)),
        ["not signed"] = m => m.Token(d => d.SigningCredentials = null),
        ["with its signature cut off"] = m => m.Token(_ => { })[..^20],
        ["changed after signing"] = m => Promoted(m.Token(d => d.Claims["roles"] = new[] { "member" })),
    };

    private static readonly Dictionary<string, Action<SecurityTokenDescriptor>> Forbidden = new()
    {
        ["without a role"] = d => d.Claims.Remove("roles"),
        ["with a role nobody knows"] = d => d.Claims["roles"] = new[] { "king" },
        ["of a member who is nobody"] = d => d.Claims["roles"] = new[] { "member" },
    };

    public static TheoryData<string> RefusedNames => [.. Refused.Keys];

    public static TheoryData<string> ForbiddenNames => [.. Forbidden.Keys];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_with_nothing_wrong_is_taken()
    {
        using HttpRequestMessage request = Request(new Mint(space).Token(_ => { }));

        using HttpResponseMessage answer = await space.Host.Http.SendAsync(request, Cancel);

        Assert.True(answer.IsSuccessStatusCode);
    }

    [Theory]
    [MemberData(nameof(RefusedNames))]
    public async Task A_token_that_proves_nothing_is_refused(string name)
    {
        string before = await space.SnapshotAsync(Cancel);
        using HttpRequestMessage request = Request(Refused[name](new Mint(space)));

        Refusal refusal = await space.SendAsync(request, Cancel);

        Assert.Equal((401, "unauthenticated"), (refusal.Status, refusal.Code));
        Assert.StartsWith("Bearer", refusal.Challenge, StringComparison.Ordinal);
        Assert.Equal(before, await space.SnapshotAsync(Cancel));
    }

    [Theory]
    [MemberData(nameof(ForbiddenNames))]
    public async Task A_token_that_grants_no_role_is_refused(string name)
    {
        using HttpRequestMessage request = Request(new Mint(space).Token(Forbidden[name]));

        Refusal refusal = await space.SendAsync(request, Cancel);

        Assert.Equal((403, "forbidden"), (refusal.Status, refusal.Code));
    }

    [Fact]
    public async Task A_good_token_under_another_scheme_is_refused()
    {
        using HttpRequestMessage request = Request(new Mint(space).Token(_ => { }));
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", request.Headers.Authorization!.Parameter);

        Refusal refusal = await space.SendAsync(request, Cancel);

        Assert.Equal((401, "unauthenticated"), (refusal.Status, refusal.Code));
    }

    private static HttpRequestMessage Request(string? token)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/customers")
        {
            Content = new StringContent(Bodies.Customer("Zoe").ToJsonString(), new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return request;
    }

    /// <summary>The same header and signature around a body that says staff.</summary>
    private static string Promoted(string token)
    {
        string[] parts = token.Split('.');
        string body = Base64UrlEncoder.Decode(parts[1]).Replace("member", "staff", StringComparison.Ordinal);
        return $"{parts[0]}.{Base64UrlEncoder.Encode(body)}.{parts[2]}";
    }

    /// <summary>Makes staff's tokens as the host does.</summary>
    private sealed class Mint
    {
        private readonly LocalIdentity _identity;

        public Mint(Space space)
        {
            Now = space.Host.Local.Runtime.Scheduler.Now.ToDateTimeUtc();
            Key = RSA.Create();
            Key.ImportFromPem(File.ReadAllText(Path.Combine(space.Data, "identity.pem")));
            _identity = new LocalIdentity(Key, space.Host.Local.Address);
            string issued = _identity.Token(Flex.Platform.Identity.Role.Staff, null, Instant.FromDateTimeUtc(Now), Duration.FromHours(1));
            KeyId = new JsonWebToken(issued).Kid;
        }

        public RSA Key { get; }

        public string KeyId { get; }

        public DateTime Now { get; }

        public static SigningCredentials Sign(RSA key, string keyId) => new(new RsaSecurityKey(key) { KeyId = keyId }, SecurityAlgorithms.RsaSha256);

        public string Token(Action<SecurityTokenDescriptor> change)
        {
            var token = new SecurityTokenDescriptor
            {
                Issuer = _identity.Issuer,
                Audience = LocalIdentity.Audience,
                Claims = new Dictionary<string, object> { ["sub"] = "local-staff", ["roles"] = new[] { "staff" } },
                NotBefore = Now.AddHours(-2),
                Expires = Now.AddHours(2),
                SigningCredentials = Sign(Key, KeyId),
            };
            change(token);
            return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(token);
        }
    }
}
