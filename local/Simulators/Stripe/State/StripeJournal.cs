using System.Text;
using System.Text.Json;
using Flex.Platform;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// The append-only file behind the simulator. One line is one unit of work, so it is there as a whole or not at all; it is
/// handed to the operating system before the answer leaves, which is what survives <c>kill -9</c>. A last line that was
/// torn is dropped. Opening for writing compacts: a new file replaces the old one by an atomic rename.
/// </summary>
internal sealed class StripeJournal : IDisposable
{
    private const int RowsPerLine = 200;
    private readonly FileStream file;

    private StripeJournal(FileStream file) => this.file = file;

    public static string PathIn(string directory) => Path.Combine(directory, "stripe", "journal.jsonl");

    /// <summary>Replays the journal into the tables and returns the counter. A missing file is an empty account.</summary>
    public static long Replay(string path, IReadOnlyDictionary<string, IStripeTable> tables)
    {
        long counter = 0;
        if (!File.Exists(path))
        {
            return counter;
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        string? next = reader.ReadLine();
        while (next is { } line)
        {
            next = reader.ReadLine();
            JsonDocument? document = Parse(line, isLast: next is null, path);
            if (document is null)
            {
                break;
            }

            using (document)
            {
                counter = document.RootElement.GetProperty("n").GetInt64();
                foreach (JsonElement change in document.RootElement.GetProperty("c").EnumerateArray())
                {
                    JsonElement? row = change.TryGetProperty("row", out JsonElement value) ? value : null;
                    tables[change.GetProperty("kind").GetString()!].Load(change.GetProperty("id").GetString()!, row);
                }
            }
        }

        return counter;
    }

    /// <summary>Writes the state as a fresh journal, replaces the old one with it and stays open for appending.</summary>
    public static StripeJournal Compact(string path, IEnumerable<IStripeTable> tables, long counter)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string fresh = path + ".new";
        using (var target = new FileStream(fresh, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            var writer = new StripeJournal(target);
            var rows = tables.SelectMany(table => table.Rows.Select(row => new StripeChange(table.Kind, row.Id, row, static () => { })));
            foreach (StripeChange[] chunk in rows.Chunk(RowsPerLine))
            {
                writer.Append(chunk, counter);
            }

            target.Flush(flushToDisk: true);
        }

        File.Move(fresh, path, overwrite: true);
        return new StripeJournal(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read));
    }

    public void Append(IReadOnlyList<StripeChange> changes, long counter)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("n", counter);
            json.WriteStartArray("c");
            foreach (StripeChange change in Last(changes))
            {
                json.WriteStartObject();
                json.WriteString("kind", change.Kind);
                json.WriteString("id", change.Id);
                if (change.Row is { } row)
                {
                    json.WritePropertyName("row");
                    JsonSerializer.Serialize(json, row, row.GetType(), StorageJson.Options);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        file.Write(buffer.GetBuffer(), 0, (int)buffer.Length);
        file.Flush();
    }

    public void Dispose() => file.Dispose();

    /// <summary>Only the last change of each row matters within one unit of work.</summary>
    private static IEnumerable<StripeChange> Last(IReadOnlyList<StripeChange> changes)
    {
        var last = new Dictionary<(string, string), int>();
        for (int i = 0; i < changes.Count; i++)
        {
            last[(changes[i].Kind, changes[i].Id)] = i;
        }

        return changes.Where((change, i) => last[(change.Kind, change.Id)] == i);
    }

    private static JsonDocument? Parse(string line, bool isLast, string path)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException e)
        {
            return isLast ? null : throw new InvalidDataException($"{path} is damaged before its last line.", e);
        }
    }
}
