using System.Diagnostics;
using System.Text.Json;
using Flex.Platform.Telemetry;

namespace Flex.Platform.Messaging;

/// <summary>
/// Handles one subject of one queue. Called at least once, in any order, possibly concurrently: the effect and the inbox row
/// (<c>M|{envelope.Id}</c>) belong in one commit. <see cref="TransientFaultException"/> means "deliver again".
/// </summary>
public interface IMessageHandler
{
    string Queue { get; }

    string Subject { get; }

    Task HandleAsync(Envelope envelope, CancellationToken cancellation);
}

/// <summary>Unpacks an envelope, restores the correlation id and hands it to the subject's handler. <see cref="QueueConsumer"/> calls it.</summary>
public sealed class MessageDispatcher(IEnumerable<IMessageHandler> handlers, IMessageBodies bodies)
{
    private readonly Dictionary<(string Queue, string Subject), IMessageHandler> _handlers =
        handlers.ToDictionary(h => (h.Queue, h.Subject));

    /// <exception cref="UndeliverableMessageException">The message is not an envelope, or nobody handles its subject.</exception>
    public Task DispatchAsync(string queue, string message, CancellationToken cancellation)
    {
        Envelope envelope = Parse(message);
        return _handlers.TryGetValue((queue, envelope.Subject), out IMessageHandler? handler)
            ? HandleAsync(queue, envelope, handler.HandleAsync, cancellation)
            : throw UndeliverableMessageException.UnknownSubject(queue, envelope.Subject);
    }

    /// <summary>For triggers that need more than the message (a durable client, say): their queue carries one subject.</summary>
    /// <exception cref="UndeliverableMessageException">The message is not an envelope, or has another subject.</exception>
    public Task DispatchAsync(
        string queue, string message, string subject, Func<Envelope, CancellationToken, Task> handle, CancellationToken cancellation)
    {
        Envelope envelope = Parse(message);
        return envelope.Subject == subject
            ? HandleAsync(queue, envelope, handle, cancellation)
            : throw UndeliverableMessageException.UnknownSubject(queue, envelope.Subject);
    }

    private async Task HandleAsync(string queue, Envelope small, Func<Envelope, CancellationToken, Task> handle, CancellationToken cancellation)
    {
        CorrelationScope.Set(small.CorrelationId);
        CurrentAction.Set($"{queue} {small.Subject}");
        using Activity? activity = FlexTelemetry.Source.StartActivity(CurrentAction.Name, ActivityKind.Consumer);
        activity?.SetTag(FlexTelemetry.CorrelationId, small.CorrelationId);
        var tags = new TagList { { "queue", queue }, { "subject", small.Subject } };
        try
        {
            await handle(await bodies.ResolveAsync(small, cancellation), cancellation);
        }
        catch
        {
            FlexTelemetry.Messages.Add(1, [.. tags, new("outcome", "failed")]);
            throw;
        }

        FlexTelemetry.Messages.Add(1, [.. tags, new("outcome", "handled")]);
    }

    private static Envelope Parse(string message)
    {
        try
        {
            // Stored JSON tolerates missing members.
            return StorageJson.Read<Envelope>(message) is { Id: not null, Subject: not null, Body: not null } envelope
                ? envelope
                : throw UndeliverableMessageException.NoEnvelope();
        }
        catch (JsonException)
        {
            throw UndeliverableMessageException.NoEnvelope();
        }
    }
}

/// <summary>
/// Puts bodies over the broker's limit into a blob and back: Service Bus Standard takes 256 KB, so a larger one travels by
/// reference. Both publishers and the dispatcher use it; nothing else sees references.
/// </summary>
public interface IMessageBodies
{
    /// <summary>The envelope itself, or one whose body is a reference to a blob that has been written.</summary>
    Task<Envelope> ShrinkAsync(Envelope envelope, CancellationToken cancellation);

    /// <summary>The envelope with its real body.</summary>
    Task<Envelope> ResolveAsync(Envelope envelope, CancellationToken cancellation);
}
