using System.Text;

namespace Flex.Local.Simulators;

/// <summary>
/// An append-only file of one JSON document a line: a simulator's memory. Each line is handed to the operating system before
/// <see cref="Append"/> returns, so it survives <c>kill -9</c> of this process (not a power cut, which nobody simulates).
/// Without a path nothing is kept. A line torn by the kill is cut off on the next start.
/// </summary>
public sealed class JsonLinesJournal : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream? _file;

    public JsonLinesJournal(string? path)
    {
        if (path is null)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 1);
        CutTornLine(_file);
    }

    /// <summary>Every line written so far, oldest first. Call before the first <see cref="Append"/>.</summary>
    public IEnumerable<string> ReadAll()
    {
        if (_file is null)
        {
            yield break;
        }

        _file.Position = 0;
        using (var reader = new StreamReader(_file, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, bufferSize: 1 << 16, leaveOpen: true))
        {
            while (reader.ReadLine() is { } line)
            {
                yield return line;
            }
        }

        _file.Position = _file.Length;
    }

    /// <summary>Appends one document; it must not contain a line break.</summary>
    public void Append(string json)
    {
        if (_file is null)
        {
            return;
        }

        lock (_gate)
        {
            _file.Position = _file.Length;
            _file.Write(Encoding.UTF8.GetBytes(json + "\n"));
            _file.Flush(flushToDisk: false);
        }
    }

    public void Dispose() => _file?.Dispose();

    private static void CutTornLine(FileStream file)
    {
        long end = file.Length;
        while (end > 0)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n')
            {
                break;
            }

            end--;
        }

        file.SetLength(end);
        file.Position = end;
    }
}
