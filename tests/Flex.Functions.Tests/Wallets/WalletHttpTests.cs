using System.Text.Json.Nodes;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;
using Flex.Wallets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Wallets;

public sealed class WalletHttpTests
{
    private static readonly Instant Now = Instant.FromUtc(2025, 1, 1, 0, 0);

    [Fact, Trait("Rule", "BPS-2"), Trait("Rule", "BPS-3")]
    public async Task A_member_buys_passes_pays_at_once_and_has_them()
    {
        using World world = await World.CreateAsync();

        Answer answer = await world.BuyAsync(quantity: 2);

        Assert.Equal(201, answer.Status);
        Assert.Equal(("issued", "20.00"), ((string?)answer.Json["state"], (string?)answer.Json["price"]!["amount"]));
        ImmediateCharge charge = Assert.Single(world.Billing.Charges);
        Assert.Equal((ImmediatePurpose.BookingPass, 2m, Rates.Usd(1000)), (charge.Purpose, charge.Quantity, charge.UnitPrice));
        JsonNode wallet = await world.WalletAsync();
        Assert.Equal(120, (int)wallet["passMinutesLeft"]!);
        Assert.Equal(
            answer.Json["passIds"]!.AsArray().Select(i => (string?)i).Order(), wallet["passes"]!.AsArray().Select(p => (string?)p!["id"]).Order());
        Assert.True((await world.Spaces.Get<MemberStore>().FindAsync(world.Spaces.Member, Spaces.Cancellation))!.HasWallet);
    }

