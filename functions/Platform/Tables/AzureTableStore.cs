using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Azure;
using Azure.Data.Tables;

namespace Flex.Platform.Tables;

/// <summary>
/// Azure Table storage and its emulator. Tables are made on first use, once per process. Built once and shared: the client
/// holds the connections.
/// </summary>
public sealed class AzureTableStore : ITableStore, ITableScanner
{
    /// <summary>
    /// A commit gives up after this, retries included. The service ends what it has received within 30 s more, and both
    /// together stay below <see cref="Messaging.Committer.SweepDelay"/>: no commit appears after its sweep has run.
    /// </summary>
    public static readonly TimeSpan CommitDeadline = TimeSpan.FromSeconds(20);

    private readonly TableServiceClient _service;
    private readonly string _prefix;
    private readonly OnFirstUse<TableClient> _tables;

    internal AzureTableStore(TableServiceClient service, string prefix = "")
    {
        _service = service;
        _prefix = prefix;
        _tables = new OnFirstUse<TableClient>(CreateTableAsync);
    }

    public async Task<TableRow?> FindAsync(string table, string partition, string key, CancellationToken cancellation)
    {
        if (!TableKeys.IsValid(partition) || !TableKeys.IsValid(key))
        {
            return null;
        }

        return await GuardAsync(
            async () => await EntityAsync(await _tables.GetAsync(table, cancellation), partition, key, cancellation) is { } entity ? TableDocument.ToRow(entity) : null,
            table,
            cancellation);
    }

