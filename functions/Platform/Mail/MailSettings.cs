namespace Flex.Platform.Mail;

/// <summary>The SMTP server mail goes out through.</summary>
public sealed class MailSettings
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
}