    [Fact, Trait("Rule", "BPS-2")]
    public async Task A_repeated_purchase_charges_and_issues_once_and_its_key_serves_no_other()
    {
        using World world = await World.CreateAsync();

        Answer first = await world.BuyAsync(key: "k1");
        Answer second = await world.BuyAsync(key: "k1");
        Answer other = await world.BuyAsync(quantity: 3, key: "k1");

        Assert.Equal(first.Body, second.Body);
        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), (other.Status, other.Code));
        Assert.Single(world.Billing.Charges);
        Assert.Equal(60, (int)(await world.WalletAsync())["passMinutesLeft"]!);
    }

    [Fact, Trait("Rule", "BPS-2")]
    public async Task A_declined_payment_gives_no_pass()
    {
        using World world = await World.CreateAsync();
        world.Billing.Next = ChargeState.Failed;

        Answer answer = await world.BuyAsync(key: "k1");
        Answer again = await world.BuyAsync(key: "k1");

        Assert.Equal((402, ErrorCodes.PaymentFailed, "insufficient_funds"), (answer.Status, answer.Code, (string?)answer.Json["declineCode"]));
        Assert.Equal((402, 1), (again.Status, world.Billing.Charges.Count));
        Assert.Empty((await world.WalletAsync())["passes"]!.AsArray());
    }

    [Fact, Trait("Rule", "BPS-2")]
    public async Task Without_a_payment_method_the_member_has_to_add_one_first()
    {
        using World world = await World.CreateAsync();
        world.Billing.Refusal = Error.Refused(ErrorCodes.PaymentMethodRequired, "Add one.");

        Answer answer = await world.BuyAsync();

        Assert.Equal((409, ErrorCodes.PaymentMethodRequired), (answer.Status, answer.Code));
        Assert.Empty(world.Billing.Charges);
    }

    [Theory, Trait("Rule", "BPS-2"), Trait("Rule", "BPS-9"), Trait("Rule", "BPS-12")]
    [InlineData("BookingPasses_Buy", "Unheard of", true)]
    [InlineData("BookingPasses_Buy", "Hour", false)]
    [InlineData("BookingPasses_Assign", "Unheard of", true)]
    [InlineData("BookingPasses_Assign", "Hour", false)]
    public async Task What_the_plan_does_not_offer_or_the_operator_has_switched_off_cannot_be_had(string function, string offer, bool enabled)
    {
        using World world = await World.CreateAsync(enabled);

        Answer answer = await world.Spaces.SendAsync(
            function, new { offer, quantity = 1 }, id: world.Spaces.Member.Value, headers: ("Idempotency-Key", "k1"));

        Assert.Equal((409, ErrorCodes.PassNotOffered), (answer.Status, answer.Code));
    }

    [Theory, Trait("Rule", "PAY-4")]
    [InlineData(ChargeState.Processing)]
    [InlineData(ChargeState.Unknown)]
    public async Task An_outcome_that_is_owed_leaves_the_purchase_pending_until_the_message(ChargeState state)
    {
        using World world = await World.CreateAsync();
        world.Billing.Next = state;

        Answer answer = await world.BuyAsync();
        Assert.Equal((201, "pending"), (answer.Status, (string?)answer.Json["state"]));
        Assert.Empty((await world.WalletAsync())["passes"]!.AsArray());

        await world.SettleAsync(ChargeState.Succeeded, 1);
        await world.SettleAsync(ChargeState.Succeeded, 1);
        Assert.Equal(60, (int)(await world.WalletAsync())["passMinutesLeft"]!);
    }

    [Fact, Trait("Rule", "BPS-2")]
    public async Task A_crash_between_payment_and_pass_is_finished_by_the_message_and_by_a_repeat()
    {
        using World world = await World.CreateAsync();
        world.Billing.CrashesAfterwards = true;
        Assert.Equal(503, (await world.BuyAsync(key: "k1")).Status);

        await world.SettleAsync(ChargeState.Succeeded, 0);
        world.Billing.CrashesAfterwards = false;
        Answer repeat = await world.BuyAsync(key: "k1");

        Assert.Equal((201, "issued"), (repeat.Status, (string?)repeat.Json["state"]));
        Assert.Equal(60, (int)(await world.WalletAsync())["passMinutesLeft"]!);
        Assert.Single(world.Billing.Charges);
    }

    [Fact, Trait("Rule", "BPS-2")]
    public async Task A_payment_taken_back_removes_the_rest_of_the_pass_and_one_paid_again_restores_it_in_any_order_of_news()
    {
        using World world = await World.CreateAsync();
        await world.BuyAsync();

        await world.SettleAsync(ChargeState.Reversed, 2);
        await world.SettleAsync(ChargeState.Succeeded, 1);
        JsonNode pass = (await world.WalletAsync())["passes"]![0]!;
        Assert.Equal(("removed", 0), ((string?)pass["state"], (int)pass["leftMinutes"]!));
        Assert.Contains(world.Spaces.App.Logs.Entries, e => e.Level == LogLevel.Warning);

        await world.SettleAsync(ChargeState.Succeeded, 3);
        await world.SettleAsync(ChargeState.Reversed, 2);
        Assert.Equal(60, (int)(await world.WalletAsync())["passMinutesLeft"]!);
    }

    [Fact, Trait("Rule", "BPS-2")]
    public async Task A_pass_that_staff_have_removed_stays_removed_when_its_payment_comes_again()
    {
        using World world = await World.CreateAsync();
        Answer bought = await world.BuyAsync();
        await world.DeleteAsync("booking-passes/" + bought.Json["passIds"]![0]);

        await world.SettleAsync(ChargeState.Reversed, 2);
        await world.SettleAsync(ChargeState.Succeeded, 3);

        Assert.Equal(0, (int)(await world.WalletAsync())["passMinutesLeft"]!);
    }

    [Fact, Trait("Rule", "BPS-9")]
    public async Task Staff_give_passes_free_of_charge_and_remove_them_again()
    {
        using World world = await World.CreateAsync();

        Answer given = await world.Spaces.SendAsync("BookingPasses_Assign", new { offer = "Hour", quantity = 2 }, id: world.Spaces.Member.Value);
        Answer removed = await world.DeleteAsync("booking-passes/" + given.Json["passes"]![0]!["id"]);
        Answer again = await world.DeleteAsync("booking-passes/" + given.Json["passes"]![0]!["id"]);

        Assert.Equal(201, given.Status);
        Assert.Null(given.Json["passes"]![0]!["price"]);
        Assert.Empty(world.Billing.Charges);
        Assert.Equal((200, "removed", removed.Body), (removed.Status, (string?)removed.Json["state"], again.Body));
        Assert.Equal(60, (int)(await world.WalletAsync())["passMinutesLeft"]!);
        Assert.Equal(404, (await world.DeleteAsync("booking-passes/" + EntityId.Derive<BookingPassId>("none"))).Status);
    }

    [Fact, Trait("Rule", "CRD-7")]
    public async Task Staff_grant_credit_once_per_key_and_withdraw_the_rest()
    {
        using World world = await World.CreateAsync();
        var body = new { name = "Sorry", resourceIds = new[] { world.Spaces.Room.Value }, minutes = 90, from = "2025-01-01", until = "2025-01-31" };

        Answer given = await world.GrantAsync(body, "k1");
        Answer again = await world.GrantAsync(body, "k1");
        Assert.Equal((201, given.Body), (given.Status, again.Body));
        Assert.Equal(90, (int)Assert.Single((await world.WalletAsync())["grants"]!.AsArray())!["leftMinutes"]!);

        Answer withdrawn = await world.DeleteAsync("credit-grants/" + given.Json["id"]);
        Assert.Equal((200, 0), (withdrawn.Status, (int)withdrawn.Json["leftMinutes"]!));
    }

    [Fact]
    public async Task A_grant_that_cannot_be_is_refused()
    {
        using World world = await World.CreateAsync();
        string[] room = [world.Spaces.Room.Value];

        Answer both = await world.GrantAsync(new { name = "x", resourceIds = room, minutes = 5, amount = Spaces.Money("1.00"), from = "2025-01-01" });
        Answer euros = await world.GrantAsync(new { name = "x", resourceIds = room, amount = Spaces.Money("1.00", "eur"), from = "2025-01-01" });
        Answer backwards = await world.GrantAsync(new { name = "x", resourceIds = room, minutes = 5, from = "2025-01-02", until = "2025-01-01" });
        Answer nowhere = await world.GrantAsync(
            new { name = "x", resourceIds = new[] { EntityId.Derive<ResourceId>("none").Value }, minutes = 5, from = "2025-01-01" });

        Assert.Equal(
            [ErrorCodes.InvalidValue, ErrorCodes.CurrencyMismatch, ErrorCodes.EndBeforeStart, ErrorCodes.UnknownReference],
            new[] { both, euros, backwards, nowhere }.Select(a => a.Code));
    }

    [Fact, Trait("Rule", "BPS-10"), Trait("Rule", "CRD-4")]
    public async Task The_wallet_shows_this_cycle_and_the_next_and_what_can_be_bought()
    {
        using World world = await World.CreateAsync();
        world.Spaces.App.Time.Advance(TimeSpan.FromDays(14));

        JsonNode wallet = await world.WalletAsync();

        Assert.Equal(
            [("2025-01-01", "2025-02-01", 120, 0, 120), ("2025-02-01", "2025-03-01", 120, 0, 120)],
            wallet["credits"]!.AsArray().Select(c => (
                (string)c!["from"]!, (string)c["until"]!, (int)c["grantedMinutes"]!, (int)c["usedMinutes"]!, (int)c["leftMinutes"]!)));
        Assert.Equal("Hour", (string?)Assert.Single(wallet["passOffers"]!.AsArray())!["name"]);
        Assert.Equal($"/api/v1/members/{world.Spaces.Member}/booking-passes/purchases", (string?)wallet["purchase"]);
    }

    [Fact, Trait("Rule", "CRD-1")]
    public async Task A_membership_that_ends_shows_no_credits_of_a_cycle_it_does_not_see()
    {
        using World world = await World.CreateAsync(endsAt: Now + Duration.FromDays(10));
        world.Spaces.App.Time.Advance(TimeSpan.FromDays(1));

        Assert.Equal("2025-01-01", (string?)Assert.Single((await world.WalletAsync())["credits"]!.AsArray())!["from"]);
    }

    [Fact]
    public async Task Members_reach_their_own_wallet_only()
    {
        using World world = await World.CreateAsync();
        string other = Spaces.As(await world.Spaces.AddMemberAsync(status: null));

        Assert.Equal(404, (await world.Spaces.SendAsync("Wallet_Get", caller: other, id: world.Spaces.Member.Value)).Status);
        Assert.Equal(404, (await world.BuyAsync(caller: other)).Status);
        Assert.Equal(403, (await world.Spaces.SendAsync(
            "BookingPasses_Assign", new { offer = "Hour", quantity = 1 }, Spaces.As(world.Spaces.Member), world.Spaces.Member.Value)).Status);
        Assert.Equal(404, (await world.Spaces.SendAsync("Wallet_Get", id: EntityId.Derive<MemberId>("none").Value)).Status);
    }

    [Fact]
    public async Task A_wallet_takes_no_more_than_it_can_hold()
    {
        using World world = await World.CreateAsync();
        Answer last;
        int given = 0;
        do
        {
            last = await world.Spaces.SendAsync("BookingPasses_Assign", new { offer = "Hour", quantity = 20 }, id: world.Spaces.Member.Value);
            given += last.Status == 201 ? 20 : 0;
        }
        while (last.Status == 201);

        Assert.Equal((409, ErrorCodes.WalletFull), (last.Status, last.Code));
        Assert.InRange(given, 500, 1000);
        Assert.Equal(60 * given, (int)(await world.WalletAsync())["passMinutesLeft"]!);
    }

    [Fact, Trait("Rule", "BPS-4")]
    public async Task Many_processes_spend_exactly_what_there_is()
    {
        using World world = await World.CreateAsync();
        Member member = (await world.Spaces.Get<MemberStore>().FindAsync(world.Spaces.Member, Spaces.Cancellation))!;
        MemberTerms terms = await world.Spaces.Get<WalletReader>().TermsAsync(member, Spaces.Cancellation);

        IReadOnlyList<Result<BookingPrice>>[] prices = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() =>
            world.Spaces.Get<WalletLedger>().DrawAsync(
                terms,
                null,
                [new DrawRequest(EntityId.Derive<BookingId>($"b{i}", Terms.Home), 1, world.Spaces.Room, Terms.Time(10))],
                DrawMode.AllOrNothing,
                Spaces.Cancellation))));

        Assert.Equal((120, 8), (prices.Sum(p => p[0].IsError ? 0 : p[0].Value.CreditMinutes), prices.Count(p => p[0].Error?.Code == ErrorCodes.OutOfPasses)));
    }

    /// <summary>A member whose plan has two hours of the room a month and sells passes of an hour for 10.00.</summary>
    private sealed class World : IDisposable
    {
        private World(Spaces spaces, FakeImmediateBilling billing) => (Spaces, Billing) = (spaces, billing);

        public Spaces Spaces { get; }

        public FakeImmediateBilling Billing { get; }

        public static async Task<World> CreateAsync(bool enabled = true, Instant? endsAt = null)
        {
            var billing = new FakeImmediateBilling();
            Spaces spaces = await Spaces.CreateAsync(isBare: true, replace: s => s.AddSingleton<IImmediateBilling>(billing));
            string[] room = [spaces.Room.Value];
            PlanId plan = await spaces.AddPlanAsync(
                ("credits", new[] { new { name = "Meeting rooms", resourceIds = room, minutes = 120 } }),
                ("passOffers", new[] { new { name = "Hour", hours = 1, price = Spaces.Money("10.00"), resourceIds = room } }));
            await spaces.SetStandingAsync(spaces.Member, spaces.NewStanding(MembershipStatus.Active, endsAt) with { PlanId = plan });
            JsonNode settings = (await spaces.SendAsync("Operator_Get", caller: "owner")).Json;
            settings["bookingPassesEnabled"] = enabled;
            string version = (string)settings["version"]!.ToJsonString();
            settings.AsObject().Remove("version");
            settings.AsObject().Remove("accountStatus");
            Answer edited = await spaces.SendAsync("Operator_Edit", settings.ToJsonString(), "owner", headers: ("If-Match", $"\"{version}\""));
            Assert.True(edited.Status == 200, edited.Body);
            return new World(spaces, billing);
        }

        public Task<Answer> BuyAsync(int quantity = 1, string key = "k", string? caller = null) => Spaces.SendAsync(
            "BookingPasses_Buy", new { offer = "Hour", quantity }, caller ?? Spaces.As(Spaces.Member), Spaces.Member.Value, headers: ("Idempotency-Key", key));

        public Task<Answer> GrantAsync(object body, string? key = null) => Spaces.SendAsync(
            "CreditGrants_Create", body, id: Spaces.Member.Value, headers: key is null ? [] : [("Idempotency-Key", key)]);

        public Task<Answer> DeleteAsync(string path) => Spaces.App.SendAsync(
            path.StartsWith("booking-passes", StringComparison.Ordinal) ? "BookingPasses_Remove" : "CreditGrants_Withdraw",
            "DELETE",
            $"/api/v1/members/{Spaces.Member}/{path}",
            null,
            ("Authorization", "Bearer staff"));

        public async Task<JsonNode> WalletAsync() =>
            (await Spaces.SendAsync("Wallet_Get", caller: Spaces.As(Spaces.Member), id: Spaces.Member.Value)).Json;

        /// <summary>The payment's message, about what became of it so many hours after the purchase.</summary>
        public Task SettleAsync(ChargeState state, int hours) => Spaces.Get<PassPayments>()
            .SettleAsync(Billing.Settled(Spaces.Member, state, Now + Duration.FromHours(hours)), Spaces.Cancellation);

        public void Dispose() => Spaces.Dispose();
    }
}
