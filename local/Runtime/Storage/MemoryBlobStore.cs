using System.Collections.Concurrent;
using Flex.Platform.Blobs;
using Flex.Platform.Tables;

namespace Flex.Local.Runtime.Storage;

/// <summary>Blob storage in memory, for the simulation, unit tests and <c>--storage memory</c>.</summary>
public sealed class MemoryBlobStore : IBlobStore
{
    private readonly ConcurrentDictionary<(string Container, string Name), byte[]> _blobs = new();

    public Task<bool> PutAsync(string container, string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        Called(cancellation);
        return Task.FromResult(_blobs.TryAdd((container, name), content.ToArray()));
    }

    public Task<ReadOnlyMemory<byte>?> ReadAsync(string container, string name, CancellationToken cancellation)
    {
        Called(cancellation);
        return Task.FromResult(_blobs.TryGetValue((container, name), out byte[]? content) ? (ReadOnlyMemory<byte>?)content : null);
    }

    public Task<bool> ExistsAsync(string container, string name, CancellationToken cancellation)
    {
        Called(cancellation);
        return Task.FromResult(_blobs.ContainsKey((container, name)));
    }

    public IAsyncEnumerable<string> NamesAsync(string container, CancellationToken cancellation)
    {
        Called(cancellation);
        return _blobs.Keys.Where(b => b.Container == container).Select(b => b.Name).Order(StringComparer.Ordinal).ToAsyncEnumerable();
    }

    private static void Called(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        StorageCalls.Record("blob");
    }
}
