using System.Collections.Concurrent;
using Azure;
using Azure.Identity;
using Azure.Messaging.ServiceBus;
using Flex.Platform;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Hosting;

/// <summary>Publishes to Service Bus queues. One sender per queue for the life of the process, as the client library asks for.</summary>
public sealed class ServiceBusPublisher(ServiceBusClient client, IMessageBodies bodies, TimeProvider time) : IMessagePublisher, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ServiceBusSender> _senders = new(StringComparer.Ordinal);

    public async Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation)
    {
        Envelope small = await bodies.ShrinkAsync(message, cancellation);
        var outgoing = new ServiceBusMessage(StorageJson.Write(small))
        {
            MessageId = message.Id,
            Subject = message.Subject,
            CorrelationId = message.CorrelationId,
            ContentType = "application/json",
        };
        if (delay is { } wait && wait > Duration.Zero)
        {
            outgoing.ScheduledEnqueueTime = time.GetUtcNow() + wait.ToTimeSpan();
        }

        try
        {
            await _senders.GetOrAdd(queue, client.CreateSender).SendMessageAsync(outgoing, cancellation);
        }
        catch (ServiceBusException tooLarge) when (tooLarge.Reason == ServiceBusFailureReason.MessageSizeExceeded)
        {
            throw new DefectException($"Message {message.Id} is over the broker's limit although its body was put aside.", tooLarge);
        }
        catch (Exception fault) when (ServiceBusFaults.IsFault(fault, cancellation))
        {
            throw new TransientFaultException($"Queue '{queue}' did not take message {message.Id}.", fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServiceBusSender sender in _senders.Values)
        {
            await sender.DisposeAsync();
        }
    }
}

/// <summary>What the client library throws when the broker or the identity service cannot be reached.</summary>
internal static class ServiceBusFaults
{
    public static bool IsFault(Exception fault, CancellationToken cancellation) =>
        fault is ServiceBusException or RequestFailedException or AuthenticationFailedException or TimeoutException
        || (fault is OperationCanceledException && !cancellation.IsCancellationRequested);
}
