using Flex.Platform.Messaging;

namespace Flex.Platform.Mail;

/// <summary>A plain-text mail. <paramref name="Id"/> names the intention: the same id is sent once.</summary>
public sealed record OutgoingMail(string Id, string To, string Subject, string Text)
{
    public const string MessageSubject = "mail.send.v1";

    /// <summary>The message that sends it, for <see cref="Tables.TableBatch.Send"/>: features never talk to a mail server themselves.</summary>
    public OutboxMessage ToMessage() => OutboxMessage.Create(Id, Queues.Mail, MessageSubject, this);
}

/// <summary>The port to a mail server; the local host keeps mail in memory instead.</summary>
public interface IMailer
{
    /// <exception cref="TransientFaultException">The server did not take the mail; nothing was sent.</exception>
    /// <exception cref="MailOutcomeUnknownException">The connection broke after the text was handed over; it may have been sent.</exception>
    Task SendAsync(OutgoingMail mail, CancellationToken cancellation);
}

/// <summary>It is not known whether a mail was sent; it is not sent again.</summary>
public sealed class MailOutcomeUnknownException : Exception
{
    public MailOutcomeUnknownException()
    {
    }

    public MailOutcomeUnknownException(string message)
        : base(message)
    {
    }

    public MailOutcomeUnknownException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
