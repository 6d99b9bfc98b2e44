using System.Net;

namespace Flex.Platform;

/// <summary>One section of the app's settings, checked when the app starts; see <see cref="SettingsRegistration"/>.</summary>
public interface ISettings
{
    /// <summary>All that is wrong with the values, one by one. What may be empty and is empty is no fault.</summary>
    IEnumerable<SettingFault> Faults();
}

/// <summary>What is wrong with a setting.</summary>
/// <param name="Setting">Its name below the section, as in an environment variable: <c>WebhookSecret</c>, <c>Issuers__0__Audience</c>.</param>
/// <param name="What">Follows the name in a sentence and says what to set. Never the value: it may be a secret.</param>
public sealed record SettingFault(string Setting, string What)
{
    public static SettingFault Missing(string setting, string why) => new(setting, $"is missing: {why}.");

    /// <summary>None for an https address, or an http one on the loopback; else one.</summary>
    public static IEnumerable<SettingFault> OfAddress(string setting, string value)
    {
        if (!IsSafeAddress(value))
        {
            yield return new(setting, "must be an absolute https address (http only on the loopback), without user and fragment.");
        }
    }

    /// <summary>None for a host's name or address without anything around it; else one.</summary>
    public static IEnumerable<SettingFault> OfHost(string setting, string value)
    {
        if (Uri.CheckHostName(value) == UriHostNameType.Unknown)
        {
            yield return new(setting, "must be the name of a host, without scheme, port and path.");
        }
    }

    /// <summary>None for an empty id, which is the system-assigned identity, or a GUID; else one.</summary>
    public static IEnumerable<SettingFault> OfClientId(string setting, string? value)
    {
        if (!string.IsNullOrEmpty(value) && !Guid.TryParseExact(value, "D", out _))
        {
            yield return new(setting, "must be the client id of a managed identity, a GUID.");
        }
    }

    public static bool IsSafeAddress(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out Uri? address)
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
        && address.UserInfo.Length == 0
        && address.Fragment.Length == 0;

    public static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
