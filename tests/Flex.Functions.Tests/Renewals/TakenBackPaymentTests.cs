using System.Text.Json.Nodes;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Payments;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Renewals;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>A bank takes a renewal's payment back after it had succeeded.</summary>
public sealed class TakenBackPaymentTests
{
    private static readonly LocalDate Renewal = new(2025, 2, 1);

    [Fact]
    [Trait("Rule", "DUN-9")]
    public async Task The_period_is_paid_again_once_however_often_the_notice_comes_and_the_next_one_follows()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_usBankAccount_dispute");
        await AdvanceWhileAsync(world, async () => (string?)(await world.MembershipAsync(id))["status"] != "delinquent");
        Assert.Equal("2025-03-01", (string?)(await world.MembershipAsync(id))["nextRenewalOn"]);
        JsonObject returned = (await world.InvoicesAsync("renewal"))[^1];
        Assert.Equal("closed", (string?)returned["documentState"]);

        await world.AttachAsync("pm_card_visa");
        await world.World.AdvanceAsync(Duration.FromHours(2));
        Assert.Equal("active", (string?)(await world.MembershipAsync(id))["status"]);
        long version = (long)(await world.MembershipAsync(id))["version"]!;
        await RepeatNoticeAsync(world, EntityId.Parse<InvoiceId>((string)returned["id"]!));
        Assert.Equal(version, (long)(await world.MembershipAsync(id))["version"]!);

        await world.AdvanceToLocalAsync(new LocalDate(2025, 3, 2));

        List<JsonObject> renewals = await world.InvoicesAsync("renewal");
        Assert.Equal(["paid", "paid", "unpaid"], renewals.Select(i => (string?)i["settlement"]));
        Assert.Equal("2025-04-01", (string?)(await world.MembershipAsync(id))["nextRenewalOn"]);
        Assert.Contains(world.World.Mail.Mails, m => m.Subject == "Your payment for Full time was returned");
        await world.AssertSoundAsync();
    }

    [Fact]
    [Trait("Rule", "MEM-2")]
    public async Task A_renewal_date_that_passes_while_the_earlier_period_is_unpaid_is_charged_after_recovery()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        string id = await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_usBankAccount_dispute");
        await AdvanceWhileAsync(world, async () => (string?)(await world.MembershipAsync(id))["status"] != "delinquent");

        // A bank that never answers: the first retry stays under way beyond the next renewal date.
        await world.AttachAsync("pm_usBankAccount_processing");
        await world.AdvanceToLocalAsync(new LocalDate(2025, 3, 3));
        Assert.Equal("delinquent", (string?)(await world.MembershipAsync(id))["status"]);
        InvoiceId underWay = EntityId.Parse<InvoiceId>((string)(await world.InvoicesAsync("renewal"))[0]["id"]!);
        await world.AttachAsync("pm_card_visa");
        await world.SettleAsync(underWay, AttemptState.Succeeded);
        await world.World.AdvanceAsync(Duration.FromHours(3));

        JsonObject membership = await world.MembershipAsync(id);
        Assert.Equal("active", (string?)membership["status"]);
        Assert.Equal("2025-04-01", (string?)membership["nextRenewalOn"]);
    }

    private static async Task AdvanceWhileAsync(RenewalWorld world, Func<Task<bool>> waits)
    {
        await world.AdvanceToLocalAsync(Renewal);
        for (int hours = 0; hours < 24 * 14 && await waits(); hours++)
        {
            await world.World.AdvanceAsync(Duration.FromHours(1));
        }
    }

    private static async Task RepeatNoticeAsync(RenewalWorld world, InvoiceId id)
    {
        StoredEntry entry = (await world.World.Get<InvoiceBook>().FindAsync(id, TestContext.Current.CancellationToken))!;
        var notice = new MembershipPaymentSettled(
            id, entry.Invoice.Kind, entry.Invoice.Period!, ChargeState.Reversed, "debit_not_authorized", world.World.Now);
        IMessageHandler handler = world.World.Services.GetServices<IMessageHandler>().Single(h => h is ApplyMembershipPayment);
        await handler.HandleAsync(
            new Envelope($"settled-{id}-1-Reversed", MembershipPaymentSettled.Subject, StorageJson.Write(notice), null), TestContext.Current.CancellationToken);
    }
}
