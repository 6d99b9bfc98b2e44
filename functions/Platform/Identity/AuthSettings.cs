namespace Flex.Platform.Identity;

/// <summary>Whose tokens are accepted. None configured: every call that needs a token is refused.</summary>
public sealed class AuthSettings : ISettings
{
    public const string Section = "Auth";

    public IList<IssuerSettings> Issuers { get; init; } = [];

    public IEnumerable<SettingFault> Faults() =>
        Issuers.SelectMany((issuer, i) => issuer.Faults().Select(f => f with { Setting = $"{nameof(Issuers)}__{i}__{f.Setting}" }));
}

/// <summary>One OpenID Connect issuer.</summary>
public sealed class IssuerSettings : ISettings
{
    /// <summary>
    /// Where <c>/.well-known/openid-configuration</c> is found, e.g. <c>https://login.example.com/tenant/v2.0</c>. Plain http only
    /// on the loopback.
    /// </summary>
    public string Authority { get; init; } = string.Empty;

    /// <summary>The expected <c>iss</c>; empty takes the one the authority's metadata names.</summary>
    public string Issuer { get; init; } = string.Empty;

    /// <summary>The expected <c>aud</c>.</summary>
    public string Audience { get; init; } = string.Empty;

    /// <summary>Claim with the roles <c>owner</c>, <c>staff</c>, <c>member</c>: a text or a list.</summary>
    public string RolesClaim { get; init; } = "roles";

    /// <summary>Claim with the <c>mbr_…</c> id a member's token speaks for.</summary>
    public string MemberIdClaim { get; init; } = "memberId";

    /// <summary>Roles this issuer may grant; empty is all. A members' tenant is given <c>member</c> only.</summary>
    public IList<Role> Roles { get; init; } = [];

    public IEnumerable<SettingFault> Faults()
    {
        foreach (SettingFault fault in Authority.Length == 0
            ? [SettingFault.Missing(nameof(Authority), "the address of the issuer whose tokens are accepted")]
            : SettingFault.OfAddress(nameof(Authority), Authority))
        {
            yield return fault;
        }

        if (Audience.Length == 0)
        {
            yield return SettingFault.Missing(nameof(Audience), "without it tokens for other applications would be accepted");
        }
    }
}
