using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Flex.Local.Runtime.Durable;

/// <summary>
/// The durable client of the local hub. Calls return when what they asked for is stored; the instance acts on it when the
/// scheduler comes to it. Unknown and ended instances answer with <see cref="InstanceFaultException"/> where the real client
/// throws Grpc.Core.RpcException.
/// </summary>
public sealed class LocalDurableTaskClient : DurableTaskClient
{
    private readonly LocalTaskHub _hub;

    internal LocalDurableTaskClient(LocalTaskHub hub)
        : base("local") => _hub = hub;

    public override Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName,
        object? input = null,
        StartOrchestrationOptions? options = null,
        CancellationToken cancellation = default) => _hub.StartInstanceAsync(orchestratorName.Name, Payload(input), options, cancellation);

    public override Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default) =>
        _hub.SendAsync(instanceId, HubMessageKind.Event, eventName, Payload(eventPayload), recursive: false, cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        _hub.WatchAsync(instanceId, m => m.RuntimeStatus != OrchestrationRuntimeStatus.Pending, getInputsAndOutputs, cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        _hub.WatchAsync(instanceId, m => LocalTaskHub.IsFinished(m.RuntimeStatus), getInputsAndOutputs, cancellation);

    public override Task TerminateInstanceAsync(string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default) =>
        _hub.SendAsync(instanceId, HubMessageKind.Terminate, null, Payload(options?.Output), options?.Recursive ?? false, cancellation);

    public override Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        _hub.SendAsync(instanceId, HubMessageKind.Suspend, reason, null, recursive: false, cancellation);

    public override Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        _hub.SendAsync(instanceId, HubMessageKind.Resume, reason, null, recursive: false, cancellation);

    public override Task<OrchestrationMetadata?> GetInstancesAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        _hub.FindAsync(instanceId, getInputsAndOutputs, cancellation);

    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null) => new InstancePages(_hub, filter ?? new OrchestrationQuery());

    public override async Task<PurgeResult> PurgeInstanceAsync(string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default) =>
        new(await _hub.PurgeAsync(instanceId, options?.Recursive ?? false, cancellation));

    public override async Task<PurgeResult> PurgeAllInstancesAsync(PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        List<string> matches = [];
        await foreach (OrchestrationMetadata instance in _hub.ListAsync(string.Empty, withBody: false, cancellation))
        {
            if (LocalTaskHub.IsFinished(instance.RuntimeStatus) && Matches(instance, filter.CreatedFrom, filter.CreatedTo, filter.Statuses))
            {
                matches.Add(instance.InstanceId);
            }
        }

        int purged = 0;
        foreach (string id in matches)
        {
            purged += await _hub.PurgeAsync(id, options?.Recursive ?? false, cancellation);
        }

        return new PurgeResult(purged);
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static RawJson? Payload(object? value) => RawJson.From(StorageDataConverter.Instance.Serialize(value));

    private static bool Matches(OrchestrationMetadata instance, DateTimeOffset? from, DateTimeOffset? to, IEnumerable<OrchestrationRuntimeStatus>? statuses) =>
        !(instance.CreatedAt < from) && !(instance.CreatedAt > to) && statuses?.Contains(instance.RuntimeStatus) != false;

    /// <summary>Pages in the order of the ids; the continuation token is the last id of the page before.</summary>
    private sealed class InstancePages(LocalTaskHub hub, OrchestrationQuery query) : AsyncPageable<OrchestrationMetadata>
    {
        public override async IAsyncEnumerable<Page<OrchestrationMetadata>> AsPages(string? continuationToken = null, int? pageSizeHint = null)
        {
            int size = Math.Max(1, pageSizeHint ?? query.PageSize);
            List<OrchestrationMetadata> page = [];
            await foreach (OrchestrationMetadata instance in hub.ListAsync(continuationToken ?? query.ContinuationToken ?? string.Empty, query.FetchInputsAndOutputs, CancellationToken.None))
            {
                if (!Matches(instance, query.CreatedFrom, query.CreatedTo, query.Statuses)
                    || (query.InstanceIdPrefix is { } prefix && !instance.InstanceId.StartsWith(prefix, StringComparison.Ordinal)))
                {
                    continue;
                }

                if (page.Count == size)
                {
                    yield return new Page<OrchestrationMetadata>(page, page[^1].InstanceId);
                    page = [];
                }

                page.Add(instance);
            }

            yield return new Page<OrchestrationMetadata>(page);
        }
    }
}
