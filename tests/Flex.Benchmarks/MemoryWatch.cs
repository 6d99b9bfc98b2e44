namespace Flex.Benchmarks;

/// <summary>The largest managed heap, garbage included, seen by a look every 20 ms.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private readonly Timer _timer;
    private long _peak;

    public MemoryWatch()
    {
        GC.Collect();
        _timer = new Timer(_ => Look(), null, 0, 20);
    }

    /// <summary>In MiB.</summary>
    public double Peak
    {
        get
        {
            Look();
            return Interlocked.Read(ref _peak) / 1024.0 / 1024.0;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        long now = GC.GetTotalMemory(forceFullCollection: false);
        for (long peak = Interlocked.Read(ref _peak); now > peak; peak = Interlocked.Read(ref _peak))
        {
            Interlocked.CompareExchange(ref _peak, now, peak);
        }
    }
}
