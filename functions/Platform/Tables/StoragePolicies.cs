using Azure.Core;
using Azure.Core.Pipeline;

namespace Flex.Platform.Tables;

/// <summary>Counts each logical call of a storage client once; belongs into the pipeline's per-call position.</summary>
internal sealed class StorageCallPolicy(string service) : HttpPipelineSynchronousPolicy
{
    public override void OnSendingRequest(HttpMessage message) => StorageCalls.Record(service);
}

/// <summary>Counts the attempts of one call for the caller that asked with <see cref="Attempts.Watch"/>; belongs into the per-retry position.</summary>
internal sealed class AttemptPolicy : HttpPipelineSynchronousPolicy
{
    public override void OnSendingRequest(HttpMessage message)
    {
        if (message.TryGetProperty(Attempts.Property, out object? value) && value is Attempts attempts)
        {
            attempts.Add();
        }
    }
}

/// <summary>
/// How often the pipeline sent one call. A refusal of the first attempt is what it says; a refusal of a later one may be the
/// echo of an earlier attempt that took effect and whose answer was lost.
/// </summary>
internal sealed class Attempts
{
    public const string Property = "Flex.Attempts";

    private int _count;

    public bool WasRetried => Volatile.Read(ref _count) > 1;

    public static IDisposable Watch(out Attempts attempts)
    {
        attempts = new Attempts();
        return HttpPipeline.CreateHttpMessagePropertiesScope(new Dictionary<string, object?> { [Property] = attempts });
    }

    public void Add() => Interlocked.Increment(ref _count);
}
