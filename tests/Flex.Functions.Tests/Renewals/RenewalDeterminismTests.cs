using System.Reflection;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Testing;
using Flex.Renewals;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>Orchestrations that are under way meet new code: it has to ask for the same things in the same order, by the same names.</summary>
public sealed class RenewalDeterminismTests
{
    [Fact]
    public async Task Recorded_renewals_replay_to_the_same_transcript()
    {
        var recorder = new ExecutionRecorder();
        await using RenewalWorld world = await RenewalWorld.StartAsync(new FlexWorldOptions
        {
            Start = Instant.FromUtc(2025, 1, 1, 15, 0),
            Services = services => services.AddSingleton<IExecutionRecorder>(recorder),
        });
        await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_card_chargeCustomerFail");
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 3));
        await world.AttachAsync("pm_card_visa");
        await world.AdvanceToLocalAsync(new LocalDate(2025, 3, 2));

        ITaskInvoker invoker = world.World.Get<ITaskInvoker>();
        Assert.Contains(recorder.Executions, e => e.Start.Name == RenewalNames.Day);
        Assert.Contains(recorder.Executions, e => e.Start.Name == RenewalNames.Renewal && e.Generation > 0 && e.Turns.Count > 1);
        Assert.Contains(recorder.Executions, e => e.Transcript().Any(line => line.Contains(RenewalNames.PaymentSourceUpdated, StringComparison.Ordinal)));
        Assert.All(recorder.Executions, e => Assert.Equal(e.Transcript(), HistoryReplayer.Replay(invoker, e)));
    }

    /// <summary>A change here strands every instance that runs in production: add a new version instead.</summary>
    [Fact]
    public void The_names_that_running_instances_have_stored_never_change()
    {
        Assert.Equal(
            [
                "PaymentSettled", "PaymentSourceUpdated", "RenewalDay_v1", "Renewal_v1", "Renewals_ListDue_v1", "Renewals_StartBatch_v1", "Renewals_Step_v1",
                "StatusChanged",
            ],
            typeof(RenewalNames).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral)
                .Select(f => (string)f.GetRawConstantValue()!).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["RenewalDay_v1", "Renewal_v1", "Renewals_ListDue_v1", "Renewals_StartBatch_v1", "Renewals_Step_v1"],
            typeof(FlexApp).Assembly.GetTypes().SelectMany(t => t.GetMethods())
                .Where(m => m.GetParameters().Any(p => p.GetCustomAttribute<OrchestrationTriggerAttribute>() is not null || p.GetCustomAttribute<ActivityTriggerAttribute>() is not null))
                .Select(m => m.GetCustomAttribute<FunctionAttribute>()!.Name).Order(StringComparer.Ordinal));
    }
}
