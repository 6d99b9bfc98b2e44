using NodaTime;

namespace Flex.Local.Runtime.Scheduling;

/// <summary>
/// Something that has work at instants: timers, queues, the task hub, a simulator's later deliveries. The scheduler asks
/// all sources, always runs the earliest work first, and so is the only thing that moves the world. On simulated time one
/// unit runs at a time; on real time several may.
/// </summary>
public interface IWorkSource
{
    string Name { get; }

    /// <summary>When the earliest unit of work is due; null when there is none. Must be cheap: it is asked after every unit.</summary>
    Instant? NextDue { get; }

    /// <summary>Takes one unit that is due at <paramref name="now"/>, so that nobody else takes it; null when there is none.</summary>
    WorkItem? Take(Instant now);
}

/// <summary>One unit of work. <paramref name="Run"/> handles its own failures; what it throws is a defect of the host.</summary>
public sealed record WorkItem(string What, Func<CancellationToken, Task> Run);

/// <summary>Tells the scheduler that a source has new work or an earlier due time.</summary>
public interface IWorkSignal
{
    void Changed();
}
