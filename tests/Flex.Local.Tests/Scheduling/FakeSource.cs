using Flex.Local.Runtime.Scheduling;
using NodaTime;

namespace Flex.Local.Tests.Scheduling;

/// <summary>A source whose work a test puts in by hand.</summary>
internal sealed class FakeSource(string name) : IWorkSource
{
    private readonly Lock _lock = new();
    private readonly List<(Instant Due, Func<CancellationToken, Task> Run)> _work = [];

    public string Name => name;

    public IWorkSignal? Signal { get; set; }

    public Instant? NextDue
    {
        get
        {
            lock (_lock)
            {
                return _work.Count == 0 ? null : _work.Min(w => w.Due);
            }
        }
    }

    public void At(Instant due, Func<CancellationToken, Task> run)
    {
        lock (_lock)
        {
            _work.Add((due, run));
        }

        Signal?.Changed();
    }

    public WorkItem? Take(Instant now)
    {
        lock (_lock)
        {
            if (_work.Count == 0)
            {
                return null;
            }

            (Instant Due, Func<CancellationToken, Task> Run) first = _work.MinBy(w => w.Due);
            if (first.Due > now)
            {
                return null;
            }

            _work.Remove(first);
            return new WorkItem(name, first.Run);
        }
    }
}
