using MimeKit;

namespace Flex.Platform.Mail;

/// <summary>The SMTP server mail goes out through.</summary>
public sealed class MailSettings : ISettings
{
    public const string Section = "Mail";

    /// <summary>Empty: no mail can be sent, and messages on the mail queue wait and then dead-letter.</summary>
    public string Host { get; init; } = string.Empty;

    public int Port { get; init; } = 587;

    /// <summary>Empty: no authentication.</summary>
    public string User { get; init; } = string.Empty;

    /// <summary>A Key Vault reference in Azure.</summary>
    public string Password { get; init; } = string.Empty;

    /// <summary>The sender's address.</summary>
    public string From { get; init; } = string.Empty;

    /// <summary>False only for a server on this machine.</summary>
    public bool RequireTls { get; init; } = true;

    public IEnumerable<SettingFault> Faults() => Host.Length == 0
        ? OfSender(isNeeded: false)
        : [.. SettingFault.OfHost(nameof(Host), Host), .. OfSender(isNeeded: true), .. OfServer()];

    private IEnumerable<SettingFault> OfSender(bool isNeeded)
    {
        if (From.Length == 0 && isNeeded)
        {
            yield return SettingFault.Missing(nameof(From), "mail needs a sender");
        }

        if (From.Length > 0 && !(MailboxAddress.TryParse(From, out MailboxAddress? sender) && sender.Address.Contains('@', StringComparison.Ordinal)))
        {
            yield return new(nameof(From), "must be a mail address.");
        }
    }

    private IEnumerable<SettingFault> OfServer()
    {
        if (Port is not (> 0 and <= ushort.MaxValue))
        {
            yield return new(nameof(Port), "must be from 1 to 65535.");
        }

        if (User.Length > 0 && Password.Length == 0)
        {
            yield return SettingFault.Missing(nameof(Password), $"it goes with {Section}__{nameof(User)}");
        }

        if (Password.Length > 0 && User.Length == 0)
        {
            yield return SettingFault.Missing(nameof(User), $"it goes with {Section}__{nameof(Password)}");
        }

        if (!RequireTls && !SettingFault.IsLoopback(Host))
        {
            yield return new(nameof(RequireTls), "may be false only for a server on this machine.");
        }
    }
}
