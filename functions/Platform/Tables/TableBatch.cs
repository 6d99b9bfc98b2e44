using Flex.Platform.Messaging;

namespace Flex.Platform.Tables;

/// <summary>
/// The writes of one commit: one table, one partition. The type itself refuses what the service would refuse and the
/// emulator accepts: more than 100 operations, a row twice, bad keys, oversize rows or bodies.
/// </summary>
public sealed class TableBatch
{
    /// <summary>Bytes of a row in the request beside its document.</summary>
    private const int RowOverhead = 2048;

    private readonly List<TableOperation> _operations = [];
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<OutboxMessage> _messages = [];
    private int _bytes;

    public TableBatch(string table, string partition)
    {
        if (!TableKeys.IsTableName(table))
        {
            throw new DefectException($"'{table}' is not a valid table name.");
        }

        TableKeys.Require(partition);
        Table = table;
        Partition = partition;
    }

    public string Table { get; }

    public string Partition { get; }

    public IReadOnlyList<TableOperation> Operations => _operations;

    /// <summary>Messages that leave when, and only when, this batch has been committed.</summary>
    public IReadOnlyList<OutboxMessage> Messages => _messages;

    /// <summary>Adds a row that must not exist yet.</summary>
    public TableBatch Insert<T>(string key, T document) => Add(new TableOperation(TableOperationKind.Insert, key, StorageJson.Write(document), null));

    /// <summary>Replaces the row if it is still the version that was read.</summary>
    public TableBatch Replace<T>(string key, T document, string etag) =>
        Add(new TableOperation(TableOperationKind.Replace, key, StorageJson.Write(document), Version(etag)));

    /// <summary>Inserts when <paramref name="etag"/> is null (nothing was read), else replaces.</summary>
    public TableBatch Put<T>(string key, T document, string? etag) => etag is null ? Insert(key, document) : Replace(key, document, etag);

    /// <summary>Deletes the row if it is still the version that was read.</summary>
    public TableBatch Delete(string key, string etag) => Add(new TableOperation(TableOperationKind.Delete, key, null, Version(etag)));

    /// <summary>
    /// Adds a row that must not exist yet, its document just as it was stored before; for restores. False when the transaction is
    /// full: the row goes into the next one.
    /// </summary>
    public bool TryInsertStored(string key, string data)
    {
        if (_operations.Count == TableLimits.MaxOperations
            || (_operations.Count > 0 && _bytes + EncodedBytes(data) + RowOverhead > TableLimits.MaxBatchBytes))
        {
            return false;
        }

        Add(new TableOperation(TableOperationKind.Insert, key, data, null));
        return true;
    }

    /// <summary>Sends a message through the outbox: its row commits with this batch (key <c>O|{id}</c>).</summary>
    public TableBatch Send(OutboxMessage message)
    {
        _messages.Add(message);
        return Insert(RowKeys.Outbox + message.Id, message);
    }

    public TableBatch Send(IEnumerable<OutboxMessage> messages)
    {
        foreach (OutboxMessage message in messages)
        {
            Send(message);
        }

        return this;
    }

    private TableBatch Add(TableOperation operation)
    {
        TableKeys.Require(operation.Key);
        if (_operations.Count == TableLimits.MaxOperations)
        {
            throw new DefectException($"A transaction holds at most {TableLimits.MaxOperations} operations.");
        }

        if (!_keys.Add(operation.Key))
        {
            throw new DefectException($"Row '{operation.Key}' is in the transaction twice.");
        }

        if (operation.Data is { } data)
        {
            if (data.Length > TableLimits.MaxDataChars)
            {
                throw new DefectException($"Row '{operation.Key}' has {data.Length} characters, more than {TableLimits.MaxDataChars}.");
            }

            _bytes += EncodedBytes(data);
        }

        _bytes += RowOverhead;
        if (_bytes > TableLimits.MaxBatchBytes)
        {
            throw new DefectException($"The transaction is larger than {TableLimits.MaxBatchBytes} bytes.");
        }

        _operations.Add(operation);
        return this;
    }

    private static string Version(string etag) => etag is { Length: > 0 } and not "*"
        ? etag
        : throw new DefectException("A write names the version it has read.");

    /// <summary>
    /// Bytes of the document inside the request, where it is a JSON string: the client library's writer turns quotes and
    /// everything outside ASCII into \uXXXX.
    /// </summary>
    private static int EncodedBytes(string data)
    {
        int bytes = 0;
        foreach (char c in data)
        {
            bytes += c == '\\' ? 2 : char.IsAscii(c) && c is not ('"' or '\'' or '<' or '>' or '&' or '+' or '`') && !char.IsControl(c) ? 1 : 6;
        }

        return bytes;
    }
}

public enum TableOperationKind
{
    Insert,
    Replace,
    Delete,
}

public sealed record TableOperation(TableOperationKind Kind, string Key, string? Data, string? ETag);
