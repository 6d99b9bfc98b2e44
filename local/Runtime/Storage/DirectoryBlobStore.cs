using Flex.Platform.Blobs;
using Flex.Platform.Tables;

namespace Flex.Local.Runtime.Storage;

/// <summary>Blobs as files: a folder per container, below one root. What is stored was written whole or is not there.</summary>
public sealed class DirectoryBlobStore(string root) : IBlobStore
{
    private const string Unfinished = ".new";
    private readonly string _root = Path.GetFullPath(root);

    public async Task<bool> PutAsync(string container, string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        StorageCalls.Record("blob");
        string path = PathOf(container, name);
        string draft = $"{path}.{Path.GetRandomFileName()}{Unfinished}";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(draft, content, cancellation);
        try
        {
            File.Move(draft, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
            return false;
        }
    }

    public async Task<ReadOnlyMemory<byte>?> ReadAsync(string container, string name, CancellationToken cancellation)
    {
        StorageCalls.Record("blob");
        try
        {
            return await File.ReadAllBytesAsync(PathOf(container, name), cancellation);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public Task<bool> ExistsAsync(string container, string name, CancellationToken cancellation)
    {
        StorageCalls.Record("blob");
        return Task.FromResult(File.Exists(PathOf(container, name)));
    }

    public IAsyncEnumerable<string> NamesAsync(string container, CancellationToken cancellation)
    {
        StorageCalls.Record("blob");
        string folder = Path.Combine(_root, container);
        IEnumerable<string> files = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) : [];
        return files
            .Where(f => !f.EndsWith(Unfinished, StringComparison.Ordinal))
            .Select(f => Path.GetRelativePath(folder, f).Replace(Path.DirectorySeparatorChar, '/'))
            .Order(StringComparer.Ordinal)
            .ToAsyncEnumerable();
    }

    /// <summary>Names may come from a file that somebody else wrote: they must not lead out of the folder.</summary>
    private string PathOf(string container, string name)
    {
        string folder = Path.Combine(_root, container) + Path.DirectorySeparatorChar;
        string path = Path.GetFullPath(Path.Combine(folder, name));
        return path.StartsWith(folder, StringComparison.Ordinal) ? path : throw new DefectException($"'{name}' is no name of a blob.");
    }
}
