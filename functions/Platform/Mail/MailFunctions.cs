using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.Mail;

public sealed class MailFunctions(MessageDispatcher messages)
{
    [Function("Mail_Queue")]
    public Task Queue([ServiceBusTrigger(Queues.Mail, Connection = Queues.Connection)] string message, CancellationToken cancellation) =>
        messages.DispatchAsync(Queues.Mail, message, cancellation);
}
