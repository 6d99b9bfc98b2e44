using System.Text.Json.Nodes;
using Flex.Kernel;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Testing;
using Flex.Memberships;
using Flex.Renewals;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>
/// Instances that are terminated, or fail because new code cannot go on with their history. The facts are in the membership's
/// row, so the hourly run starts another one, which charges what is due and nothing else.
/// </summary>
public sealed class RenewalUpgradeTests
{
    private static readonly LocalDate Due = new(2025, 2, 1);

    [Fact]
    [Trait("Rule", "DUN-4")]
    public async Task Terminating_an_instance_after_each_failed_attempt_leaves_the_ladder_as_it_is()
    {
        JsonArray undisturbed = await ClimbAsync(terminate: false);
        JsonArray disturbed = await ClimbAsync(terminate: true);

        Assert.Equal(4, undisturbed.Count);
        Assert.Equal(undisturbed.Select(Told), disturbed.Select(Told));

        static string Told(JsonNode? attempt) => $"{attempt!["rung"]} {attempt["state"]} {((string)attempt["at"]!)[..10]}";
    }

    [Fact]
    [Trait("Rule", "MEM-5")]
    public async Task An_instance_that_is_terminated_before_its_slot_is_started_again_and_the_membership_charged_once()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");
        await world.World.AdvanceToAsync(Slot(world, id) - Duration.FromMinutes(1));

        await TerminateAsync(world, id);
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 3));

        await AssertChargedOnceAsync(world, id);
    }

    /// <summary>Between the charge and the news of its outcome: whoever starts again finds the attempt in the row and waits for it.</summary>
    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task An_instance_that_is_terminated_while_its_payment_is_under_way_does_not_charge_again()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_usBankAccount_success");
        await world.World.AdvanceToAsync(Slot(world, id) + Duration.FromMinutes(5));

        await TerminateAsync(world, id);
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 12));

        await AssertChargedOnceAsync(world, id);
    }

    [Fact]
    [Trait("Rule", "MEM-5")]
    public async Task An_instance_whose_history_the_new_code_cannot_go_on_with_fails_and_the_next_hour_starts_it_again()
    {
        bool upgraded = false;
        await using RenewalWorld world = await RenewalWorld.StartAsync(new FlexWorldOptions
        {
            Start = Instant.FromUtc(2025, 1, 1, 15, 0),
            Services = services =>
            {
                if (upgraded)
                {
                    Type inner = services.Last(s => s.ServiceType == typeof(ITaskInvoker)).ImplementationType!;
                    services.AddSingleton<ITaskInvoker>(s => new Changed((ITaskInvoker)ActivatorUtilities.CreateInstance(s, inner)));
                }
            },
        });
        string id = await world.SignUpAsync("pm_card_visa");
        await world.World.AdvanceToAsync(Slot(world, id) - Duration.FromMinutes(90));
        Assert.Equal(OrchestrationRuntimeStatus.Running, await StatusAsync(world, id));

        upgraded = true;
        await world.World.CrashAsync();
        await world.World.AdvanceToAsync(Slot(world, id));
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 3));

        Assert.Contains(nameof(NonDeterministicOrchestrationException), Assert.Single(world.World.Log.Errors).Message, StringComparison.Ordinal);
        await AssertPaidOnceAsync(world, id);
    }

    /// <summary>A card that fails until the membership is downgraded. Attempts: rung, state, time.</summary>
    private static async Task<JsonArray> ClimbAsync(bool terminate)
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_card_chargeCustomerFail");
        for (LocalDate day = Due.PlusDays(1); day < new LocalDate(2025, 2, 9); day = day.PlusDays(1))
        {
            await world.AdvanceToLocalAsync(day);
            if (terminate)
            {
                await TerminateAsync(world, id);
            }
        }

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 10));
        Assert.Equal("downgraded", (string?)(await world.MembershipAsync(id))["status"]);
        await world.AssertSoundAsync();
        return (await world.GetAsync($"/api/v1/memberships/{id}/dunning"))["attempts"]!.AsArray();
    }

    private static async Task TerminateAsync(RenewalWorld world, string id)
    {
        Assert.Equal(OrchestrationRuntimeStatus.Running, await StatusAsync(world, id));
        await world.World.Get<DurableTaskClient>().TerminateInstanceAsync(Instance(id), cancellation: TestContext.Current.CancellationToken);
        await world.World.RunUntilIdleAsync();
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, await StatusAsync(world, id));
    }

    private static async Task<OrchestrationRuntimeStatus?> StatusAsync(RenewalWorld world, string id) =>
        (await world.World.Get<DurableTaskClient>().GetInstanceAsync(Instance(id), cancellation: TestContext.Current.CancellationToken))?.RuntimeStatus;

    private static string Instance(string id) => RenewalNames.RenewalInstance(EntityId.Parse<MembershipId>(id), Due, 0);

    private static Instant Slot(RenewalWorld world, string id) => world.Calendar.At(Due, RenewalSlot.MinuteOf(EntityId.Parse<MembershipId>(id)));

    private static async Task AssertChargedOnceAsync(RenewalWorld world, string id)
    {
        await AssertPaidOnceAsync(world, id);
        await world.AssertSoundAsync();
    }

    private static async Task AssertPaidOnceAsync(RenewalWorld world, string id)
    {
        Assert.Equal("paid", (string?)Assert.Single(await world.InvoicesAsync("renewal"))["settlement"]);
        Assert.Equal(2, world.World.Stripe.Audit().PaymentIntents.Count);
        Assert.Equal("2025-03-01", (string?)(await world.MembershipAsync(id))["nextRenewalOn"]);
    }

    /// <summary>The orchestration with a step more before its first.</summary>
    private sealed class Changed(ITaskInvoker inner) : ITaskInvoker
    {
        public bool HasOrchestrator(string name) => inner.HasOrchestrator(name);

        public bool HasActivity(string name) => inner.HasActivity(name);

        public async Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context)
        {
            if (name == RenewalNames.Renewal)
            {
                await context.CreateTimer(context.CurrentUtcDateTime, CancellationToken.None);
            }

            return await inner.InvokeOrchestratorAsync(name, context);
        }

        public Task<string?> InvokeActivityAsync(string name, string instanceId, string? serializedInput, CancellationToken cancellation) =>
            inner.InvokeActivityAsync(name, instanceId, serializedInput, cancellation);
    }
}
