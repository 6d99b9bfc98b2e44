using Azure;
using Azure.Data.Tables;

namespace Flex.Platform.Tables;

/// <summary>What the service's refusals mean for a batch.</summary>
internal static class TableFailures
{
    /// <summary>What a refused commit means; null when the failure is not a refusal of the batch.</summary>
    public static CommitResult? Refusal(RequestFailedException failure, TableBatch batch)
    {
        int? index = (failure as TableTransactionFailedException)?.FailedTransactionActionIndex ?? (batch.Operations.Count == 1 ? 0 : null);
        TableOperation? operation = index is { } i && i >= 0 && i < batch.Operations.Count ? batch.Operations[i] : null;
        return failure.Status switch
        {
            409 when operation is { Kind: TableOperationKind.Insert } && failure.ErrorCode == "EntityAlreadyExists" =>
                new CommitResult(CommitKind.Duplicate, operation.Key),
            404 when operation is not null && failure.ErrorCode != "TableNotFound" => new CommitResult(CommitKind.Stale, operation.Key),
            412 when operation is not null => new CommitResult(CommitKind.Stale, operation.Key),
            400 or 413 => new CommitResult(CommitKind.Invalid, operation?.Key, $"{failure.Status} {failure.ErrorCode}"),
            _ => null,
        };
    }
}
