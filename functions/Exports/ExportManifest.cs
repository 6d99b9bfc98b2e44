using System.Text.Encodings.Web;
using System.Text.Json;
using Flex.Platform;
using NodaTime;

namespace Flex.Exports;

/// <summary>
/// What an export consists of. It is written last, so an export that has one is complete; nothing without one is an export.
/// </summary>
/// <param name="FormatVersion">See <see cref="CurrentVersion"/>.</param>
/// <param name="Id">The export's name, which begins the names of its blobs.</param>
/// <param name="StartedAt">Whatever was committed before is in the export.</param>
/// <param name="CompletedAt">Nothing that was committed afterwards is in the export.</param>
public sealed record ExportManifest(int FormatVersion, string Id, Instant StartedAt, Instant CompletedAt, IReadOnlyList<ExportedTable> Tables)
{
    /// <summary>1: gzip parts of JSON lines, each an <see cref="ExportedRow"/>, in order of partition and key.</summary>
    public const int CurrentVersion = 1;

    public long Rows() => Tables.Sum(t => t.Rows);

    public long Bytes() => Tables.Sum(t => t.Parts.Sum(p => p.Bytes));
}

/// <param name="Rows">The sum of the parts' rows; a table without rows has no part.</param>
/// <param name="Torn">
/// Partitions that were written to each time they were read, so that a transaction may be half in them. 0 but for a store under load.
/// </param>
public sealed record ExportedTable(string Name, Instant StartedAt, Instant CompletedAt, long Rows, int Torn, IReadOnlyList<ExportedPart> Parts);

/// <param name="Name">The blob's name in the container.</param>
/// <param name="Bytes">Of the content before it was compressed, as <paramref name="Sha256"/> is.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
public sealed record ExportedPart(string Name, int Rows, long Bytes, string Sha256);

/// <summary>One line of a part: a row, its document as the text that was stored.</summary>
public sealed record ExportedRow(string Partition, string Key, string Data)
{
    /// <summary>Documents are full of quotes, which the default encoder would make six characters each. No browser reads this.</summary>
    private static readonly JsonSerializerOptions Plain = new(StorageJson.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>UTF-8, without the line's end.</summary>
    public byte[] ToLine() => JsonSerializer.SerializeToUtf8Bytes(this, Plain);

    /// <exception cref="JsonException">The line is not a row.</exception>
    public static ExportedRow Parse(ReadOnlySpan<byte> line) =>
        JsonSerializer.Deserialize<ExportedRow>(line, Plain) is { Partition: not null, Key: not null, Data: not null } row ? row : throw new JsonException("Not a row.");
}
