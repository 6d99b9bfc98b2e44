using System.Globalization;
using System.Text;
using System.Text.Json;
using Flex.Platform;
using Flex.Platform.Tables;

namespace Flex.Local.Runtime.Durable;

/// <summary>
/// The only file that knows the hub's keys. An unfinished instance is a partition of <see cref="Live"/> named by its id:
/// <list type="bullet">
/// <item><c>H|{generation}|{record}</c>: the log, appended to only; the last record is the state;</item>
/// <item><c>M|{number}</c>: the inbox; consumed numbers are named in the state;</item>
/// <item><c>S|{generation}|{record}</c>: the record's outbox has been delivered.</item>
/// </list>
/// When it ends, its summary moves to <see cref="Finished"/> and the partition is deleted, the last log record last, so a
/// start reads nothing but unfinished instances. A document too large for a row is cut into rows <c>{key}~{n}</c> that are
/// written before the row itself and mean nothing without it.
/// </summary>
internal sealed class HubStore(ITableStore tables, ITableScanner scanner)
{
    public const string Live = "hubinstances";
    public const string Finished = "hubfinished";
    private const string SummaryKey = "I";
    private const string BodyKey = "B";
    private const string LogPrefix = "H|";
    private const string InboxPrefix = "M|";
    private const string SentPrefix = "S|";
    private const string PartsMark = "{\"parts\":";

    /// <summary>Characters of one piece; as a JSON string it can become twice as long and must stay below a row's limit.</summary>
    private const int PieceChars = 200_000;

    /// <summary>A body up to here stays in the summary's row, which leaves room for the rest.</summary>
    private const int InlineBodyChars = 300_000;

    public Task AppendAsync(string id, int generation, int record, LogRecord document, CancellationToken cancellation) =>
        WriteAsync(Live, id, LogKey(generation, record), StorageJson.Write(document), null, cancellation);

    public Task AppendAsync(string id, long number, HubMessage message, CancellationToken cancellation) =>
        WriteAsync(Live, id, InboxKey(number), StorageJson.Write(message), null, cancellation);

    public async Task MarkSentAsync(string id, int generation, int record, CancellationToken cancellation) =>
        (await tables.CommitAsync(new TableBatch(Live, id).Insert(SentPrefix + LogKey(generation, record)[2..], new RawJson("{}")), cancellation)).Require();

    /// <summary>All unfinished instances, and those whose end was cut short.</summary>
    public async IAsyncEnumerable<StoredInstance> ScanAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        List<TableRow> rows = [];
        await foreach (TableRow row in scanner.ScanAsync(Live, cancellation))
        {
            if (rows.Count > 0 && rows[0].Partition != row.Partition)
            {
                yield return Parse(rows[0].Partition, rows);
                rows = [];
            }

            rows.Add(row);
        }

