using Flex.Local.Runtime.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Durable;

public sealed class SubOrchestrationTests
{
    [Fact]
    public async Task A_parent_gets_the_results_of_a_hundred_children()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Orchestrator("Child", ctx => Task.FromResult(ctx.GetInput<int>()))
            .Orchestrator("Parent", async ctx => (await Task.WhenAll(Enumerable.Range(1, 120).Select(i => ctx.CallSubOrchestratorAsync<int>("Child", i)))).Sum()));

        OrchestrationMetadata state = await world.RunToIdleAsync("Parent");

        Assert.Equal("7260", state.SerializedOutput);
        Assert.Equal(0, world.Hub.UnfinishedInstances);
    }

    [Fact]
    public async Task A_child_knows_its_parent_and_its_id_can_be_used_again_when_it_has_ended()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Orchestrator("Child", ctx => Task.FromResult($"{ctx.InstanceId} of {ctx.Parent!.Name} {ctx.Parent.InstanceId}: {ctx.GetInput<int>()}"))
            .Orchestrator("Parent", async ctx =>
            {
                var options = new SubOrchestrationOptions(instanceId: ctx.InstanceId + ":child");
                string first = await ctx.CallSubOrchestratorAsync<string>("Child", 1, options);
                return first + " | " + await ctx.CallSubOrchestratorAsync<string>("Child", 2, options);
            }));

        OrchestrationMetadata state = await world.RunToIdleAsync("Parent");

        Assert.Equal("one:child of Parent one: 1 | one:child of Parent one: 2", state.ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_child_that_fails_or_is_terminated_fails_the_call()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Orchestrator("Fails", _ => throw new InvalidDataException("bad"))
            .Orchestrator("Waits", ctx => ctx.WaitForExternalEvent<string>("go"))
            .Orchestrator("Parent", async ctx =>
            {
                TaskFailedException failed = await Assert.ThrowsAsync<TaskFailedException>(() => ctx.CallSubOrchestratorAsync("Fails"));
                TaskFailedException ended = await Assert.ThrowsAsync<TaskFailedException>(
                    () => ctx.CallSubOrchestratorAsync("Waits", options: new SubOrchestrationOptions(instanceId: "waits")));
                return $"{failed.FailureDetails.ErrorType}: {failed.FailureDetails.ErrorMessage}; {ended.TaskName}";
            }));

        await world.RunToIdleAsync("Parent");
        await world.Client.TerminateInstanceAsync("waits", cancellation: HubWorld.Token);
        await world.RunAsync();

        Assert.Equal("System.IO.InvalidDataException: bad; Waits", (await world.StateAsync("one")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_child_whose_id_is_taken_fails_the_call_and_leaves_the_other_alone()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Orchestrator("Waits", ctx => ctx.WaitForExternalEvent<string>("go"))
            .Orchestrator("Parent", async ctx =>
            {
                TaskFailedException failed = await Assert.ThrowsAsync<TaskFailedException>(
                    () => ctx.CallSubOrchestratorAsync("Waits", options: new SubOrchestrationOptions(instanceId: "taken")));
                return failed.FailureDetails.ErrorType;
            }));
        await world.StartAsync("Waits", id: "taken");

        OrchestrationMetadata state = await world.RunToIdleAsync("Parent");

        Assert.Equal("DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException", state.ReadOutputAs<string>());
        Assert.Equal(OrchestrationRuntimeStatus.Running, (await world.StateAsync("taken")).RuntimeStatus);
    }

    [Fact]
    public async Task A_failing_child_is_retried_by_its_policy()
    {
        int runs = 0;
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Activity<object?, int>("Count", _ => ++runs < 3 ? throw new TimeoutException("slow") : runs)
            .Orchestrator("Child", ctx => ctx.CallActivityAsync<int>("Count"))
            .Orchestrator("Parent", ctx => ctx.CallSubOrchestratorAsync<int>(
                "Child",
                null,
                new SubOrchestrationOptions(new RetryPolicy(3, TimeSpan.FromMinutes(1)), "kid"))));
        await world.StartAsync("Parent", id: "one");

        await world.AdvanceAsync(Duration.FromMinutes(2));

        Assert.Equal("3", (await world.StateAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task Terminating_recursively_ends_the_children_too()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker()
            .Orchestrator("Waits", ctx => ctx.WaitForExternalEvent<string>("go"))
            .Orchestrator("Parent", ctx => ctx.CallSubOrchestratorAsync("Waits", options: new SubOrchestrationOptions(instanceId: "kid"))));
        await world.RunToIdleAsync("Parent");

        await world.Client.TerminateInstanceAsync("one", new TerminateInstanceOptions("stop", Recursive: true), HubWorld.Token);
        await world.RunAsync();

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await world.StateAsync("one")).RuntimeStatus);
        Assert.Equal("\"stop\"", (await world.StateAsync("kid")).SerializedOutput);
        Assert.Equal(2, (await world.Client.PurgeInstanceAsync("one", new PurgeInstanceOptions(Recursive: true), HubWorld.Token)).PurgedInstanceCount);
    }
}
