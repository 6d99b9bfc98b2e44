using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Audit;
using Flex.Local.Runtime.Testing;
using Flex.Memberships;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using Flex.Renewals;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>Renewals through the whole of Flex: timer, orchestrations, activities, gateway, webhooks and queues on simulated time.</summary>
public sealed class RenewalWorldTests
{
    [Fact]
    [Trait("Rule", "MEM-1")]
    [Trait("Rule", "MEM-5")]
    public async Task A_renewal_is_charged_once_in_its_slot_on_its_date()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 2));

        JsonObject invoice = Assert.Single(await world.InvoicesAsync("renewal"));
        Instant slot = world.Calendar.At(new LocalDate(2025, 2, 1), RenewalSlot.MinuteOf(EntityId.Parse<MembershipId>(id)));
        Assert.Equal("paid", (string?)invoice["settlement"]);
        Instant charged = world.World.Stripe.Audit().PaymentIntents[^1].Created;
        Assert.InRange(charged, slot, slot + Duration.FromHours(1));
        Assert.Equal("2025-03-01", (string?)(await world.MembershipAsync(id))["nextRenewalOn"]);
        await world.AssertSoundAsync();
    }

    [Fact]
    [Trait("Rule", "DUN-4")]
    [Trait("Rule", "MEM-13")]
    [Trait("Rule", "ACC-4")]
    public async Task Four_failures_close_four_invoices_and_end_in_the_default_membership()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_card_chargeCustomerFail");

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 10));

        Assert.Equal(["closed", "closed", "closed", "closed"], (await world.InvoicesAsync("renewal")).Select(i => (string?)i["documentState"]));
        Assert.Equal("downgraded", (string?)(await world.MembershipAsync(id))["status"]);
        JsonArray all = (await world.GetAsync($"/api/v1/memberships?memberId={world.MemberId}"))["results"]!.AsArray();
        Assert.Contains(all, m => (bool)m!["isDefault"]! && (string?)m["status"] == "active");
        Assert.All(world.World.Salto.Inspection.Users(), user => Assert.False(user.CanOpen));
        await world.AssertSoundAsync();
    }

    [Fact]
    [Trait("Rule", "DUN-7")]
    public async Task A_replaced_card_is_charged_at_the_next_full_hour_and_the_anchor_stays()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_card_chargeCustomerFail");
        Instant update = world.Calendar.At(new LocalDate(2025, 2, 3), (10 * 60) + 20);
        await world.World.AdvanceToAsync(update);

        await world.AttachAsync("pm_card_visa");
        await world.World.AdvanceToAsync(update + Duration.FromMinutes(45));

        JsonObject membership = await world.MembershipAsync(id);
        Assert.Equal("active", (string?)membership["status"]);
        Assert.Equal("2025-03-01", (string?)membership["nextRenewalOn"]);
        Instant charged = world.World.Stripe.Audit().PaymentIntents[^1].Created;
        Assert.InRange(charged, update, update + Duration.FromHours(1));
        await world.AssertSoundAsync();
    }

    [Fact]
    public async Task A_successful_renewal_costs_at_most_ten_storage_calls_and_one_charge()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string text = await world.SignUpAsync("pm_card_visa");
        MembershipId id = EntityId.Parse<MembershipId>(text);
        var period = new LocalDate(2025, 2, 1);
        await world.World.AdvanceToAsync(world.Calendar.At(period, RenewalSlot.MinuteOf(id)) - Duration.FromMinutes(1));
        world.World.Clock.MoveTo(world.Calendar.At(period, RenewalSlot.MinuteOf(id)));
        int before = world.World.Stripe.Audit().PaymentIntents.Count;

        using var calls = StorageCalls.Measure();
        RenewalStepResult result = await world.World.Get<RenewalStepHandler>()
            .HandleAsync(new RenewalInput(id, period, 0, 0, null), TestContext.Current.CancellationToken);

        Assert.Null(result.LookAgainAt);
        Assert.InRange(calls.Count, 1, 10);
        Assert.Equal(before + 1, world.World.Stripe.Audit().PaymentIntents.Count);
    }

    [Fact]
    public async Task Finding_the_due_renewals_of_a_day_costs_one_call_per_thousand()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        MembershipStore store = world.World.Get<MembershipStore>();
        var location = EntityId.Parse<LocationId>(world.LocationId);
        await world.AddDueAsync(1500, new LocalDate(2025, 2, 1));

        using var calls = StorageCalls.Measure();
        IReadOnlyList<DueMembership> first = await store.ListDueAsync(location, new LocalDate(2025, 2, 1), null, 1000, TestContext.Current.CancellationToken);
        IReadOnlyList<DueMembership> rest = await store.ListDueAsync(location, new LocalDate(2025, 2, 1), first[^1], 1000, TestContext.Current.CancellationToken);

        Assert.Equal(1500, first.Count + rest.Count);
        Assert.Equal(2, calls.Count);
    }

    [Fact]
    [Trait("Rule", "MEM-5")]
    public async Task A_declined_sign_up_makes_no_membership_and_voids_its_invoice()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        await world.AttachAsync("pm_card_chargeCustomerFail");

        using HttpResponseMessage answer = await world.PostAsync("/api/v1/memberships/sign-up", new JsonObject { ["planId"] = world.PlanId, ["memberId"] = world.MemberId }, "sign-up");

        Assert.Equal(402, (int)answer.StatusCode);
        await world.World.AdvanceAsync(Duration.FromHours(1));
        Assert.Empty((await world.GetAsync($"/api/v1/memberships?memberId={world.MemberId}"))["results"]!.AsArray());
        Assert.Equal("voided", (string?)Assert.Single(await world.InvoicesAsync("signUp"))["documentState"]);
        await world.AssertSoundAsync();
    }

    [Fact]
    [Trait("Rule", "MEM-5")]
    public async Task Money_that_comes_in_after_its_sign_up_was_declined_is_on_the_invoice_and_told_to_staff()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        await world.AttachAsync("pm_card_chargeCustomerFail");
        using HttpResponseMessage answer = await world.PostAsync(
            "/api/v1/memberships/sign-up", new JsonObject { ["planId"] = world.PlanId, ["memberId"] = world.MemberId }, "sign-up");
        InvoiceId invoice = EntityId.Parse<InvoiceId>((string)Assert.Single(await world.InvoicesAsync("signUp"))["id"]!);

        await world.SettleAsync(invoice, AttemptState.Succeeded);
        await world.World.AdvanceAsync(Duration.FromMinutes(5));

        Assert.Equal("paid", (string?)Assert.Single(await world.InvoicesAsync("signUp"))["settlement"]);
        Assert.Contains(world.World.Log.Entries, e => e.Message.Contains("came in after its sign-up had been refused", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Rule", "API-2")]
    public async Task A_repeated_sign_up_request_is_the_same_sign_up()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string first = await world.SignUpAsync("pm_card_visa");
        string second = await world.SignUpAsync("pm_card_visa");

        Assert.Equal(first, second);
        Assert.Single(await world.InvoicesAsync("signUp"));
    }

    [Fact]
    [Trait("Rule", "MEM-12")]
    public async Task A_cancelled_membership_is_not_charged_and_ends_at_the_start_of_its_day()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");
        await world.CancelAsync(id, new LocalDate(2025, 1, 20));

        await world.World.AdvanceToAsync(world.Calendar.StartOfDay(new LocalDate(2025, 1, 20)) - Duration.FromMinutes(1));
        Assert.Equal("pendingCancellation", (string?)(await world.MembershipAsync(id))["status"]);
        await world.AdvanceToLocalAsync(new LocalDate(2025, 3, 1));

        Assert.Equal("downgraded", (string?)(await world.MembershipAsync(id))["status"]);
        Assert.Empty(await world.InvoicesAsync("renewal"));
        await world.AssertSoundAsync();
    }
}
