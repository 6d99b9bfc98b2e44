using System.Reflection;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Testing;
using Flex.Renewals;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>Orchestrations that are under way meet new code: it has to ask for the same things in the same order, by the same names.</summary>
public sealed class RenewalDeterminismTests
{
    public static TheoryData<string> Scenarios => [.. RenewalHistories.Scenarios.Keys];

    public static TheoryData<string> Files => [.. RenewalHistories.Files];

    /// <summary>Run with <see cref="RenewalHistories.Record"/> set to 1, it also writes the histories that are missing.</summary>
    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task What_the_code_of_today_records_replays_to_the_same_transcript(string scenario)
    {
        (RenewalWorld world, IReadOnlyList<RecordedExecution> executions) = await RenewalHistories.PlayAsync(scenario);
        await using (world)
        {
            ITaskInvoker invoker = world.World.Get<ITaskInvoker>();
            Assert.All(Orchestrators(), name => Assert.Contains(executions, e => e.Start.Name == name));
            Assert.All(executions, e => Assert.Equal(e.Transcript(), HistoryReplayer.Replay(invoker, e)));
        }

        if (Environment.GetEnvironmentVariable(RenewalHistories.Record) == "1")
        {
            RenewalHistories.Save(scenario, executions);
        }
    }

    [Fact]
    public void Every_orchestration_has_a_history_of_every_scenario()
    {
        IEnumerable<string> expected = from scenario in RenewalHistories.Scenarios.Keys
                                       from orchestration in Orchestrators()
                                       select RenewalHistories.FileOf(scenario, orchestration);
        Assert.Empty(expected.Except(RenewalHistories.Files));
        Assert.All(RenewalHistories.Files, file => Assert.Contains(RenewalHistories.OrchestrationOf(file), Orchestrators()));
    }

    /// <summary>A failure here is an instance in production that a deployment would break: leave this version as it was and add the next.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_history_that_was_recorded_once_replays_against_the_code_of_today(string file)
    {
        await using FlexWorld world = await FlexWorld.StartAsync();
        IReadOnlyList<RecordedExecution> history = RenewalHistories.Read(file);

        Assert.NotEmpty(history);
        Assert.All(history, execution => HistoryReplayer.Verify(world.Get<ITaskInvoker>(), execution));
    }

    /// <summary>An activity that was asked for by old code may be run by new code, which has to understand what it is given.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void What_a_recorded_history_asked_of_activities_is_understood_by_those_of_today(string file)
    {
        HubAction[] asked = [.. RenewalHistories.Read(file).SelectMany(e => e.Turns).SelectMany(t => t.Actions).Where(a => a.Kind == HubActionKind.Activity)];

        Assert.NotEmpty(asked);
        Assert.All(asked, a => Assert.NotNull(StorageDataConverter.Instance.Deserialize(a.Input?.Text, Functions<ActivityTriggerAttribute>()[a.Name!])));
    }

    public static TheoryData<string, Func<TaskOrchestrationContext, Task>> Changes => new()
    {
        { "a step before the first", async context => await Ask(context, RenewalNames.ListDue) },
        { "another activity", context => Renew(context, RenewalNames.Step + "x", stop: true, RenewalNames.PaymentSettled, RenewalNames.PaymentSourceUpdated, RenewalNames.StatusChanged) },
        { "a timer that is not stopped", context => Renew(context, RenewalNames.Step, stop: false, RenewalNames.PaymentSettled, RenewalNames.PaymentSourceUpdated, RenewalNames.StatusChanged) },
        { "deaf to settled payments", context => Renew(context, RenewalNames.Step, stop: true, RenewalNames.PaymentSourceUpdated, RenewalNames.StatusChanged) },
        { "deaf to new sources", context => Renew(context, RenewalNames.Step, stop: true, RenewalNames.PaymentSettled, RenewalNames.StatusChanged) },
        { "deaf to changes of status", context => Renew(context, RenewalNames.Step, stop: true, RenewalNames.PaymentSettled, RenewalNames.PaymentSourceUpdated) },
        { "no timer", async context =>
            {
                await Ask(context, RenewalNames.Step);
                await context.WaitForExternalEvent<string>(RenewalNames.PaymentSettled);
            }
        },
    };

