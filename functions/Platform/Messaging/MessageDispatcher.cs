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

/// <summary>What a queue's trigger calls: unpacks the envelope, restores the correlation id and hands it to the subject's handler.</summary>
public sealed class MessageDispatcher(IEnumerable<IMessageHandler> handlers, IMessageBodies bodies)
{
    private readonly Dictionary<(string Queue, string Subject), IMessageHandler> _handlers =
        handlers.ToDictionary(h => (h.Queue, h.Subject));

    /// <exception cref="DefectException">
    /// The message is not an envelope or nobody handles its subject; the broker dead-letters it after its last delivery.
    /// </exception>
    public async Task DispatchAsync(string queue, string message, CancellationToken cancellation)
    {
        Envelope envelope = await bodies.ResolveAsync(Parse(message), cancellation);
        if (!_handlers.TryGetValue((queue, envelope.Subject), out IMessageHandler? handler))
        {
            throw new DefectException($"Nobody handles '{envelope.Subject}' on queue '{queue}'.");
        }

        CorrelationScope.Set(envelope.CorrelationId);
        CurrentAction.Set($"{queue} {envelope.Subject}");
        using Activity? activity = FlexTelemetry.Source.StartActivity(CurrentAction.Name, ActivityKind.Consumer);
        activity?.SetTag(FlexTelemetry.CorrelationId, envelope.CorrelationId);
        var tags = new TagList { { "queue", queue }, { "subject", envelope.Subject } };
        try
        {
            await handler.HandleAsync(envelope, cancellation);
        }
        catch
        {
            FlexTelemetry.Messages.Add(1, [.. tags, new("outcome", "failed")]);
            throw;
        }

        FlexTelemetry.Messages.Add(1, [.. tags, new("outcome", "handled")]);
    }

    /// <summary>
    /// For triggers that need more than the message (a durable client, say): the envelope of the one subject their queue carries.
    /// The caller sets the correlation id: what is set here ends with this method.
    /// </summary>
    public async Task<Envelope> OpenAsync(string message, string subject, CancellationToken cancellation)
    {
        Envelope envelope = await bodies.ResolveAsync(Parse(message), cancellation);
        return envelope.Subject == subject ? envelope : throw new DefectException($"Expected '{subject}', not '{envelope.Subject}'.");
    }

    private static Envelope Parse(string message)
    {
        try
        {
            return StorageJson.Read<Envelope>(message);
        }
        catch (JsonException broken)
        {
            throw new DefectException("The message is not an envelope.", broken);
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
