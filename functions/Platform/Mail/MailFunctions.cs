using Azure.Messaging.ServiceBus;
using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.Mail;

public sealed class MailFunctions(QueueConsumer queue)
{
    [Function("Mail_Queue")]
    public Task Queue(
        [ServiceBusTrigger(Queues.Mail, Connection = Queues.Connection)] ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions,
        CancellationToken cancellation) => queue.ConsumeAsync(Queues.Mail, message, actions, cancellation);
}