        if (rows.Count > 0)
        {
            yield return Parse(rows[0].Partition, rows);
        }
    }

    public async Task<StoredInstance> LoadAsync(string id, CancellationToken cancellation) => Parse(id, await RowsAsync(Live, id, cancellation));

    /// <summary>Deletes rows that mean nothing any more: earlier generations, consumed messages, pieces without their row.</summary>
    public async Task CleanAsync(string id, int generation, InstanceState state, CancellationToken cancellation)
    {
        string current = LogKey(generation, 0)[2..];
        HashSet<long> consumed = [.. state.Consumed ?? []];
        List<TableRow> rows = await RowsAsync(Live, id, cancellation);
        HashSet<string> keys = [.. rows.Select(r => r.Key)];
        await DeleteAsync(Live, id, rows.Where(row => IsPieceOf(row.Key, out string owner)
            ? !keys.Contains(owner) || IsStale(owner)
            : IsStale(row.Key)), cancellation);

        bool IsStale(string key) => key.StartsWith(InboxPrefix, StringComparison.Ordinal)
            ? long.Parse(key.AsSpan(2), CultureInfo.InvariantCulture) is var number && (number < state.LowWater || consumed.Contains(number))
            : string.CompareOrdinal(key[2..], current) < 0;
    }

    /// <summary>Deletes the whole partition, the newest log record last: until then the instance shows as what it was.</summary>
    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        List<TableRow> rows = await RowsAsync(Live, id, cancellation);
        string? newest = rows.Where(r => r.Key.StartsWith(LogPrefix, StringComparison.Ordinal) && !IsPieceOf(r.Key, out _)).Select(r => r.Key).LastOrDefault();
        await DeleteAsync(Live, id, rows.OrderBy(r => newest is not null && (r.Key == newest || (IsPieceOf(r.Key, out string owner) && owner == newest))), cancellation);
    }

    /// <summary>Writes what remains of an instance, over an earlier one of the same id.</summary>
    /// <param name="mayExist">False when there is certainly none, which saves the look.</param>
    public async Task ArchiveAsync(string id, FinishedInstance instance, bool mayExist, CancellationToken cancellation)
    {
        string body = StorageJson.Write(instance.Body);
        bool inline = body.Length <= InlineBodyChars;
        List<TableRow>? existing = mayExist || !inline ? await RowsAsync(Finished, id, cancellation) : null;
        if (!inline)
        {
            await WriteAsync(Finished, id, BodyKey, body, existing, cancellation);
        }

        await WriteAsync(Finished, id, SummaryKey, StorageJson.Write(inline ? instance : instance with { Body = null }), existing, cancellation);
    }

    public async Task<FinishedInstance?> FindFinishedAsync(string id, bool withBody, CancellationToken cancellation)
    {
        TableRow? row = await tables.FindAsync(Finished, id, SummaryKey, cancellation);
        return row is null ? null : await FinishedAsync(row, withBody, cancellation);
    }

    /// <summary>All finished instances in the order of their ids, whole-table: for queries and purges only.</summary>
    public async IAsyncEnumerable<(string Id, FinishedInstance Instance)> ScanFinishedAsync(
        bool withBody,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (TableRow row in scanner.ScanAsync(Finished, cancellation))
        {
            if (row.Key == SummaryKey)
            {
                yield return (row.Partition, await FinishedAsync(row, withBody, cancellation));
            }
        }
    }

    /// <summary>Deletes what remains of a finished instance; false when there is none.</summary>
    public async Task<bool> PurgeAsync(string id, CancellationToken cancellation)
    {
        List<TableRow> rows = await RowsAsync(Finished, id, cancellation);
        await DeleteAsync(Finished, id, rows.OrderBy(r => r.Key == SummaryKey), cancellation);
        return rows.Exists(r => r.Key == SummaryKey);
    }

    private async Task<FinishedInstance> FinishedAsync(TableRow row, bool withBody, CancellationToken cancellation)
    {
        FinishedInstance instance = row.As<FinishedInstance>();
        if (instance.Body is not null || !withBody)
        {
            return instance;
        }

        List<TableRow> rows = await RowsAsync(Finished, row.Partition, cancellation);
        string? body = Assemble(rows.ToDictionary(r => r.Key, r => r.Data), BodyKey);
        return instance with { Body = body is null ? null : StorageJson.Read<InstanceBody>(body) };
    }

    /// <summary>Inserts a document, or replaces it when <paramref name="existing"/> holds it. Large ones in pieces, the row itself last.</summary>
    private async Task WriteAsync(string table, string partition, string key, string json, List<TableRow>? existing, CancellationToken cancellation)
    {
        if (json.Length > TableLimits.MaxDataChars)
        {
            int pieces = 0;
            for (int at = 0; at < json.Length; at += PieceChars)
            {
                string piece = JsonSerializer.Serialize(json.Substring(at, Math.Min(PieceChars, json.Length - at)), PieceOptions);
                await PutAsync($"{key}~{pieces++:D3}", piece);
            }

            json = string.Create(CultureInfo.InvariantCulture, $"{PartsMark}{pieces}}}");
        }

        await PutAsync(key, json);

        async Task PutAsync(string row, string data)
        {
            string? etag = existing?.Find(r => r.Key == row)?.ETag;
            (await tables.CommitAsync(new TableBatch(table, partition).Put(row, new RawJson(data), etag), cancellation)).Require();
        }
    }

    private static string? Assemble(Dictionary<string, string> rows, string key)
    {
        if (!rows.TryGetValue(key, out string? data) || !data.StartsWith(PartsMark, StringComparison.Ordinal))
        {
            return data;
        }

        int pieces = int.Parse(data.AsSpan(PartsMark.Length, data.Length - PartsMark.Length - 1), CultureInfo.InvariantCulture);
        var json = new StringBuilder(pieces * PieceChars);
        for (int i = 0; i < pieces; i++)
        {
            json.Append(JsonSerializer.Deserialize<string>(rows[$"{key}~{i:D3}"]));
        }

        return json.ToString();
    }

    private static StoredInstance Parse(string id, List<TableRow> rows)
    {
        Dictionary<string, string> data = rows.ToDictionary(r => r.Key, r => r.Data);
        List<string> keys = [.. rows.Select(r => r.Key).Where(k => !IsPieceOf(k, out _))];
        string? newest = keys.LastOrDefault(k => k.StartsWith(LogPrefix, StringComparison.Ordinal));
        if (newest is null)
        {
            return new StoredInstance(id, 0, [], [], new HashSet<int>(), HasLeftovers: rows.Count > 0);
        }

        string generation = newest[2..8];
        List<LogRecord> log = [.. keys.Where(k => k.StartsWith(LogPrefix + generation, StringComparison.Ordinal)).Select(k => StorageJson.Read<LogRecord>(Assemble(data, k)!))];
        HashSet<int> sent = [.. keys.Where(k => k.StartsWith(SentPrefix + generation, StringComparison.Ordinal)).Select(k => int.Parse(k.AsSpan(9), CultureInfo.InvariantCulture))];
        InstanceState state = log[^1].State;
        List<(long Number, HubMessage Message)> inbox = [];
        foreach (string key in keys.Where(k => k.StartsWith(InboxPrefix, StringComparison.Ordinal)))
        {
            long number = long.Parse(key.AsSpan(2), CultureInfo.InvariantCulture);
            if (number >= state.LowWater && state.Consumed?.Contains(number) != true)
            {
                inbox.Add((number, StorageJson.Read<HubMessage>(Assemble(data, key)!)));
            }
        }

        bool orphans = rows.Exists(r => IsPieceOf(r.Key, out string owner) && !data.ContainsKey(owner));
        return new StoredInstance(id, int.Parse(generation, CultureInfo.InvariantCulture), log, inbox, sent, orphans || !keys.Contains(LogPrefix + generation + "|000000"));
    }

    private async Task<List<TableRow>> RowsAsync(string table, string id, CancellationToken cancellation)
    {
        List<TableRow> rows = [];
        await foreach (TableRow row in tables.ReadAllAsync(table, id, RowRange.All, cancellation))
        {
            rows.Add(row);
        }

        return rows;
    }

    private async Task DeleteAsync(string table, string id, IEnumerable<TableRow> rows, CancellationToken cancellation)
    {
        foreach (TableRow[] chunk in rows.Chunk(TableLimits.MaxOperations))
        {
            var batch = new TableBatch(table, id);
            foreach (TableRow row in chunk)
            {
                batch.Delete(row.Key, row.ETag);
            }

            CommitResult result = await tables.CommitAsync(batch, cancellation);
            if (chunk.Length > 1 || result.Kind != CommitKind.Stale)
            {
                // A lone delete that is stale has lost its answer: the row is gone. A stale batch is read and tried again.
                result.Require();
            }
        }
    }

    private static bool IsPieceOf(string key, out string owner)
    {
        int mark = key.IndexOf('~', StringComparison.Ordinal);
        owner = mark < 0 ? key : key[..mark];
        return mark >= 0;
    }

    private static string LogKey(int generation, int record) => string.Create(CultureInfo.InvariantCulture, $"{LogPrefix}{generation:D6}|{record:D6}");

    private static string InboxKey(long number) => string.Create(CultureInfo.InvariantCulture, $"{InboxPrefix}{number:D10}");

    private static readonly JsonSerializerOptions PieceOptions = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

/// <summary>What storage holds of an unfinished instance: the current generation's log and the inbox.</summary>
/// <param name="Sent">Log records whose outbox has been delivered.</param>
/// <param name="HasLeftovers">Rows are there that mean nothing and would be in the way of a repeated write.</param>
internal sealed record StoredInstance(
    string Id,
    int Generation,
    IReadOnlyList<LogRecord> Log,
    IReadOnlyList<(long Number, HubMessage Message)> Inbox,
    IReadOnlySet<int> Sent,
    bool HasLeftovers);