    public async Task<IReadOnlyList<TableRow>> ReadAsync(string table, string partition, RowRange range, int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, TableLimits.MaxPage);
        return await GuardAsync(
            async () =>
            {
                TableClient client = await _tables.GetAsync(table, cancellation);
                var rows = new List<TableRow>();
                AsyncPageable<TableEntity> query = client.QueryAsync<TableEntity>(TableDocument.Filter(partition, range), limit, cancellationToken: cancellation);

                // The service may end a page early, even empty, with a continuation token: only a missing token is the end.
                await foreach (Page<TableEntity> page in query.AsPages(pageSizeHint: limit))
                {
                    rows.AddRange(page.Values.Take(limit - rows.Count).Select(TableDocument.ToRow));
                    if (rows.Count == limit)
                    {
                        break;
                    }
                }

                return (IReadOnlyList<TableRow>)rows;
            },
            table,
            cancellation);
    }

    public async Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation)
    {
        if (batch.Operations.Count == 0)
        {
            return CommitResult.Empty;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(CommitDeadline);
        return await GuardAsync(
            async () =>
            {
                TableClient client = await _tables.GetAsync(batch.Table, deadline.Token);

                // Never from a seeded source: an id that comes twice would turn a refusal into a success.
                string commitId = RandomNumberGenerator.GetHexString(32, lowercase: true);
                using IDisposable watch = Attempts.Watch(out Attempts attempts);
                try
                {
                    return await SendAsync(client, batch, commitId, deadline.Token);
                }
                catch (RequestFailedException refusal) when (TableFailures.Refusal(refusal, batch) is { } result)
                {
                    return result.Kind != CommitKind.Invalid
                        && attempts.WasRetried
                        && await IsCommittedAsync(client, batch, result.Key!, commitId, deadline.Token)
                            ? CommitResult.Committed
                            : result;
                }
            },
            batch.Table,
            cancellation);
    }

    public async IAsyncEnumerable<IReadOnlyList<TableRow>> ScanPagesAsync(string table, [EnumeratorCancellation] CancellationToken cancellation)
    {
        TableClient client = await GuardAsync(async () => await _tables.GetAsync(table, cancellation), table, cancellation);
        await using IAsyncEnumerator<Page<TableEntity>> pages =
            client.QueryAsync<TableEntity>(cancellationToken: cancellation).AsPages().GetAsyncEnumerator(cancellation);
        while (await GuardAsync(async () => await pages.MoveNextAsync(), table, cancellation))
        {
            yield return [.. pages.Current.Values.Select(TableDocument.ToRow)];
        }
    }

    public async Task<IReadOnlyList<string>> TablesAsync(CancellationToken cancellation) => await GuardAsync(
        async () =>
        {
            var names = new List<string>();
            await foreach (Azure.Data.Tables.Models.TableItem table in _service.QueryAsync(cancellationToken: cancellation))
            {
                if (table.Name.StartsWith(_prefix, StringComparison.Ordinal))
                {
                    names.Add(table.Name[_prefix.Length..]);
                }
            }

            names.Sort(StringComparer.Ordinal);
            return (IReadOnlyList<string>)names;
        },
        table: null,
        cancellation);

    private static async Task<TableEntity?> EntityAsync(TableClient client, string partition, string key, CancellationToken cancellation)
    {
        NullableResponse<TableEntity> response = await client.GetEntityIfExistsAsync<TableEntity>(partition, key, cancellationToken: cancellation);
        return response.HasValue ? response.Value : null;
    }

    /// <summary>A lone operation goes without a transaction, which costs the service half as much.</summary>
    private static async Task<CommitResult> SendAsync(TableClient client, TableBatch batch, string commitId, CancellationToken cancellation)
    {
        if (batch.Operations is not [TableOperation only])
        {
            Response<IReadOnlyList<Response>> answers = await client.SubmitTransactionAsync(batch.Operations.Select(o => Action(batch, o, commitId)), cancellation);
            return CommitResult.Committed with { ETags = [.. answers.Value.Select(answer => answer.Headers.ETag?.ToString())] };
        }

        switch (only.Kind)
        {
            case TableOperationKind.Insert:
                Response added = await client.AddEntityAsync(TableDocument.ToEntity(batch.Partition, only, commitId), cancellation);
                return CommitResult.Committed with { ETags = [added.Headers.ETag?.ToString()] };
            case TableOperationKind.Replace:
                Response replaced = await client.UpdateEntityAsync(
                    TableDocument.ToEntity(batch.Partition, only, commitId), new ETag(only.ETag!), TableUpdateMode.Replace, cancellation);
                return CommitResult.Committed with { ETags = [replaced.Headers.ETag?.ToString()] };
            default:
                // The client library swallows the 404 of a lone delete.
                Response answer = await client.DeleteEntityAsync(batch.Partition, only.Key, new ETag(only.ETag!), cancellation);
                return answer.Status == 404 ? new CommitResult(CommitKind.Stale, only.Key) : CommitResult.Committed;
        }
    }

    private static TableTransactionAction Action(TableBatch batch, TableOperation operation, string commitId) => operation.Kind switch
    {
        TableOperationKind.Insert => new(TableTransactionActionType.Add, TableDocument.ToEntity(batch.Partition, operation, commitId)),
        TableOperationKind.Replace => new(TableTransactionActionType.UpdateReplace, TableDocument.ToEntity(batch.Partition, operation, commitId), new ETag(operation.ETag!)),
        _ => new(TableTransactionActionType.Delete, new TableEntity(batch.Partition, operation.Key), new ETag(operation.ETag!)),
    };

    /// <summary>
    /// Whether an earlier attempt of this very commit took effect. The refused row tells, unless it is a deleted one or
    /// somebody has overwritten it since; then an inserted row of the batch is the witness that lasts longest.
    /// </summary>
    private static async Task<bool> IsCommittedAsync(TableClient client, TableBatch batch, string refused, string commitId, CancellationToken cancellation)
    {
        IEnumerable<string> witnesses = batch.Operations
            .Where(o => o.Kind != TableOperationKind.Delete)
            .OrderByDescending(o => o.Key == refused)
            .ThenBy(o => o.Kind)
            .Select(o => o.Key)
            .Take(2);
        foreach (string key in witnesses)
        {
            if (await EntityAsync(client, batch.Partition, key, cancellation) is { } entity && entity.GetString(TableDocument.CommitId) == commitId)
            {
                return true;
            }
        }

        return false;
    }

    private async Task<TableClient> CreateTableAsync(string table, CancellationToken cancellation)
    {
        TableClient client = _service.GetTableClient(_prefix + table);
        await client.CreateIfNotExistsAsync(cancellation);
        return client;
    }

    /// <summary>Everything the client library throws becomes one of ours.</summary>
    private async Task<T> GuardAsync<T>(Func<Task<T>> call, string? table, CancellationToken cancellation)
    {
        try
        {
            return await call();
        }
        catch (Exception failure) when (StorageFailures.IsTransient(failure, cancellation))
        {
            throw new TransientFaultException("Table storage is busy or out of reach.", failure);
        }
        catch (RequestFailedException failure)
        {
            if (table is not null && failure.ErrorCode == "TableNotFound")
            {
                _tables.Forget(table);
                throw new TransientFaultException("A table was deleted while the process ran; it is made again at the next use.", failure);
            }

            throw new DefectException(string.Create(CultureInfo.InvariantCulture, $"Table storage refused a call: {failure.Status} {failure.ErrorCode}."), failure);
        }
    }
}
