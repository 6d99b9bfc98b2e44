using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform;
using Flex.Platform.Mail;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Flex.Functions.Tests.Platform.Mail;

public sealed class SendMailTests
{
    private static readonly OutgoingMail Mail = new("mail_1", "someone@example.com", "Your invoice", "Hello");

    private readonly FakeMailer _mailer = new();
    private readonly SendMail _handler;

    public SendMailTests() => _handler = new SendMail(new MemoryTableStore(), _mailer, TimeProvider.System, NullLogger<SendMail>.Instance);

    [Fact]
    public async Task A_mail_delivered_twice_is_sent_once()
    {
        await DeliverAsync();
        await DeliverAsync();

        Assert.Equal([Mail], _mailer.Sent);
    }

    [Fact]
    public async Task A_mail_the_server_did_not_take_is_tried_again()
    {
        _mailer.Fault = new TransientFaultException("refused");
        await Assert.ThrowsAsync<TransientFaultException>(DeliverAsync);
        _mailer.Fault = null;
        await DeliverAsync();

        Assert.Equal([Mail], _mailer.Sent);
    }

    [Fact]
    public async Task A_mail_that_may_have_been_sent_is_not_sent_again()
    {
        _mailer.Fault = new MailOutcomeUnknownException("broken pipe");
        await DeliverAsync();
        _mailer.Fault = null;
        await DeliverAsync();

        Assert.Empty(_mailer.Sent);
    }

    [Fact]
    public async Task A_crash_while_sending_never_sends_twice()
    {
        _mailer.Fault = new DefectException("crash");
        await Assert.ThrowsAsync<DefectException>(DeliverAsync);
        _mailer.Fault = null;
        await DeliverAsync();

        Assert.Empty(_mailer.Sent);
    }

    private Task DeliverAsync()
    {
        OutboxMessage message = Mail.ToMessage();
        Assert.Equal((Queues.Mail, _handler.Subject), (message.Queue, message.Subject));
        return _handler.HandleAsync(message.ToEnvelope(), TestContext.Current.CancellationToken);
    }

    private sealed class FakeMailer : IMailer
    {
        public List<OutgoingMail> Sent { get; } = [];

        public Exception? Fault { get; set; }

        public Task SendAsync(OutgoingMail mail, CancellationToken cancellation)
        {
            if (Fault is not null)
            {
                throw Fault;
            }

            Sent.Add(mail);
            return Task.CompletedTask;
        }
    }
}
