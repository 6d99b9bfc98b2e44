using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Flex.Platform;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Hosting;

/// <summary>The dead-letter sub-queues. Rare and small, so receivers are made per call.</summary>
public sealed class ServiceBusDeadLetters(ServiceBusClient client) : IDeadLetters
{
    /// <summary>How many dead letters are looked through for one id; beyond them it is not found.</summary>
    private const int MaxSearched = 1000;
    private const int BatchSize = 100;

    /// <summary>What is there arrives at once; the wait only ends the search of an empty queue.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    public async Task<IReadOnlyList<DeadLetter>> ListAsync(string? queue, CancellationToken cancellation)
    {
        var found = new List<DeadLetter>();
        foreach (string name in queue is null ? Queues.All : [queue])
        {
            try
            {
                await using ServiceBusReceiver receiver = Receiver(name);
                foreach (ServiceBusReceivedMessage message in await receiver.PeekMessagesAsync(IDeadLetters.MaxListed, fromSequenceNumber: null, cancellation))
                {
                    found.Add(Describe(name, message));
                }
            }
            catch (Exception fault) when (ServiceBusFaults.IsFault(fault, cancellation))
            {
                throw new TransientFaultException($"The dead letters of '{name}' cannot be read.", fault);
            }
        }

        return found;
    }

    public async Task<bool> ReplayAsync(string queue, string id, CancellationToken cancellation)
    {
        try
        {
            await using ServiceBusReceiver receiver = Receiver(queue);
            var others = new List<ServiceBusReceivedMessage>();
            try
            {
                return await FindAndSendAsync(queue, id, receiver, others, cancellation);
            }
            finally
            {
                await LetGoAsync(receiver, others);
            }
        }
        catch (Exception fault) when (ServiceBusFaults.IsFault(fault, cancellation))
        {
            throw new TransientFaultException($"Dead letter {id} of '{queue}' could not be replayed.", fault);
        }
    }

    /// <summary>
    /// Looks at the dead letters under lock; those that are not meant are collected, to be let go. Sent before it is completed: a
    /// crash in between leaves a duplicate, which consumers bear.
    /// </summary>
    private async Task<bool> FindAndSendAsync(
        string queue, string id, ServiceBusReceiver receiver, List<ServiceBusReceivedMessage> others, CancellationToken cancellation)
    {
        while (others.Count < MaxSearched)
        {
            IReadOnlyList<ServiceBusReceivedMessage> batch = await receiver.ReceiveMessagesAsync(BatchSize, MaxWait, cancellation);
            if (batch.Count == 0)
            {
                return false;
            }

            others.AddRange(batch);
            if (batch.FirstOrDefault(m => IdOf(m) == id) is not { } meant)
            {
                continue;
            }

            await using ServiceBusSender sender = client.CreateSender(queue);

            // Under its old id the broker's duplicate detection could drop it; consumers dedupe by the envelope's id.
            var again = new ServiceBusMessage(meant) { MessageId = $"{id}-replay-{meant.SequenceNumber}" };
            await sender.SendMessageAsync(again, cancellation);
            await receiver.CompleteMessageAsync(meant, CancellationToken.None);
            others.Remove(meant);
            return true;
        }

        return false;
    }

    /// <summary>A lock that cannot be given back, or was lost, runs out by itself; the outcome of the replay stands.</summary>
    private static async Task LetGoAsync(ServiceBusReceiver receiver, List<ServiceBusReceivedMessage> messages)
    {
        try
        {
            foreach (ServiceBusReceivedMessage message in messages)
            {
                await receiver.AbandonMessageAsync(message, propertiesToModify: null, CancellationToken.None);
            }
        }
        catch (ServiceBusException)
        {
            return;
        }
    }

    private ServiceBusReceiver Receiver(string queue) => client.CreateReceiver(queue, new ServiceBusReceiverOptions
    {
        SubQueue = SubQueue.DeadLetter,
        ReceiveMode = ServiceBusReceiveMode.PeekLock,
    });

    /// <summary>The broker keeps no time of dead-lettering; the time the message was enqueued stands for it.</summary>
    private static DeadLetter Describe(string queue, ServiceBusReceivedMessage message) => new(
        queue,
        IdOf(message),
        message.Subject,
        DeadLetter.ReasonOf(message.DeadLetterReason, message.DeadLetterErrorDescription),
        Instant.FromDateTimeOffset(message.EnqueuedTime),
        message.DeliveryCount);

    /// <summary>The envelope's id; the broker's for a body that is no envelope.</summary>
    private static string IdOf(ServiceBusReceivedMessage message)
    {
        try
        {
            return StorageJson.Read<Envelope>(message.Body.ToString()).Id;
        }
        catch (JsonException)
        {
            return message.MessageId;
        }
    }
}
