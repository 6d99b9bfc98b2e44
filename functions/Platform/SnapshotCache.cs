using NodaTime;

namespace Flex.Platform;

/// <summary>
/// Keeps one value that is read often and written seldom (settings, catalogue), so that warm requests cost no storage call.
/// Bound: this process sees its own writes at once (<see cref="Invalidate"/>) and those of other processes at most one
/// time-to-live later. Nothing that must be exact at commit may be decided on it alone.
/// </summary>
public sealed class SnapshotCache<T>(TimeProvider time, Duration timeToLive, Func<CancellationToken, Task<T>> load) : IDisposable
    where T : class
{
    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly Lock _lock = new();
    private volatile Entry? _entry;
    private long _generation;

    /// <summary>The cached value, loaded at most once however many callers find it missing or too old.</summary>
    public Task<T> GetAsync(CancellationToken cancellation) =>
        Fresh() is { } entry ? Task.FromResult(entry.Value) : LoadAsync(_entry, cancellation);

    /// <summary>
    /// For a lookup that missed: loads again unless somebody else has since <paramref name="seen"/> was handed out, because what
    /// another process has just created is not in an older snapshot.
    /// </summary>
    public Task<T> NewerThanAsync(T seen, CancellationToken cancellation) =>
        Fresh() is { } entry && !ReferenceEquals(entry.Value, seen)
            ? Task.FromResult(entry.Value)
            : LoadAsync(_entry, cancellation);

    /// <summary>After an own write. A load that began before it is handed to its callers but not kept.</summary>
    public void Invalidate()
    {
        lock (_lock)
        {
            _generation++;
            _entry = null;
        }
    }

    public void Dispose() => _loading.Dispose();

    private Entry? Fresh() =>
        _entry is { } entry && time.Now() - entry.LoadedAt < timeToLive ? entry : null;

    private async Task<T> LoadAsync(Entry? known, CancellationToken cancellation)
    {
        await _loading.WaitAsync(cancellation);
        try
        {
            if (Fresh() is { } entry && !ReferenceEquals(entry, known))
            {
                return entry.Value;
            }

            long generation = Generation();
            Instant now = time.Now();
            T value = await load(cancellation);
            Keep(new Entry(value, now), generation);
            return value;
        }
        finally
        {
            _loading.Release();
        }
    }

    private long Generation()
    {
        lock (_lock)
        {
            return _generation;
        }
    }

    private void Keep(Entry entry, long generation)
    {
        lock (_lock)
        {
            if (generation == _generation)
            {
                _entry = entry;
            }
        }
    }

    private sealed record Entry(T Value, Instant LoadedAt);
}
