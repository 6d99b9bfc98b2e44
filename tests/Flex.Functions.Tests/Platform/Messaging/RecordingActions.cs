using Azure.Messaging.ServiceBus;
using Flex.Platform.Messaging;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Functions.Tests.Platform.Messaging;

/// <summary>Writes down how messages are settled.</summary>
internal sealed class RecordingActions : ServiceBusMessageActions
{
    /// <summary>What completing and dead-lettering fail with.</summary>
    public Exception? Failure { get; set; }

    /// <summary><c>completed</c>, or <c>dead-lettered REASON: DESCRIPTION</c>.</summary>
    public List<string> Settled { get; } = [];

    public static ServiceBusReceivedMessage Message(string body, int deliveryCount = 1) =>
        ServiceBusModelFactory.ServiceBusReceivedMessage(body: BinaryData.FromString(body), messageId: "msg_1", deliveryCount: deliveryCount);

    public override Task CompleteMessageAsync(ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) =>
        SettleAsync("completed");

    public override Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message,
        Dictionary<string, object>? propertiesToModify = null,
        string? deadLetterReason = null,
        string? deadLetterErrorDescription = null,
        CancellationToken cancellationToken = default) =>
        SettleAsync($"dead-lettered {DeadLetter.ReasonOf(deadLetterReason, deadLetterErrorDescription)}");

    private Task SettleAsync(string how)
    {
        if (Failure is not null)
        {
            throw Failure;
        }

        Settled.Add(how);
        return Task.CompletedTask;
    }
}
