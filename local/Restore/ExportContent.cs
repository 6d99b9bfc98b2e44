using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flex.Exports;
using Flex.Platform.Tables;

namespace Flex.Local.Restore;

/// <summary>
/// Reads exports and believes nothing: a part counts only when its rows, bytes and hash are the manifest's. A part is the most that
/// is in memory.
/// </summary>
public sealed class ExportContent(ExportArchive archive)
{
    /// <summary>The name of the newest complete export.</summary>
    public const string Latest = "latest";

    /// <param name="export">A name, or <see cref="Latest"/>.</param>
    /// <exception cref="RestoreRefusedException">There is no such export, it is incomplete, or of a format this build does not know.</exception>
    public async Task<ExportManifest> ManifestAsync(string export, CancellationToken cancellation)
    {
        IReadOnlyList<string> complete = await archive.ListAsync(cancellation);
        string name = export == Latest && complete.Count > 0 ? complete[0] : export;
        if (!complete.Contains(name, StringComparer.Ordinal))
        {
            throw new RestoreRefusedException(
                complete.Count == 0 ? "There is no complete export." : $"There is no complete export '{export}'; the newest is {complete[0]}.");
        }

        ExportManifest manifest;
        try
        {
            manifest = (await archive.FindAsync(name, cancellation))!;
        }
        catch (JsonException)
        {
            throw new RestoreRefusedException($"The manifest of export {name} is damaged.");
        }

        if (manifest.FormatVersion != ExportManifest.CurrentVersion)
        {
            throw new RestoreRefusedException(
                $"Export {name} has format {manifest.FormatVersion}, this build reads {ExportManifest.CurrentVersion}: restore it with the build that wrote it.");
        }

        return manifest.Tables.FirstOrDefault(t => !ExportTables.All.Contains(t.Name, StringComparer.Ordinal)) is { } unknown
            ? throw new RestoreRefusedException($"Export {name} has a table '{unknown.Name}', which this build does not know.")
            : manifest;
    }

    /// <summary>Reads all of the export, so that a damaged one is refused before a row of it is written.</summary>
    /// <exception cref="RestoreRefusedException">A part is missing or damaged, or the numbers do not add up.</exception>
    public async Task CheckAsync(ExportManifest manifest, CancellationToken cancellation)
    {
        foreach (ExportedTable table in manifest.Tables)
        {
            long rows = 0;
            await foreach (ExportedRow row in RowsAsync(table, cancellation))
            {
                rows++;
                if (!TableKeys.IsValid(row.Partition) || !TableKeys.IsValid(row.Key) || row.Data.Length > TableLimits.MaxDataChars)
                {
                    throw new RestoreRefusedException($"Table '{table.Name}' has a row that no table can hold.");
                }
            }

            if (rows != table.Rows)
            {
                throw new RestoreRefusedException($"Table '{table.Name}' has {rows} rows, the manifest says {table.Rows}.");
            }
        }
    }

    /// <summary>The table's rows, by partition and key. A part is checked before the first row of it comes.</summary>
    public async IAsyncEnumerable<ExportedRow> RowsAsync(ExportedTable table, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (ExportedPart part in table.Parts)
        {
            ReadOnlyMemory<byte> content = await archive.ReadPartAsync(part.Name, cancellation)
                ?? throw new RestoreRefusedException($"Part {part.Name} is missing.");
            Check(part, content);
            foreach (string line in Lines(content))
            {
                yield return Row(part, line);
            }
        }
    }

    private static void Check(ExportedPart part, ReadOnlyMemory<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        (long bytes, int rows) = (0, 0);
        try
        {
            using GZipStream text = Open(content);
            byte[] buffer = new byte[64 * 1024];
            for (int read; (read = text.Read(buffer)) > 0; bytes += read)
            {
                hash.AppendData(buffer, 0, read);
                rows += buffer.AsSpan(0, read).Count((byte)'\n');
            }
        }
        catch (InvalidDataException)
        {
            throw new RestoreRefusedException($"Part {part.Name} is damaged: it is no gzip file.");
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != part.Sha256 || bytes != part.Bytes)
        {
            throw new RestoreRefusedException($"Part {part.Name} is damaged: its content is not what was exported.");
        }

        if (rows != part.Rows)
        {
            throw new RestoreRefusedException($"Part {part.Name} has {rows} rows, the manifest says {part.Rows}.");
        }
    }

    private static IEnumerable<string> Lines(ReadOnlyMemory<byte> content)
    {
        using var reader = new StreamReader(Open(content), Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private static ExportedRow Row(ExportedPart part, string line)
    {
        try
        {
            return ExportedRow.Parse(Encoding.UTF8.GetBytes(line));
        }
        catch (JsonException)
        {
            throw new RestoreRefusedException($"Part {part.Name} has a line that is no row.");
        }
    }

    private static GZipStream Open(ReadOnlyMemory<byte> content) => new(new MemoryStream(content.ToArray(), writable: false), CompressionMode.Decompress);
}
