using Flex.Platform;

namespace Flex.Access;

/// <summary>How to reach Salto KS and as whom. Hosts differ between Salto's test and production environments, so none is built in.</summary>
public sealed class SaltoOptions : ISettings
{
    public const string Section = "Salto";

    private static readonly string[] DefaultRoles = ["site_user", "site_guest"];

    /// <summary>The identity server's root, e.g. <c>https://identity.eu.my-clay.com</c>; the token is at <c>connect/token</c> below it.</summary>
    public string IdentityUrl { get; init; } = string.Empty;

    /// <summary>The Connect API's root, e.g. <c>https://user.my-clay.com</c>; paths start with their version below it.</summary>
    public string ApiUrl { get; init; } = string.Empty;

    public string ClientId { get; init; } = string.Empty;

    public string ClientSecret { get; init; } = string.Empty;

    /// <summary>With a user name the <c>password</c> grant is used, else <c>client_credentials</c>: Salto decides per client which it allows.</summary>
    public string Username { get; init; } = string.Empty;

    public string Password { get; init; } = string.Empty;

    /// <summary>Salto publishes no limit; four a second, one after the other, is what its integrators keep to. 0 is no spacing.</summary>
    public double MaxRequestsPerSecond { get; init; } = 4;

    /// <summary>
    /// Role codes of people without administrative rights; the first is given to created users, all others are protected. Empty
    /// means <c>site_user</c> and <c>site_guest</c>.
    /// </summary>
    public IList<string> MemberRoles { get; init; } = [];

    /// <summary>Ask the API to filter users by e-mail. The list is filtered here in any case; off until the vendor confirms the filter.</summary>
    public bool FilterUsersByEmail { get; init; }

    public IEnumerable<SettingFault> Faults()
    {
        (string Name, string Value)[] needed =
            [(nameof(IdentityUrl), IdentityUrl), (nameof(ApiUrl), ApiUrl), (nameof(ClientId), ClientId), (nameof(ClientSecret), ClientSecret)];
        bool isUsed = needed.Append((string.Empty, Username)).Append((string.Empty, Password)).Any(s => s.Item2.Length > 0);
        IEnumerable<SettingFault> missing = needed.Where(s => isUsed && s.Value.Length == 0)
            .Select(s => SettingFault.Missing(s.Name, "door access needs all of " + string.Join(", ", needed.Select(n => n.Name))));
        IEnumerable<SettingFault> addresses = needed[..2].Where(s => s.Value.Length > 0).SelectMany(s => SettingFault.OfAddress(s.Name, s.Value));
        return [.. missing, .. addresses, .. OfUser(), .. OfRest()];
    }

    public IList<string> PlainRoles() => MemberRoles.Count > 0 ? MemberRoles : DefaultRoles;

    private IEnumerable<SettingFault> OfUser()
    {
        if (Username.Length > 0 && Password.Length == 0)
        {
            yield return SettingFault.Missing(nameof(Password), $"it goes with {Section}__{nameof(Username)}");
        }

        if (Password.Length > 0 && Username.Length == 0)
        {
            yield return SettingFault.Missing(nameof(Username), $"it goes with {Section}__{nameof(Password)}");
        }
    }

    private IEnumerable<SettingFault> OfRest()
    {
        if (MaxRequestsPerSecond is not (>= 0 and <= 100))
        {
            yield return new(nameof(MaxRequestsPerSecond), "must be from 0 (no spacing) to 100.");
        }
    }
}
