using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Flex.Platform;
using Flex.Platform.Blobs;
using NodaTime;

namespace Flex.Exports;

/// <summary>
/// Where exports are kept: the container <see cref="Container"/>, each export under its own name. Exports are not deleted here; the
/// account's lifecycle rule ends them.
/// </summary>
public sealed partial class ExportArchive(IBlobStore blobs)
{
    public const string Container = "exports";
    private const string ManifestSuffix = "/manifest.json";

    /// <summary>The name of a night's export, e.g. <c>2026-11-22</c>; nights are dates in UTC.</summary>
    public static string NightOf(Instant now) => now.InUtc().ToString("uuuu-MM-dd", null);

    /// <summary>The name of an export that somebody asked for, e.g. <c>2026-11-22-101500</c>; sorts between the nights.</summary>
    public static string NameAt(Instant now) => now.InUtc().ToString("uuuu-MM-dd-HHmmss", null);

    /// <summary>True for the names above; another text is no export, and never reaches storage.</summary>
    public static bool IsName(string text) => Name().IsMatch(text);

    public Task<bool> ExistsAsync(string export, CancellationToken cancellation) => blobs.ExistsAsync(Container, export + ManifestSuffix, cancellation);

    /// <summary>Null when there is no complete export of this name.</summary>
    /// <exception cref="JsonException">There is a manifest that cannot be read.</exception>
    public async Task<ExportManifest?> FindAsync(string export, CancellationToken cancellation) =>
        await ReadAsync<ExportManifest>(export + ManifestSuffix, cancellation);

    /// <summary>Names of the complete exports, newest first. One call per 5,000 blobs.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellation)
    {
        var exports = new List<string>();
        await foreach (string name in blobs.NamesAsync(Container, cancellation))
        {
            if (name.EndsWith(ManifestSuffix, StringComparison.Ordinal) && IsName(name[..^ManifestSuffix.Length]))
            {
                exports.Add(name[..^ManifestSuffix.Length]);
            }
        }

        exports.Sort((a, b) => string.CompareOrdinal(b, a));
        return exports;
    }

    /// <summary>Makes the export complete, unless another run has done so.</summary>
    public Task CompleteAsync(ExportManifest manifest, CancellationToken cancellation) =>
        WriteAsync(manifest.Id + ManifestSuffix, manifest, cancellation);

    /// <summary>What an earlier run of an unfinished export has written of a table; null when that is not known.</summary>
    public Task<ExportedTable?> FindTableAsync(string export, string table, CancellationToken cancellation) =>
        ReadAsync<ExportedTable>(TableName(export, table), cancellation);

    /// <summary>Lets a later run of the same export go on after this table.</summary>
    public Task KeepTableAsync(string export, ExportedTable table, CancellationToken cancellation) =>
        WriteAsync(TableName(export, table.Name), table, cancellation);

    /// <summary>A part's name is made from its content, so whatever has that name already is this very part.</summary>
    public Task PutPartAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => blobs.PutAsync(Container, name, content, cancellation);

    public Task<ReadOnlyMemory<byte>?> ReadPartAsync(string name, CancellationToken cancellation) => blobs.ReadAsync(Container, name, cancellation);

    private static string TableName(string export, string table) => $"{export}/{table}/done.json";

    private Task<bool> WriteAsync<T>(string name, T document, CancellationToken cancellation) =>
        blobs.PutAsync(Container, name, Encoding.UTF8.GetBytes(StorageJson.Write(document)), cancellation);

    private async Task<T?> ReadAsync<T>(string name, CancellationToken cancellation)
        where T : class =>
        await blobs.ReadAsync(Container, name, cancellation) is { } content ? StorageJson.Read<T>(Encoding.UTF8.GetString(content.Span)) : null;

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}(-\d{6})?\z")]
    private static partial Regex Name();
}
