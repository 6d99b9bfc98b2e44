using Flex.Local.Runtime.Faults;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Storage;
using Flex.Local.Runtime.Timers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Local.Runtime.Hosting;

/// <summary>The controls of the local host: clock, faults, and looking inside.</summary>
public sealed class ControlsModule : ILocalModule
{
    /// <summary>Instances listed at most; a prefix narrows the list down.</summary>
    private const int MostInstances = 1000;

    private sealed record ClockRequest(Period? Advance, Instant? To);

    public void Configure(IServiceCollection services)
    {
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        IServiceProvider services = routes.ServiceProvider;
        Scheduler scheduler = services.GetRequiredService<Scheduler>();
        FaultRegistry faults = services.GetRequiredService<FaultRegistry>();
        routes.MapGet("/local/clock", LocalHttp.Answer(_ => Now(scheduler)));
        routes.MapPost("/local/clock", LocalHttp.Answer(http => MoveAsync(http, scheduler)));
        routes.MapGet("/local/faults", LocalHttp.Answer(_ => faults.Rules));
        routes.MapPost("/local/faults", LocalHttp.Answer(async http => faults.Add(Checked(await LocalHttp.ReadAsync<FaultRule>(http.Request)))));
        routes.MapDelete("/local/faults", LocalHttp.Answer(_ => Remove(faults, null)));
        routes.MapDelete("/local/faults/{id}", LocalHttp.Answer(http => Remove(faults, (string)http.Request.RouteValues["id"]!)));
        routes.MapGet("/local/queues", LocalHttp.Answer(_ => services.GetRequiredService<LocalQueues>().Status()));
        routes.MapGet("/local/timers", LocalHttp.Answer(_ => services.GetRequiredService<TimerSource>().Schedules));
        MemorySignedLinks.Map(routes);
        routes.MapGet("/local/orchestrations", LocalHttp.Answer(http => InstancesAsync(services.GetRequiredService<DurableTaskClient>(), http)));
    }

    private static object Now(Scheduler scheduler) => new { now = scheduler.Now, simulated = scheduler.IsSimulated };

    private static async Task<object> MoveAsync(HttpContext http, Scheduler scheduler)
    {
        ClockRequest request = await LocalHttp.ReadAsync<ClockRequest>(http.Request);
        if (request.Advance is null == request.To is null)
        {
            throw new LocalRequestException(StatusCodes.Status400BadRequest, "Send either {\"advance\":\"P1DT2H\"} or {\"to\":\"2025-01-31T00:00:00Z\"}.");
        }

        if (!scheduler.IsSimulated)
        {
            throw new LocalRequestException(StatusCodes.Status409Conflict, "The clock is the machine's own. Start with --clock to have one that can be moved.");
        }

        Instant target = request.To ?? (scheduler.Now.InUtc().LocalDateTime + request.Advance!).InUtc().ToInstant();
        if (target < scheduler.Now)
        {
            throw new LocalRequestException(StatusCodes.Status409Conflict, $"It is {scheduler.Now} and time does not go back to {target}.");
        }

        await scheduler.AdvanceToAsync(target, http.RequestAborted);
        return Now(scheduler);
    }

    private static FaultRule Checked(FaultRule rule)
    {
        if (!FaultRegistry.Targets.Contains(rule.Target))
        {
            throw new LocalRequestException(StatusCodes.Status400BadRequest, $"The target is one of {string.Join(", ", FaultRegistry.Targets)}.");
        }

        return rule switch
        {
            { Kind: FaultKind.Status, Status: not (429 or 401 or (>= 500 and <= 599)) } =>
                throw new LocalRequestException(StatusCodes.Status400BadRequest, "A status fault needs status 401, 429 or 5xx."),
            { Kind: FaultKind.Latency, LatencyMs: not > 0 } =>
                throw new LocalRequestException(StatusCodes.Status400BadRequest, "A latency fault needs latencyMs."),
            _ => rule,
        };
    }

    private static object Remove(FaultRegistry faults, string? id) => new { removed = faults.Remove(id) };

    private static async Task<object> InstancesAsync(DurableTaskClient client, HttpContext http)
    {
        var instances = new List<object>();
        var query = new OrchestrationQuery(InstanceIdPrefix: http.Request.Query["prefix"], FetchInputsAndOutputs: true);
        await foreach (OrchestrationMetadata instance in client.GetAllInstancesAsync(query))
        {
            instances.Add(new
            {
                instance.InstanceId,
                instance.Name,
                Status = instance.RuntimeStatus,
                instance.CreatedAt,
                instance.LastUpdatedAt,
                CustomStatus = instance.SerializedCustomStatus,
                Input = instance.SerializedInput,
                Output = instance.SerializedOutput,
            });
            if (instances.Count == MostInstances)
            {
                break;
            }
        }

        return instances;
    }
}
