using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using Flex.Platform.Tables;

namespace Flex.Exports;

/// <summary>How large a part gets before it is written. The compressed part is all of a table that is ever in memory.</summary>
public sealed record PartLimits(int Rows, long Bytes)
{
    /// <summary>A megabyte or so compressed: even a slow line carries it within the storage client's timeout of a few seconds.</summary>
    public static PartLimits Default { get; } = new(50_000, 8 * 1024 * 1024);
}

/// <summary>Cuts a table's rows into parts and puts them into the archive.</summary>
internal sealed class PartWriter(ExportArchive archive, string prefix, PartLimits limits) : IDisposable
{
    private static readonly byte[] LineEnd = [(byte)'\n'];

    private readonly List<ExportedPart> _parts = [];
    private OpenPart? _open;

    public IReadOnlyList<ExportedPart> Parts => _parts;

    public async Task AddAsync(TableRow row, CancellationToken cancellation)
    {
        _open ??= new OpenPart();
        _open.Add(new ExportedRow(row.Partition, row.Key, row.Data).ToLine());
        if (_open.Rows >= limits.Rows || _open.Bytes >= limits.Bytes)
        {
            await FlushAsync(cancellation);
        }
    }

    /// <summary>Ends the part that is being made, so that the next row begins one.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        if (_open is not { } part)
        {
            return;
        }

        (byte[] content, string sha256) = part.Close();
        string name = string.Create(CultureInfo.InvariantCulture, $"{prefix}/{_parts.Count + 1:D5}-{sha256[..16]}.jsonl.gz");
        await archive.PutPartAsync(name, content, cancellation);
        _parts.Add(new ExportedPart(name, part.Rows, part.Bytes, sha256));
        Drop();
    }

    /// <summary>Forgets what was written after the first <paramref name="parts"/>; their blobs stay behind, named by no manifest.</summary>
    public void BackTo(int parts)
    {
        Drop();
        _parts.RemoveRange(parts, _parts.Count - parts);
    }

    public void Dispose() => Drop();

    private void Drop()
    {
        _open?.Dispose();
        _open = null;
    }

    private sealed class OpenPart : IDisposable
    {
        private readonly MemoryStream _compressed = new();
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly GZipStream _gzip;

        public OpenPart() => _gzip = new GZipStream(_compressed, CompressionLevel.Fastest, leaveOpen: true);

        public int Rows { get; private set; }

        public long Bytes { get; private set; }

        public void Add(byte[] line)
        {
            foreach (byte[] bytes in (byte[][])[line, LineEnd])
            {
                _hash.AppendData(bytes);
                _gzip.Write(bytes);
                Bytes += bytes.Length;
            }

            Rows++;
        }

        public (byte[] Content, string Sha256) Close()
        {
            _gzip.Dispose();
            return (_compressed.ToArray(), Convert.ToHexStringLower(_hash.GetHashAndReset()));
        }

        public void Dispose()
        {
            _gzip.Dispose();
            _compressed.Dispose();
            _hash.Dispose();
        }
    }
}
