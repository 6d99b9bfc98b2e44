using Flex.Kernel;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Functions.Tests.Platform.Messaging;

public sealed record Published(string Queue, Envelope Message, Duration? Delay);

/// <summary>A broker that keeps what it is given, in order, and fails as it is told.</summary>
public sealed class RecordingPublisher : IMessagePublisher
{
    public List<Published> All { get; } = [];

    /// <summary>What was published besides sweeps.</summary>
    public IEnumerable<Published> Messages => All.Where(p => p.Queue != Queues.Outbox);

    public IEnumerable<Published> Sweeps => All.Where(p => p.Queue == Queues.Outbox);

    /// <summary>What publishing to a queue throws; null is success.</summary>
    public Func<string, Envelope, Exception?> Fault { get; set; } = (_, _) => null;

    public Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation)
    {
        if (Fault(queue, message) is { } fault)
        {
            return Task.FromException(fault);
        }

        All.Add(new Published(queue, message, delay));
        return Task.CompletedTask;
    }
}

/// <summary>Ids that count.</summary>
public sealed class CountingIds : IIdSource
{
    private int _last;

    public string Next() => $"{++_last:D26}";
}
