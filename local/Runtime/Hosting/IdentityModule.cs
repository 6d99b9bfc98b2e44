using System.Security.Cryptography;
using System.Text.Json;
using Flex.Platform;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Flex.Local.Runtime.Hosting;

/// <summary>The local token issuer: one RSA key, valid for this machine only.</summary>
public sealed class LocalIdentity
{
    public const string Path = "/local/identity";
    public const string Audience = "flex";
    public static readonly Duration DefaultLifetime = Duration.FromHours(8);

    private static readonly Lazy<RSA> Shared = new(() => RSA.Create(2048));
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly RSA _rsa;
    private readonly RsaSecurityKey _key;

    public LocalIdentity(RSA rsa, Uri baseAddress)
    {
        _rsa = rsa;
        Issuer = new Uri(baseAddress, Path).AbsoluteUri;
        _key = new RsaSecurityKey(rsa) { KeyId = Base64UrlEncoder.Encode(SHA256.HashData(rsa.ExportSubjectPublicKeyInfo()))[..16] };
    }

    public string Issuer { get; }

    /// <summary>An issuer with a key of this process, for test worlds: making a key takes longer than building a world.</summary>
    public static LocalIdentity OfProcess(Uri baseAddress) => new(Shared.Value, baseAddress);

    /// <summary>The key of a data directory, made on first use.</summary>
    public static LocalIdentity OfFile(string path, Uri baseAddress)
    {
        var rsa = RSA.Create();
        if (File.Exists(path))
        {
            rsa.ImportFromPem(File.ReadAllText(path));
            return new LocalIdentity(rsa, baseAddress);
        }

        rsa.KeySize = 2048;
        File.WriteAllText(path + ".new", rsa.ExportPkcs8PrivateKeyPem());
        File.Move(path + ".new", path);
        return new LocalIdentity(rsa, baseAddress);
    }

    /// <param name="memberId">Whom a member's token speaks for.</param>
    public string Token(Role role, string? memberId, Instant now, Duration lifetime)
    {
        var claims = new Dictionary<string, object>
        {
            ["sub"] = memberId ?? $"local-{role.ToString().ToLowerInvariant()}",
            ["roles"] = new[] { role.ToString().ToLowerInvariant() },
        };
        if (memberId is not null)
        {
            claims["memberId"] = memberId;
        }

        return Handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            Claims = claims,
            IssuedAt = now.ToDateTimeUtc(),
            NotBefore = now.ToDateTimeUtc(),
            Expires = (now + lifetime).ToDateTimeUtc(),
            SigningCredentials = new SigningCredentials(_key, SecurityAlgorithms.RsaSha256),
        });
    }

    public object Metadata() => new
    {
        issuer = Issuer,
        jwks_uri = Issuer + "/jwks",
        id_token_signing_alg_values_supported = new[] { SecurityAlgorithms.RsaSha256 },
        response_types_supported = new[] { "token" },
        subject_types_supported = new[] { "public" },
    };

    public object Keys()
    {
        RSAParameters key = _rsa.ExportParameters(includePrivateParameters: false);
        return new
        {
            keys = new[]
            {
                new
                {
                    kty = "RSA",
                    use = "sig",
                    alg = SecurityAlgorithms.RsaSha256,
                    kid = _key.KeyId,
                    n = Base64UrlEncoder.Encode(key.Modulus),
                    e = Base64UrlEncoder.Encode(key.Exponent),
                },
            },
        };
    }
}

/// <summary><c>POST /local/token</c>, and the issuer's metadata and keys by which Flex validates like any other issuer's.</summary>
public sealed class IdentityModule(LocalIdentity identity) : ILocalModule
{
    private static readonly JsonSerializerOptions Verbatim = new();

    /// <param name="Lifetime">ISO 8601, e.g. <c>PT8H</c>, on the business clock.</param>
    private sealed record TokenRequest(Role? Role, string? MemberId, Period? Lifetime);

    public IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["Auth:Issuers:0:Authority"] = identity.Issuer,
        ["Auth:Issuers:0:Audience"] = LocalIdentity.Audience,
    };

    public void Configure(IServiceCollection services) => services.AddSingleton(identity);

    public void Map(IEndpointRouteBuilder routes)
    {
        TimeProvider time = routes.ServiceProvider.GetRequiredService<TimeProvider>();
        routes.MapGet(LocalIdentity.Path + "/.well-known/openid-configuration", http => Results.Json(identity.Metadata(), Verbatim).ExecuteAsync(http));
        routes.MapGet(LocalIdentity.Path + "/jwks", http => Results.Json(identity.Keys(), Verbatim).ExecuteAsync(http));
        routes.MapPost("/local/token", LocalHttp.Answer(async http =>
        {
            TokenRequest request = await LocalHttp.ReadAsync<TokenRequest>(http.Request);
            Role role = request.Role ?? throw new LocalRequestException(400, "Name a role: owner, staff or member.");
            if (role == Role.Member != request.MemberId is not null)
            {
                throw new LocalRequestException(400, "A member's token names its memberId, and only a member's does.");
            }

            Duration lifetime = request.Lifetime?.ToDuration() ?? LocalIdentity.DefaultLifetime;
            Instant now = time.Now();
            return new { token = identity.Token(role, request.MemberId, now, lifetime), expiresAt = now + lifetime };
        }));
    }
}
