using Azure;
using Azure.Data.Tables;
using Azure.Identity;

namespace Flex.Platform.Tables;

/// <summary>What the client library's exceptions mean to us.</summary>
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

    /// <summary>
    /// Busy, throttled, slow or unreachable, also after the pipeline's retries (then an <see cref="AggregateException"/>). A
    /// cancellation that the caller did not ask for is a timeout.
    /// </summary>
    public static bool IsTransient(Exception failure, CancellationToken callers) => failure switch
    {
        RequestFailedException { Status: 0 or 408 or 429 or >= 500 } => true,
        RequestFailedException { ErrorCode: "TableBeingDeleted" or "ContainerBeingDeleted" } => true,
        OperationCanceledException => !callers.IsCancellationRequested,
        AggregateException many => many.InnerExceptions.All(e => IsTransient(e, callers)),
        AuthenticationFailedException or IOException or HttpRequestException => true,
        _ => false,
    };
}
