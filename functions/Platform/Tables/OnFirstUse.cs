using System.Collections.Concurrent;

namespace Flex.Platform.Tables;

/// <summary>
/// Makes something in storage once per process and name, on its first use: concurrent callers share one attempt, a failed
/// attempt is repeated by the next caller, and the calls are not counted as anybody's business.
/// </summary>
internal sealed class OnFirstUse<T>(Func<string, CancellationToken, Task<T>> create)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<T>>> _made = new(StringComparer.Ordinal);

    public async Task<T> GetAsync(string name, CancellationToken cancellation)
    {
        Lazy<Task<T>> attempt = _made.GetOrAdd(name, n => new Lazy<Task<T>>(() => CreateAsync(n)));
        try
        {
            return await attempt.Value.WaitAsync(cancellation);
        }
        catch when (attempt.Value.IsFaulted || attempt.Value.IsCanceled)
        {
            _made.TryRemove(KeyValuePair.Create(name, attempt));
            throw;
        }
    }

    public void Forget(string name) => _made.TryRemove(name, out _);

    /// <summary>Not cancellable by the caller that happened to be first: others wait for it too.</summary>
    private async Task<T> CreateAsync(string name)
    {
        using StorageCallScope silence = StorageCalls.Silence();
        return await create(name, CancellationToken.None);
    }
}
