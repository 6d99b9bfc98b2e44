using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NodaTime;

namespace Flex.Local.Simulators.Salto;

/// <summary>
/// The identity server's token endpoint: Basic client authentication, the grants Salto gives out to back ends, 3,600 seconds.
/// Tokens carry their expiry and a keyed hash, so none has to be remembered across a restart.
/// </summary>
public sealed class SaltoTokens(SaltoSimulatorOptions options, TimeProvider time)
{
    public const int LifetimeSeconds = 3600;
    private const string Scheme = "Bearer ";

    public SaltoResponse Issue(SaltoRequest request)
    {
        if (request.Method != "POST")
        {
            return SaltoJson.Empty(405);
        }

        if (!string.Equals(request.Authorization, Basic(), StringComparison.Ordinal))
        {
            return SaltoJson.Answer(401, new { error = "invalid_client" });
        }

        Dictionary<string, string> form = SaltoJson.Form(request.Body);
        if (!form.GetValueOrDefault("scope", string.Empty).Split(' ').Contains("user_api.full_access"))
        {
            return SaltoJson.Answer(400, new { error = "invalid_scope" });
        }

        return form.GetValueOrDefault("grant_type") switch
        {
            "client_credentials" => Granted(),
            "password" when form.GetValueOrDefault("username") == options.Username && form.GetValueOrDefault("password") == options.Password => Granted(),
            "password" => SaltoJson.Answer(400, new { error = "invalid_grant", error_description = "invalid_username_or_password" }),
            _ => SaltoJson.Answer(400, new { error = "unsupported_grant_type" }),
        };
    }

    public bool Accepts(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return false;
        }

        string[] parts = authorization[Scheme.Length..].Split('.');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long expiry)
            && Sign(parts[0]) == parts[1]
            && expiry > time.Now().ToUnixTimeSeconds();
    }

    private SaltoResponse Granted()
    {
        string expiry = (time.Now().ToUnixTimeSeconds() + LifetimeSeconds).ToString(CultureInfo.InvariantCulture);
        return SaltoJson.Answer(
            200,
            new { access_token = $"{expiry}.{Sign(expiry)}", expires_in = LifetimeSeconds, token_type = "Bearer", scope = "user_api.full_access" });
    }

    private string Sign(string text) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(options.ClientSecret), Encoding.UTF8.GetBytes(text)));

    private string Basic() => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.ClientId}:{options.ClientSecret}"));
}

/// <summary>Credentials the simulator accepts, and how hostile it is.</summary>
public sealed record SaltoSimulatorOptions
{
    public string ClientId { get; init; } = "flex-local";

    public string ClientSecret { get; init; } = "flex-local-secret";

    public string Username { get; init; } = "flex@local.test";

    public string Password { get; init; } = "flex-local-password";

    /// <summary>
    /// How long after its creation a user is not fully there: roles are empty, subscription and PIN answer 403/2203, joining a
    /// group 404/2202. Measured on the vendor's test site: about a minute. Zero switches it off.
    /// </summary>
    public Duration Inconsistency { get; init; } = Duration.FromMinutes(1);

    /// <summary>
    /// What subscribing without a free seat answers: true is 204 with the user left suspended, false is 400/1102. The vendor's
    /// behaviour is not published; creation is known to be silent.
    /// </summary>
    public bool SilentWithoutSeat { get; init; } = true;
}
