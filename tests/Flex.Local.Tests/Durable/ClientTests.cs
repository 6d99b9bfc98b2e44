using DurableTask.Core.Exceptions;
using Flex.Local.Runtime.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Durable;

public sealed class ClientTests
{
    private static readonly DelegateTaskInvoker Functions = new DelegateTaskInvoker()
        .Orchestrator("Waits", async ctx =>
        {
            await ctx.WaitForExternalEvent<string>("go");
            return "done";
        })
        .Orchestrator("Ends", ctx => Task.FromResult(ctx.GetInput<int>()))
        .Orchestrator("Fails", _ => throw new InvalidDataException("bad"));

    [Theory]
    [InlineData("Running", null, true)]
    [InlineData("Running", "", true)]
    [InlineData("Running", "Running", true)]
    [InlineData("Running", "Completed", true)]
    [InlineData("Pending", null, true)]
    [InlineData("Pending", "Completed", true)]
    [InlineData("Suspended", null, true)]
    [InlineData("Suspended", "Completed", true)]
    [InlineData("Completed", null, false)]
    [InlineData("Completed", "Completed", true)]
    [InlineData("Completed", "Failed,Terminated", false)]
    [InlineData("Failed", null, false)]
    [InlineData("Failed", "Failed", true)]
    [InlineData("Failed", "Completed", false)]
    [InlineData("Terminated", null, false)]
    [InlineData("Terminated", "Terminated,Completed", true)]
    [InlineData("Terminated", "Completed", false)]
    public async Task Starting_an_id_again_is_refused_while_unfinished_and_by_the_statuses_listed(string status, string? dedupe, bool refused)
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        await BringToAsync(world, status);
        await world.AdvanceAsync(Duration.FromHours(1));
        var options = new StartOrchestrationOptions("one");
        if (dedupe is not null)
        {
            options = options.WithDedupeStatuses([.. dedupe.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<OrchestrationRuntimeStatus>)]);
        }

        Task<string> again = world.Client.ScheduleNewOrchestrationInstanceAsync(new TaskName("Ends"), 7, options, HubWorld.Token);

        if (refused)
        {
            OrchestrationAlreadyExistsException exists = await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(() => again);
            Assert.Equal("An Orchestration instance with the ID one already exists.", exists.Message);
            Assert.Equal(status, (await world.StateAsync("one")).RuntimeStatus.ToString());
        }
        else
        {
            Assert.Equal("one", await again);
            await world.RunAsync();
            OrchestrationMetadata replaced = await world.StateAsync("one");
            Assert.Equal("7", replaced.SerializedOutput);
            Assert.Equal(new DateTimeOffset(2025, 1, 1, 1, 0, 0, TimeSpan.Zero), replaced.CreatedAt);
        }
    }

    [Fact]
    public async Task An_instance_without_an_id_gets_a_fresh_one_and_starts_when_it_is_to()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        string first = await world.StartAsync("Ends", 1);
        string second = await world.StartAsync("Ends", 2, startAt: new DateTimeOffset(2025, 1, 1, 6, 0, 0, TimeSpan.Zero));

        await world.AdvanceAsync(Duration.FromHours(6));

        Assert.NotEqual(first, second);
        Assert.Equal(HubWorld.Epoch.ToDateTimeOffset(), (await world.StateAsync(first)).LastUpdatedAt);
        Assert.Equal(new DateTimeOffset(2025, 1, 1, 6, 0, 0, TimeSpan.Zero), (await world.StateAsync(second)).LastUpdatedAt);
    }

    [Theory]
    [InlineData("")]
    [InlineData("@entity")]
    [InlineData("a/b")]
    [InlineData("a#b")]
    [InlineData("a\tb")]
    public async Task Ids_the_service_does_not_take_are_refused(string id)
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);

        await Assert.ThrowsAsync<ArgumentException>(() => world.StartAsync("Ends", 1, id));
    }

    [Fact]
    public async Task An_unknown_instance_is_null_and_cannot_be_told_anything()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);

        Assert.Null(await world.Client.GetInstanceAsync("none", cancellation: HubWorld.Token));
        Assert.Equal(InstanceFaultCode.NotFound, await FaultAsync(() => world.Client.RaiseEventAsync("none", "go", null, HubWorld.Token)));
        Assert.Equal(InstanceFaultCode.NotFound, await FaultAsync(() => world.Client.TerminateInstanceAsync("none", cancellation: HubWorld.Token)));
        Assert.Equal(InstanceFaultCode.Unknown, await FaultAsync(() => world.Client.SuspendInstanceAsync("none", cancellation: HubWorld.Token)));
        Assert.Equal(0, (await world.Client.PurgeInstanceAsync("none", cancellation: HubWorld.Token)).PurgedInstanceCount);
    }

    [Fact]
    public async Task An_ended_instance_cannot_be_told_anything()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        await BringToAsync(world, "Completed");

        Assert.Equal(InstanceFaultCode.FailedPrecondition, await FaultAsync(() => world.Client.RaiseEventAsync("one", "go", null, HubWorld.Token)));
        Assert.Equal(InstanceFaultCode.FailedPrecondition, await FaultAsync(() => world.Client.TerminateInstanceAsync("one", cancellation: HubWorld.Token)));
    }

    [Fact]
    public async Task A_terminated_instance_ends_at_once_with_the_given_output_and_its_activities_do_not_matter()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        await BringToAsync(world, "Running");

        await world.Client.TerminateInstanceAsync("one", new TerminateInstanceOptions(new { Reason = "enough" }), HubWorld.Token);
        await world.RunAsync();

        OrchestrationMetadata state = await world.StateAsync("one");
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, state.RuntimeStatus);
        Assert.Equal("""{"reason":"enough"}""", state.SerializedOutput);
    }

    [Fact]
    public async Task Events_and_timers_of_a_suspended_instance_wait_for_its_resumption_also_across_a_restart()
    {
        HubWorld world = await HubWorld.OpenAsync(new DelegateTaskInvoker().Orchestrator("Both", async ctx =>
        {
            Task timer = ctx.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
            string? go = await ctx.WaitForExternalEvent<string>("go");
            await timer;
            return $"{go} at {ctx.CurrentUtcDateTime:HH:mm}";
        }));
        await world.StartAsync("Both", id: "one");
        await world.RunAsync();
        await world.Client.SuspendInstanceAsync("one", "pause", HubWorld.Token);
        await world.Client.RaiseEventAsync("one", "go", "a", HubWorld.Token);
        await world.AdvanceAsync(Duration.FromHours(5));
        OrchestrationMetadata suspended = await world.StateAsync("one");

        HubWorld next = await world.ReopenAsync();
        await next.AdvanceAsync(Duration.FromHours(1));
        await next.Client.ResumeInstanceAsync("one", "go on", HubWorld.Token);
        await next.RunAsync();

        Assert.Equal(OrchestrationRuntimeStatus.Suspended, suspended.RuntimeStatus);
        Assert.Equal("a at 06:00", (await next.StateAsync("one")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task An_instance_suspended_before_its_first_turn_starts_when_it_is_resumed()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        await world.StartAsync("Ends", 3, "one", new DateTimeOffset(2025, 1, 1, 1, 0, 0, TimeSpan.Zero));
        await world.Client.SuspendInstanceAsync("one", cancellation: HubWorld.Token);
        await world.AdvanceAsync(Duration.FromHours(2));
        OrchestrationMetadata suspended = await world.StateAsync("one");
        await world.Client.ResumeInstanceAsync("one", cancellation: HubWorld.Token);
        await world.RunAsync();

        Assert.Equal(OrchestrationRuntimeStatus.Suspended, suspended.RuntimeStatus);
        Assert.Equal("3", (await world.StateAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task A_query_gives_finished_and_unfinished_instances_of_a_prefix_in_pages()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        foreach (string id in new[] { "a-1", "a-3", "b-1" })
        {
            await world.StartAsync("Ends", 1, id);
        }

        await world.StartAsync("Waits", null, "a-2");
        await world.StartAsync("Waits", null, "a-4");
        await world.RunAsync();

        List<string> pages = [];
        List<string> completed = [];
        AsyncPageable<OrchestrationMetadata> query = world.Client.GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: "a-", PageSize: 3));
        string? token = null;
        await foreach (Page<OrchestrationMetadata> page in query.AsPages())
        {
            pages.Add(string.Join(',', page.Values.Select(i => i.InstanceId)));
            token ??= page.ContinuationToken;
        }

        await foreach (OrchestrationMetadata instance in world.Client.GetAllInstancesAsync(
            new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Completed], FetchInputsAndOutputs: true)))
        {
            completed.Add($"{instance.InstanceId}={instance.SerializedOutput}");
        }

        List<string> rest = [];
        await foreach (OrchestrationMetadata instance in world.Client.GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: "a-", ContinuationToken: token)))
        {
            rest.Add(instance.InstanceId);
        }

        Assert.Equal(["a-1,a-2,a-3", "a-4"], pages);
        Assert.Equal(["a-1=1", "a-3=1", "b-1=1"], completed);
        Assert.Equal(["a-4"], rest);
    }

    [Fact]
    public async Task Purging_removes_ended_instances_only()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        await world.StartAsync("Ends", 1, "ended");
        await world.StartAsync("Fails", 1, "failed");
        await world.StartAsync("Waits", 1, "waits");
        await world.RunAsync();

        InvalidOperationException running = await Assert.ThrowsAsync<InvalidOperationException>(() => world.Client.PurgeInstanceAsync("waits", cancellation: HubWorld.Token));
        PurgeResult early = await world.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter(CreatedTo: HubWorld.Epoch.ToDateTimeOffset().AddDays(-1)), cancellation: HubWorld.Token);
        PurgeResult failed = await world.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter(Statuses: [OrchestrationRuntimeStatus.Failed]), cancellation: HubWorld.Token);
        PurgeResult all = await world.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter(), cancellation: HubWorld.Token);

        Assert.Equal("Only orchestrations in a terminal state can be purged", running.Message);
        Assert.Equal([0, 1, 1], new[] { early, failed, all }.Select(r => r.PurgedInstanceCount));
        Assert.Null(await world.Client.GetInstanceAsync("ended", cancellation: HubWorld.Token));
        Assert.NotNull(await world.Client.GetInstanceAsync("waits", cancellation: HubWorld.Token));
    }

    [Fact]
    public async Task Waiting_for_start_and_completion_ends_by_the_instance_s_own_progress()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        await world.StartAsync("Waits", null, "one");
        Task<OrchestrationMetadata> started = world.Client.WaitForInstanceStartAsync("one", cancellation: HubWorld.Token);
        Task<OrchestrationMetadata> completed = world.Client.WaitForInstanceCompletionAsync("one", true, HubWorld.Token);
        bool early = started.IsCompleted;

        await world.RunAsync();
        OrchestrationMetadata first = await started;
        bool tooEarly = completed.IsCompleted;
        await world.Client.RaiseEventAsync("one", "go", null, HubWorld.Token);
        await world.RunAsync();

        Assert.False(early);
        Assert.Equal(OrchestrationRuntimeStatus.Running, first.RuntimeStatus);
        Assert.False(tooEarly);
        Assert.Equal("done", (await completed).ReadOutputAs<string>());
        Assert.Equal("done", (await world.Client.WaitForInstanceCompletionAsync("one", true, HubWorld.Token)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Waiting_for_an_unknown_instance_ends_only_by_cancellation()
    {
        HubWorld world = await HubWorld.OpenAsync(Functions);
        using var stop = new CancellationTokenSource();
        Task<OrchestrationMetadata> completed = world.Client.WaitForInstanceCompletionAsync("none", false, stop.Token);
        await world.RunAsync();
        bool waits = !completed.IsCompleted;
        await stop.CancelAsync();

        Assert.True(waits);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => completed);
    }

    private static async Task<InstanceFaultCode> FaultAsync(Func<Task> call) => (await Assert.ThrowsAsync<InstanceFaultException>(call)).Code;

    private static async Task BringToAsync(HubWorld world, string status)
    {
        string name = status switch
        {
            "Completed" => "Ends",
            "Failed" => "Fails",
            _ => "Waits",
        };
        DateTimeOffset? startAt = status == "Pending" ? new DateTimeOffset(2025, 2, 1, 0, 0, 0, TimeSpan.Zero) : null;
        await world.StartAsync(name, 1, "one", startAt);
        await world.RunAsync();
        if (status == "Terminated")
        {
            await world.Client.TerminateInstanceAsync("one", cancellation: HubWorld.Token);
        }
        else if (status == "Suspended")
        {
            await world.Client.SuspendInstanceAsync("one", cancellation: HubWorld.Token);
        }

        await world.RunAsync();
        Assert.Equal(status, (await world.StateAsync("one")).RuntimeStatus.ToString());
    }
}
