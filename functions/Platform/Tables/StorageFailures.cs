using Azure;
using Azure.Identity;

namespace Flex.Platform.Tables;

/// <summary>What the storage clients' exceptions have in common.</summary>
internal static class StorageFailures
{
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