    /// <summary>What the histories are worth: each way of changing the steps is refused by one of them.</summary>
    [Theory]
    [MemberData(nameof(Changes), DisableDiscoveryEnumeration = true)]
    public void A_change_of_the_steps_without_a_new_version_is_found(string change, Func<TaskOrchestrationContext, Task> changed)
    {
        DelegateTaskInvoker invoker = new DelegateTaskInvoker().Orchestrator(RenewalNames.Renewal, changed);

        int refused = Renewals().Count(execution => Record.Exception(() => HistoryReplayer.Verify(invoker, execution)) is NonDeterministicOrchestrationException);

        Assert.True(refused > 0, change);
    }

    /// <summary>The same copy without a change passes, so it is the change that is found.</summary>
    [Fact]
    public void The_steps_as_they_are_pass()
    {
        DelegateTaskInvoker invoker = new DelegateTaskInvoker().Orchestrator(
            RenewalNames.Renewal,
            context => Renew(context, RenewalNames.Step, stop: true, RenewalNames.PaymentSettled, RenewalNames.PaymentSourceUpdated, RenewalNames.StatusChanged));

        Assert.All(Renewals(), execution => HistoryReplayer.Verify(invoker, execution));
    }

    /// <summary>A change here strands every instance that runs in production: add a new version instead.</summary>
    [Fact]
    public void The_names_that_running_instances_have_stored_never_change()
    {
        string[] stored = [.. typeof(RenewalNames).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral)
            .Select(f => (string)f.GetRawConstantValue()!).Order(StringComparer.Ordinal)];
        Assert.Equal(
            [
                "PaymentSettled", "PaymentSourceUpdated", "RenewalDay_v1", "Renewal_v1", "Renewals_ListDue_v1", "Renewals_StartBatch_v1", "Renewals_Step_v1",
                "StatusChanged",
            ],
            stored);
        string[] durable = [.. Orchestrators(), .. Functions<ActivityTriggerAttribute>().Keys];
        Assert.Equal(
            ["RenewalDay_v1", "Renewal_v1", "Renewals_ListDue_v1", "Renewals_StartBatch_v1", "Renewals_Step_v1"],
            durable.Order(StringComparer.Ordinal));
        Assert.All(durable, name => Assert.Matches("^[A-Za-z_]+_v[1-9][0-9]*$", name));
    }

    private static IEnumerable<RecordedExecution> Renewals() =>
        RenewalHistories.Files.Where(f => RenewalHistories.OrchestrationOf(f) == RenewalNames.Renewal).SelectMany(RenewalHistories.Read);

    private static IReadOnlyList<string> Orchestrators() => [.. Functions<OrchestrationTriggerAttribute>().Keys];

    /// <summary>The functions with a trigger, and what they are given.</summary>
    private static Dictionary<string, Type> Functions<TTrigger>()
        where TTrigger : Attribute => (
        from method in typeof(FlexApp).Assembly.GetTypes().SelectMany(t => t.GetMethods())
        from parameter in method.GetParameters()
        where parameter.GetCustomAttribute<TTrigger>() is not null
        select (method.GetCustomAttribute<FunctionAttribute>()!.Name, parameter.ParameterType)).ToDictionary();

    private static Task<RenewalStepResult> Ask(TaskOrchestrationContext context, string activity) =>
        context.CallActivityAsync<RenewalStepResult>(activity, context.GetInput<RenewalInput>());

    /// <summary>A copy of the orchestration that can be changed.</summary>
    private static async Task Renew(TaskOrchestrationContext context, string activity, bool stop, params string[] events)
    {
        if ((await Ask(context, activity)).LookAgainAt is not { } lookAgainAt)
        {
            return;
        }

        using var source = new CancellationTokenSource();
        await Task.WhenAny([context.CreateTimer(lookAgainAt, source.Token), .. events.Select(e => context.WaitForExternalEvent<string>(e, source.Token))]);
        if (stop)
        {
            source.Cancel();
        }

        context.ContinueAsNew(context.GetInput<RenewalInput>());
    }
}
