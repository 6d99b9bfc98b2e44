using Azure.Messaging.ServiceBus;
using Flex.Platform.Telemetry;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Flex.Platform.Messaging;

/// <summary>
/// What every queue's trigger calls, and the one place that settles messages: the host completes none by itself (host.json,
/// <c>autoCompleteMessages</c>). Handled: completed. Failed: the exception goes on to the host, which gives the message back, and
/// the broker counts the delivery. A dependency stays down: left locked, so that the next delivery is a lock's duration away.
/// Failed at the last delivery, or can never be handled: dead-lettered with a reason.
/// </summary>
public sealed class QueueConsumer(MessageDispatcher dispatcher, ILogger<QueueConsumer> log)
{
    /// <summary>
    /// Deliveries that follow at once. The broker gives a message back without a pause, so an outage of seconds would use up all
    /// of them; the others are <see cref="Queues.LockDuration"/> apart.
    /// </summary>
    private const int QuickDeliveries = 3;

    /// <summary>How the broker, through the host, says that a message was not held any more.</summary>
    private const string LockLost = "MessageLockLost";

    public Task ConsumeAsync(string queue, ServiceBusReceivedMessage message, ServiceBusMessageActions actions, CancellationToken cancellation) =>
        SettleAsync(queue, message, actions, text => dispatcher.DispatchAsync(queue, text, cancellation), cancellation);

    /// <summary>For triggers that need more than the message (a durable client, say): their queue carries one subject.</summary>
    public Task ConsumeAsync(
        string queue,
        ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions,
        string subject,
        Func<Envelope, CancellationToken, Task> handle,
        CancellationToken cancellation) =>
        SettleAsync(queue, message, actions, text => dispatcher.DispatchAsync(queue, text, subject, handle, cancellation), cancellation);

    private async Task SettleAsync(
        string queue, ServiceBusReceivedMessage message, ServiceBusMessageActions actions, Func<string, Task> dispatch, CancellationToken cancellation)
    {
        try
        {
            await dispatch(message.Body.ToString());
        }
        catch (UndeliverableMessageException never)
        {
            await GiveUpAsync(queue, message, actions, never.Reason, never);
            return;
        }
        catch (TransientFaultException down) when (
            message.DeliveryCount is > QuickDeliveries and < Queues.MaxDeliveryCount && !cancellation.IsCancellationRequested)
        {
            log.LogWarning(
                down, "Message {MessageId} on {Queue} waits for a dependency until its lock ends, after delivery {Count}.", message.MessageId, queue, message.DeliveryCount);
            return;
        }
        catch (Exception failure) when (message.DeliveryCount >= LastDelivery(failure) && !cancellation.IsCancellationRequested)
        {
            await GiveUpAsync(queue, message, actions, failure.GetType().Name, failure);
            return;
        }

        await CompleteAsync(queue, message, actions);
    }

    private static int LastDelivery(Exception failure) => failure is TransientFaultException ? Queues.MaxDeliveryCount : Queues.MaxFailures;

    /// <summary>
    /// The effect stands, so neither a host that is stopping nor a broker that is not told may turn it into a failure: the message
    /// comes again when its lock ends, and consumers dedupe.
    /// </summary>
    private async Task CompleteAsync(string queue, ServiceBusReceivedMessage message, ServiceBusMessageActions actions)
    {
        try
        {
            await actions.CompleteMessageAsync(message, CancellationToken.None);
        }
        catch (Exception failure)
        {
            LogLevel level = failure.Message.Contains(LockLost, StringComparison.Ordinal) ? LogLevel.Information : LogLevel.Warning;
            log.Log(level, failure, "Message {MessageId} on {Queue} was handled but not completed; it is delivered again.", message.MessageId, queue);
        }
    }

    /// <summary>A dead letter that the broker does not take goes on as an exception: the message is delivered again, or given up by the broker.</summary>
    private async Task GiveUpAsync(
        string queue, ServiceBusReceivedMessage message, ServiceBusMessageActions actions, string reason, Exception failure)
    {
        await actions.DeadLetterMessageAsync(
            message,
            deadLetterReason: reason,
            deadLetterErrorDescription: LogScrubber.Message(failure),
            cancellationToken: CancellationToken.None);
        log.LogWarning(
            failure, "Message {MessageId} on {Queue} was dead-lettered at delivery {Count}: {Reason}.", message.MessageId, queue, message.DeliveryCount, reason);
    }
}

/// <summary>No delivery can ever handle the message, so none but the first is tried.</summary>
public sealed class UndeliverableMessageException : Exception
{
    public UndeliverableMessageException()
    {
    }

    public UndeliverableMessageException(string message)
        : base(message)
    {
    }

    public UndeliverableMessageException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>A stable code, shown with the dead letter.</summary>
    public string Reason { get; private init; } = "undeliverable";

    public static UndeliverableMessageException NoEnvelope() => new("The message is not an envelope.") { Reason = "no_envelope" };

    public static UndeliverableMessageException UnknownSubject(string queue, string subject) =>
        new($"Nobody handles '{subject}' on queue '{queue}'.") { Reason = "unknown_subject" };
}
