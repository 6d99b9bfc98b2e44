using Flex.Memberships;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Flex.Renewals;

/// <summary>Input of a day's run, and its checkpoint: where the list is continued.</summary>
/// <param name="CorrelationId">What started it; goes on to the orchestrations it starts.</param>
public sealed record RenewalDayInput(LocationId LocationId, NodaTime.LocalDate Day, DueMembership? After, string? CorrelationId);

/// <summary>Memberships whose orchestrations are to be started.</summary>
public sealed record RenewalBatch(IReadOnlyList<DueMembership> Due, string? CorrelationId);

/// <summary>Input of a membership's renewal, and its checkpoint. <paramref name="Turn"/> counts looks, for people.</summary>
/// <param name="CorrelationId">The request, message or run that started it; goes on to everything its steps send and log.</param>
public sealed record RenewalInput(MembershipId MembershipId, NodaTime.LocalDate PeriodStart, int Run, int Turn, string? CorrelationId);

/// <summary>What a look at the facts has led to.</summary>
/// <param name="LookAgainAt">Null when there is nothing more to watch.</param>
/// <param name="Waiting">What for, in a word; shown as the custom status.</param>
public sealed record RenewalStepResult(DateTime? LookAgainAt, string Waiting);

/// <summary>
/// Durable orchestrations decide when to look, never what is true: every turn loads the facts, takes at most one step and
/// waits. One step per turn and a new history each time, so a deployment meets at most one step of an old one.
/// </summary>
public static class RenewalOrchestrations
{
    /// <summary>Memberships whose orchestrations one activity starts.</summary>
    private const int BatchSize = 100;

    // Activities return refusals and outages as data; what is retried here is a crash or a defect of the activity itself.
    private static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 10,
        firstRetryInterval: TimeSpan.FromSeconds(10),
        backoffCoefficient: 2,
        maxRetryInterval: TimeSpan.FromMinutes(10)));

    /// <summary>Starts one orchestration per membership due at a location on or before a day.</summary>
    [Function(RenewalNames.Day)]
    public static Task Day([OrchestrationTrigger] TaskOrchestrationContext context) => CountingFailuresAsync(context, DayAsync);

    /// <summary>Watches one membership through one period: the first charge, the retries, the downgrade.</summary>
    [Function(RenewalNames.Renewal)]
    public static Task Renewal([OrchestrationTrigger] TaskOrchestrationContext context) => CountingFailuresAsync(context, RenewalAsync);

    private static async Task DayAsync(TaskOrchestrationContext context)
    {
        RenewalDayInput input = context.GetInput<RenewalDayInput>()!;
        List<DueMembership> page = await context.CallActivityAsync<List<DueMembership>>(RenewalNames.ListDue, input, Retry);
        foreach (DueMembership[] batch in page.Chunk(BatchSize))
        {
            await context.CallActivityAsync(RenewalNames.StartBatch, new RenewalBatch(batch, input.CorrelationId), Retry);
        }

        if (page.Count == RenewalActivities.PageSize)
        {
            context.ContinueAsNew(input with { After = page[^1] });
        }
    }

    private static async Task RenewalAsync(TaskOrchestrationContext context)
    {
        RenewalInput input = context.GetInput<RenewalInput>()!;
        RenewalStepResult step = await context.CallActivityAsync<RenewalStepResult>(RenewalNames.Step, input, Retry);
        context.SetCustomStatus(step.Waiting);
        if (step.LookAgainAt is not { } lookAgainAt)
        {
            return;
        }

        using var stop = new CancellationTokenSource();
        await Task.WhenAny(
            context.CreateTimer(lookAgainAt, stop.Token),
            context.WaitForExternalEvent<string>(RenewalNames.PaymentSettled, stop.Token),
            context.WaitForExternalEvent<string>(RenewalNames.PaymentSourceUpdated, stop.Token),
            context.WaitForExternalEvent<string>(RenewalNames.StatusChanged, stop.Token));
        stop.Cancel();
        context.ContinueAsNew(input with { Turn = input.Turn + 1 });
    }

    /// <summary>What an orchestrator throws ends its instance as failed. Only here can the app see that; the engine tells only its host.</summary>
    private static async Task CountingFailuresAsync(TaskOrchestrationContext context, Func<TaskOrchestrationContext, Task> run)
    {
        try
        {
            await run(context);
        }
        catch when (!context.IsReplaying)
        {
            RenewalMetrics.CountFailedOrchestration(context.Name.Name);
            throw;
        }
    }
}
