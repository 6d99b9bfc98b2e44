using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Platform.Mail;

/// <summary>
/// Sends a queued mail at most once per id, because a second reminder is worse than none: (1) the id is written down, (2) the
/// mail is sent, and only when the server certainly did not take it (3) the id is removed, so that the next delivery tries again.
/// A crash between (1) and (2) loses the mail.
/// </summary>
public sealed class SendMail(ITableStore tables, IMailer mailer, TimeProvider time, ILogger<SendMail> log) : IMessageHandler
{
    public const string Table = "Mail";

    public string Queue => Queues.Mail;

    public string Subject => OutgoingMail.MessageSubject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        OutgoingMail mail = envelope.Read<OutgoingMail>();
        string key = RowKeys.Inbox + mail.Id;
        CommitResult claim = await tables.CommitAsync(new TableBatch(Table, mail.Id).Insert(key, new SentMail(time.Now())), cancellation);
        if (claim.IsDuplicateOf(RowKeys.Inbox))
        {
            log.LogInformation("Mail {MailId} was sent before.", mail.Id);
            return;
        }

        claim.Require();
        try
        {
            await mailer.SendAsync(mail, cancellation);
        }
        catch (MailOutcomeUnknownException unknown)
        {
            log.LogWarning(unknown, "It is not known whether mail {MailId} was sent; it is not sent again.", mail.Id);
        }
        catch (TransientFaultException)
        {
            await ReleaseAsync(mail.Id, key);
            throw;
        }
    }

    private async Task ReleaseAsync(string id, string key)
    {
        if (await tables.FindAsync(Table, id, key, CancellationToken.None) is { } row)
        {
            await tables.CommitAsync(new TableBatch(Table, id).Delete(key, row.ETag), CancellationToken.None);
        }
    }
}

/// <summary>The mark that a mail was given to the server, or was about to be.</summary>
public sealed record SentMail(Instant At);
