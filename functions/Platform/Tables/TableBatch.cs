using System.Text;
using Flex.Platform.Messaging;

namespace Flex.Platform.Tables;

/// <summary>
/// The writes of one commit: one table, one partition. The type itself refuses what the service would refuse and the
/// emulator accepts: more than 100 operations, a row twice, bad keys, oversize rows or bodies.
/// </summary>
public sealed class TableBatch
{
    private readonly List<TableOperation> _operations = [];
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<OutboxMessage> _messages = [];
    private int _bytes;

    public TableBatch(string table, string partition)
    {
        Guard(partition, allowEmpty: false);
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
    public TableBatch Replace<T>(string key, T document, string etag) => Add(new TableOperation(TableOperationKind.Replace, key, StorageJson.Write(document), Version(etag)));

    /// <summary>Inserts when <paramref name="etag"/> is null (nothing was read), else replaces.</summary>
    public TableBatch Put<T>(string key, T document, string? etag) => etag is null ? Insert(key, document) : Replace(key, document, etag);

    /// <summary>Deletes the row if it is still the version that was read.</summary>
    public TableBatch Delete(string key, string etag) => Add(new TableOperation(TableOperationKind.Delete, key, null, Version(etag)));

    /// <summary>Sends a message through the outbox: its row commits with this batch (key <c>O|{id}</c>).</summary>
    public TableBatch Send(OutboxMessage message)
    {
        _messages.Add(message);
        return Insert(RowKeys.Outbox + message.Id, message);
    }

    private TableBatch Add(TableOperation operation)
    {
        Guard(operation.Key, allowEmpty: false);
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

            _bytes += Encoding.UTF8.GetByteCount(data);
        }

        _bytes += 2048;
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

    private static void Guard(string key, bool allowEmpty)
    {
        if ((key.Length == 0 && !allowEmpty) || key.Length > TableLimits.MaxKeyChars
            || key.AsSpan().ContainsAny("/\\#?") || key.Any(char.IsControl))
        {
            throw new DefectException($"'{key}' is not a valid table key.");
        }
    }
}

public enum TableOperationKind
{
    Insert,
    Replace,
    Delete,
}

public sealed record TableOperation(TableOperationKind Kind, string Key, string? Data, string? ETag);

public enum CommitKind
{
    Committed,

    /// <summary>A row that was to be replaced or deleted has changed or is gone: read again.</summary>
    Stale,

    /// <summary>A row that was to be inserted exists: <see cref="CommitResult.Key"/> and its prefix say what it means.</summary>
    Duplicate,

    /// <summary>The service refused the batch itself. A defect in our code, never the caller's fault.</summary>
    Invalid,
}

/// <summary>What became of a commit. A lost answer is resolved by the adapter: Committed means it is there.</summary>
public sealed record CommitResult(CommitKind Kind, string? Key = null, string? Detail = null)
{
    public static CommitResult Committed { get; } = new(CommitKind.Committed);

    public bool IsCommitted => Kind == CommitKind.Committed;

    /// <summary>True when a row with this prefix was already there.</summary>
    public bool IsDuplicateOf(string prefix) => Kind == CommitKind.Duplicate && Key!.StartsWith(prefix, StringComparison.Ordinal);

    /// <summary>For commits that nothing can compete with: anything but Committed is a defect, Stale is transient.</summary>
    public void Require()
    {
        if (Kind == CommitKind.Stale)
        {
            throw new TransientFaultException($"Row '{Key}' changed while it was worked on.");
        }

        if (Kind != CommitKind.Committed)
        {
            throw new DefectException($"Commit refused: {Kind} {Key} {Detail}");
        }
    }
}

/// <summary>Row-key prefixes that have one meaning in every table; features add their own.</summary>
public static class RowKeys
{
    /// <summary>Outbox rows: messages committed and not yet known to be published.</summary>
    public const string Outbox = "O|";

    /// <summary>Inbox rows: ids of messages whose effect is in this partition.</summary>
    public const string Inbox = "M|";

    /// <summary>Idempotency rows: requests whose effect is in this partition, with their answer.</summary>
    public const string Idempotency = "K|";
}
