using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Flex.Platform.Identity;

/// <summary>
/// Validates signed JWTs of the configured issuers: RS256 only, issuer and audience exact, lifetime on the business clock with two
/// minutes of skew. What is wrong with a token is not told to whoever sent it.
/// </summary>
public sealed class TokenValidator(IReadOnlyList<IssuerKeys> issuers, TimeProvider time) : ITokenValidator
{
    public static readonly TimeSpan Skew = TimeSpan.FromMinutes(2);
    private const int MaxTokenLength = 16 * 1024;

    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxTokenLength };

    public async Task<Result<Caller>> ValidateAsync(string? token, CancellationToken cancellation)
    {
        if (token is null)
        {
            return Refused("Send a bearer token.");
        }

        if (token.Length > MaxTokenLength || !Handler.CanReadToken(token) || Read(token) is not { } unverified)
        {
            return Refused("The token is not acceptable.");
        }

        foreach (IssuerKeys issuer in issuers.Where(i => i.Settings.Issuer.Length == 0 || i.Settings.Issuer == unverified.Issuer))
        {
            OpenIdConnectConfiguration metadata = await issuer.GetAsync(cancellation);
            string expected = issuer.Settings.Issuer.Length == 0 ? metadata.Issuer : issuer.Settings.Issuer;
            if (expected != unverified.Issuer)
            {
                continue;
            }

            if (!metadata.SigningKeys.Any(k => k.KeyId == unverified.Kid))
            {
                metadata = await issuer.RefreshAsync(metadata, cancellation);
            }

            TokenValidationResult result = await CheckAsync(token, issuer.Settings, expected, metadata);
            return result.IsValid ? CallerOf((JsonWebToken)result.SecurityToken, issuer.Settings) : Refused("The token is not acceptable.");
        }

        return Refused("The token is not acceptable.");
    }

    private Task<TokenValidationResult> CheckAsync(string token, IssuerSettings issuer, string expectedIssuer, OpenIdConnectConfiguration metadata) =>
        Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = expectedIssuer,
            ValidAudience = issuer.Audience,
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
            IssuerSigningKeys = metadata.SigningKeys,
            TryAllIssuerSigningKeys = false,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            LifetimeValidator = IsCurrent,
        });

    private bool IsCurrent(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return expires is { } end && now < end + Skew && (notBefore is not { } start || now >= start - Skew);
    }

    private static Result<Caller> CallerOf(JsonWebToken token, IssuerSettings issuer)
    {
        if (string.IsNullOrEmpty(token.Subject))
        {
            return Refused("The token is not acceptable.");
        }

        string[] claimed = Texts(token, issuer.RolesClaim);
        // Declared from the most to the least powerful: the first that is claimed and that the issuer may grant.
        Role? role = Enum.GetValues<Role>()
            .Where(r => claimed.Contains(r.ToString().ToLowerInvariant()) && (issuer.Roles.Count == 0 || issuer.Roles.Contains(r)))
            .Select(r => (Role?)r)
            .FirstOrDefault();
        MemberId? member = EntityId.TryParse(Texts(token, issuer.MemberIdClaim).FirstOrDefault(), out MemberId id) ? id : null;
        return role is null || (role == Role.Member && member is null)
            ? new Error(ErrorKind.Forbidden, ErrorCodes.Forbidden, "The token grants no role here.")
            : new Caller(role, $"{token.Issuer}|{token.Subject}", member);
    }

    /// <summary>A claim's texts, be it one text or a list, which the token presents as several claims; values of other types are none.</summary>
    private static string[] Texts(JsonWebToken token, string claim) =>
        [.. token.Claims.Where(c => c.Type == claim && c.ValueType == ClaimValueTypes.String).Select(c => c.Value)];

    private static JsonWebToken? Read(string token)
    {
        try
        {
            return Handler.ReadJsonWebToken(token);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static Error Refused(string detail) => new(ErrorKind.Unauthenticated, ErrorCodes.Unauthenticated, detail);
}
