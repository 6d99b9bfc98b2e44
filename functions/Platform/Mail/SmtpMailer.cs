using System.Net.Sockets;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Flex.Platform.Mail;

/// <summary>Sends by SMTP, one connection per mail: volumes are small and an idle connection is closed by servers anyway.</summary>
public sealed class SmtpMailer(MailSettings settings, TimeProvider time) : IMailer
{
    private const int TimeoutMilliseconds = 15_000;

    public async Task SendAsync(OutgoingMail mail, CancellationToken cancellation)
    {
        if (settings.Host.Length == 0)
        {
            throw new TransientFaultException("No mail server is configured.");
        }

        using MimeMessage message = Compose(mail);
        using var client = new SmtpClient { Timeout = TimeoutMilliseconds };
        try
        {
            SecureSocketOptions security = settings.RequireTls ? SecureSocketOptions.StartTls : SecureSocketOptions.None;
            await client.ConnectAsync(settings.Host, settings.Port, security, cancellation);
            if (settings.User.Length > 0)
            {
                await client.AuthenticateAsync(settings.User, settings.Password, cancellation);
            }
        }
        catch (Exception fault) when (IsServerFault(fault))
        {
            throw new TransientFaultException("The mail server cannot be reached.", fault);
        }

        try
        {
            await client.SendAsync(message, cancellation);
        }
        catch (SmtpCommandException refused)
        {
            throw new TransientFaultException($"The mail server refused the mail: {refused.ErrorCode} {(int)refused.StatusCode}.");
        }
        catch (Exception fault) when (IsServerFault(fault))
        {
            throw new MailOutcomeUnknownException("The connection broke while the mail was handed over.", fault);
        }

        await QuitAsync(client);
    }

    private MimeMessage Compose(OutgoingMail mail)
    {
        var message = new MimeMessage
        {
            MessageId = $"{mail.Id}@flex",
            Date = time.GetUtcNow(),
            Subject = mail.Subject,
            Body = new TextPart("plain") { Text = mail.Text },
        };
        message.From.Add(MailboxAddress.Parse(settings.From));
        message.To.Add(MailboxAddress.Parse(mail.To));
        return message;
    }

    /// <summary>The mail is sent; a server that does not say goodbye changes nothing.</summary>
    private static async Task QuitAsync(SmtpClient client)
    {
        try
        {
            await client.DisconnectAsync(quit: true, CancellationToken.None);
        }
        catch (Exception fault) when (IsServerFault(fault))
        {
            return;
        }
    }

    private static bool IsServerFault(Exception fault) =>
        fault is IOException or SocketException or TimeoutException or ServiceNotConnectedException or ProtocolException or CommandException
            or SslHandshakeException or AuthenticationException or OperationCanceledException;
}
