using System.Net;
using System.Net.Sockets;
using System.Text;
using Flex.Kernel;
using Flex.Platform.Mail;
using Xunit;

namespace Flex.Functions.Tests.Platform.Mail;

/// <summary>Against a server that speaks just enough SMTP.</summary>
public sealed class SmtpMailerTests
{
    private static readonly OutgoingMail Mail = new("mail_1", "someone@example.com", "Your invoice", "Hello there");

    [Fact]
    public async Task A_mail_arrives_with_its_id_sender_and_text()
    {
        using var server = new SmtpStub(acceptRecipient: true);

        await Mailer(server.Port).SendAsync(Mail, TestContext.Current.CancellationToken);
        string transcript = await server.TranscriptAsync();

        Assert.Contains("RCPT TO:<someone@example.com>", transcript, StringComparison.Ordinal);
        Assert.Contains("Message-Id: <mail_1@flex>", transcript, StringComparison.Ordinal);
        Assert.Contains("From: no-reply@example.com", transcript, StringComparison.Ordinal);
        Assert.Contains("Hello there", transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_recipient_is_a_fault_that_does_not_repeat_the_address()
    {
        using var server = new SmtpStub(acceptRecipient: false);

        TransientFaultException fault = await Assert.ThrowsAsync<TransientFaultException>(
            () => Mailer(server.Port).SendAsync(Mail, TestContext.Current.CancellationToken));

        Assert.DoesNotContain("someone", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_fault()
    {
        using var server = new SmtpStub(acceptRecipient: true);
        int port = server.Port;
        server.Dispose();

        await Assert.ThrowsAsync<TransientFaultException>(() => Mailer(port).SendAsync(Mail, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Without_a_server_nothing_is_sent() =>
        await Assert.ThrowsAsync<TransientFaultException>(
            () => new SmtpMailer(new MailSettings(), TimeProvider.System).SendAsync(Mail, TestContext.Current.CancellationToken));

    private static SmtpMailer Mailer(int port) =>
        new(new MailSettings { Host = "127.0.0.1", Port = port, From = "no-reply@example.com", RequireTls = false }, TimeProvider.System);

    private sealed class SmtpStub : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task<string> _session;

        public SmtpStub(bool acceptRecipient)
        {
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _session = ServeAsync(acceptRecipient);
        }

        public int Port { get; }

        public Task<string> TranscriptAsync() => _session;

        public void Dispose() => _listener.Dispose();

        private async Task<string> ServeAsync(bool acceptRecipient)
        {
            var transcript = new StringBuilder();
            try
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync();
                using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
                await using var writer = new StreamWriter(client.GetStream(), Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
                await writer.WriteLineAsync("220 stub");
                bool inData = false;
                while (await reader.ReadLineAsync() is { } line)
                {
                    transcript.AppendLine(line);
                    if (inData)
                    {
                        inData = line != ".";
                        if (!inData)
                        {
                            await writer.WriteLineAsync("250 queued");
                        }

                        continue;
                    }

                    string verb = line.Split(' ')[0].ToUpperInvariant();
                    inData = verb == "DATA";
                    await writer.WriteLineAsync(verb switch
                    {
                        "DATA" => "354 go on",
                        "RCPT" when !acceptRecipient => "550 no such user someone@example.com",
                        "QUIT" => "221 bye",
                        _ => "250 ok",
                    });
                    if (verb == "QUIT")
                    {
                        break;
                    }
                }
            }
            catch (Exception closed) when (closed is SocketException or IOException or ObjectDisposedException)
            {
                transcript.AppendLine("closed");
            }

            return transcript.ToString();
        }
    }
}
