using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Payments;

/// <summary>Money sent back: once, under one key, whatever happens in between, and in step with what staff does at the gateway.</summary>
public sealed class RefundTests : IDisposable
{
    private readonly BillingWorld _world = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task A_purchase_is_refunded_in_full_with_a_credit_note_and_a_repeat_changes_nothing()
    {
        ImmediateCharge booking = await BuyAsync(_world);

        await RefundAsync(_world, booking);
        await RefundAsync(_world, booking);

        Invoice invoice = await _world.InvoiceAsync(booking.InvoiceId);
        Assert.Equal((1000, 1000, Settlement.Refunded), (invoice.Paid.Minor, invoice.Refunded.Minor, invoice.Settlement));
        RefundOrder order = Assert.Single(_world.Gateway.RefundCalls);
        Assert.Equal(($"refund:{booking.InvoiceId}:1", "pi_1", 1000), (order.Key, order.PaymentId, order.Amount.Minor));
        CreditNote note = Assert.Single(await _world.NotesAsync(booking.InvoiceId));
        Assert.Equal((1000, "no_room", "CN-2025-000001"), (note.Settlement.Refund.Minor, note.Reason, note.Number));
        Assert.Empty(ListTotals.Of([invoice]));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task A_purchase_that_was_never_paid_has_nothing_to_refund()
    {
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("card_declined"));
        ImmediateCharge booking = await BuyAsync(_world);

        await RefundAsync(_world, booking);

        Assert.Empty(_world.Gateway.RefundCalls);
        Assert.Empty(await _world.NotesAsync(booking.InvoiceId));
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData(AttemptState.Succeeded, 1)]
    [InlineData(AttemptState.Failed, 0)]
    [Trait("Rule", "PAY-5")]
    public async Task A_refund_of_a_payment_in_doubt_waits_for_its_outcome(AttemptState effect, int refunds)
    {
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(effect, "card_declined", Lost: true));
        ImmediateCharge booking = await BuyAsync(_world);

        await RefundAsync(_world, booking);
        Assert.Empty(_world.Gateway.RefundCalls);
        await ElapseAsync(_world, hours: 3);

        Assert.Equal(refunds, _world.Gateway.Refunds.Count());
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    [Trait("Rule", "PAY-5")]
    public async Task A_lost_answer_is_looked_for_and_never_sent_under_another_key(bool happened, int calls)
    {
        _world.Gateway.RefundScripts.Enqueue((happened ? RefundState.Succeeded : null, true));
        ImmediateCharge booking = await BuyAsync(_world);

        await RefundAsync(_world, booking);
        Assert.Equal(0, (await _world.InvoiceAsync(booking.InvoiceId)).Refunded.Minor);
        await ElapseAsync(_world, hours: 1);

        Assert.Equal(calls, _world.Gateway.RefundCalls.Count);
        Assert.Single(_world.Gateway.RefundCalls.Select(c => c.Key).Distinct());
        Assert.Single(_world.Gateway.Refunds);
        Assert.Equal(Settlement.Refunded, (await _world.InvoiceAsync(booking.InvoiceId)).Settlement);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task While_the_gateway_is_away_it_is_tried_again_for_days_and_made_once()
    {
        ImmediateCharge booking = await BuyAsync(_world);
        _world.Gateway.Down = true;
        await RefundAsync(_world, booking);
        await ElapseAsync(_world, hours: 9 * 24);
        Assert.Empty(_world.Gateway.Refunds);

        _world.Gateway.Down = false;
        await ElapseAsync(_world, hours: 24);

        Assert.Single(_world.Gateway.Refunds);
        Assert.Empty(_world.Broker.Dead);
        Assert.Equal(Settlement.Refunded, (await _world.InvoiceAsync(booking.InvoiceId)).Settlement);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task A_refund_that_is_refused_becomes_account_credit()
    {
        _world.Gateway.RefundScripts.Enqueue((RefundState.Failed, false));
        ImmediateCharge booking = await BuyAsync(_world);

        await RefundAsync(_world, booking);

        Invoice invoice = await _world.InvoiceAsync(booking.InvoiceId);
        Assert.Equal((0, Settlement.Paid), (invoice.Refunded.Minor, invoice.Settlement));
        Assert.Equal(1000, (await _world.Book.AccountAsync(booking.CustomerId, BillingWorld.Eur, Cancellation)).Account.Balance.Minor);
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData(RefundState.Succeeded, 1000, 0)]
    [InlineData(RefundState.Failed, 0, 1000)]
    [Trait("Rule", "PAY-7")]
    public async Task A_refund_under_way_is_looked_at_daily_until_it_is_settled(RefundState becomes, long refunded, long account)
    {
        _world.Gateway.RefundScripts.Enqueue((RefundState.Processing, false));
        ImmediateCharge booking = await BuyAsync(_world);
        await RefundAsync(_world, booking);
        await ElapseAsync(_world, hours: 30);
        Assert.Equal(0, (await _world.InvoiceAsync(booking.InvoiceId)).Refunded.Minor);

        _world.Gateway.RefundBecomes("re_1", becomes, "expired_or_canceled_card");
        await ElapseAsync(_world, hours: 30);

        Assert.Equal(refunded, (await _world.InvoiceAsync(booking.InvoiceId)).Refunded.Minor);
        Assert.Equal(account, (await _world.Book.AccountAsync(booking.CustomerId, BillingWorld.Eur, Cancellation)).Account.Balance.Minor);
        Assert.Single(_world.Gateway.RefundCalls);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task A_refund_that_succeeded_and_comes_back_later_is_account_credit_and_no_refund()
    {
        ImmediateCharge booking = await BuyAsync(_world);
        await RefundAsync(_world, booking);

        _world.Gateway.RefundBecomes("re_1", RefundState.Failed, "lost_or_stolen_card");
        await EventAsync(_world, "refund.failed", "re_1");
        await EventAsync(_world, "refund.updated", "re_1");

        Invoice invoice = await _world.InvoiceAsync(booking.InvoiceId);
        Assert.Equal((0, Settlement.Paid), (invoice.Refunded.Minor, invoice.Settlement));
        Assert.Equal(1000, (await _world.Book.AccountAsync(booking.CustomerId, BillingWorld.Eur, Cancellation)).Account.Balance.Minor);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task Refunds_made_at_the_gateway_are_refunds_of_the_invoice_in_any_order_and_number_of_events()
    {
        ImmediateCharge booking = await BuyAsync(_world);
        _world.Gateway.AddRefund("pi_1", null, BillingWorld.Euro(300));
        await EventAsync(_world, "charge.refunded", "ch_1");
        _world.Gateway.AddRefund("pi_1", null, BillingWorld.Euro(200));
        await EventAsync(_world, "charge.refunded", "ch_1");
        await EventAsync(_world, "charge.refunded", "ch_1");

        Invoice partly = await _world.InvoiceAsync(booking.InvoiceId);
        Assert.Equal((500, Settlement.PartiallyRefunded), (partly.Refunded.Minor, partly.Settlement));
        Assert.Equal([300, 200], (await _world.NotesAsync(booking.InvoiceId)).Select(n => n.Settlement.Refund.Minor));

        // The rest is ours to give.
        await RefundAsync(_world, booking);
        await EventAsync(_world, "charge.refunded", "ch_1");

        Assert.Equal(500, Assert.Single(_world.Gateway.RefundCalls).Amount.Minor);
        Assert.Equal(Settlement.Refunded, (await _world.InvoiceAsync(booking.InvoiceId)).Settlement);
        Assert.Equal(3, (await _world.NotesAsync(booking.InvoiceId)).Count);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task The_notice_of_our_own_refund_may_come_before_its_answer()
    {
        _world.Gateway.RefundScripts.Enqueue((RefundState.Succeeded, true));
        ImmediateCharge booking = await BuyAsync(_world);
        await RefundAsync(_world, booking);

        await EventAsync(_world, "charge.refunded", "ch_1");

        Assert.Equal(Settlement.Refunded, (await _world.InvoiceAsync(booking.InvoiceId)).Settlement);
        await ElapseAsync(_world, hours: 2);
        Assert.Single(_world.Gateway.RefundCalls);
        Assert.Single(await _world.NotesAsync(booking.InvoiceId));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task A_refund_that_staff_makes_by_hand_while_ours_waits_fulfils_it()
    {
        ImmediateCharge booking = await BuyAsync(_world);
        _world.Gateway.Down = true;
        await RefundAsync(_world, booking);
        _world.Gateway.Down = false;
        _world.Gateway.AddRefund("pi_1", null, BillingWorld.Euro(1000));

        await EventAsync(_world, "charge.refunded", "ch_1");
        await ElapseAsync(_world, hours: 2);

        Assert.Equal(Settlement.Refunded, (await _world.InvoiceAsync(booking.InvoiceId)).Settlement);
        Assert.Single(_world.Gateway.Refunds);
        Assert.Equal(0, (await _world.Book.AccountAsync(booking.CustomerId, BillingWorld.Eur, Cancellation)).Account.Balance.Minor);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task Money_given_back_at_the_gateway_after_it_became_account_credit_is_counted_without_a_second_note()
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated charge = _world.Charge(ada);
        Invoice invoice = await _world.BillAsync(ada, charge);
        await _world.CancelAsync(charge);
        _world.Gateway.AddRefund("pi_1", null, BillingWorld.Euro(1000));

        await EventAsync(_world, "charge.refunded", "ch_1");

        Assert.Equal(1000, (await _world.InvoiceAsync(invoice.Id)).Refunded.Minor);
        Assert.Single(await _world.NotesAsync(invoice.Id));
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData("ch_9")]
    [InlineData("pi_foreign")]
    [Trait("Rule", "PAY-6")]
    public async Task Refunds_of_payments_that_are_not_ours_are_ignored(string id)
    {
        _world.Gateway.Add("pi_foreign", new GatewayPayment(null, new PaymentObservation(AttemptState.Succeeded, "pi_foreign")));

        await EventAsync(_world, "charge.refunded", id);

        Assert.Empty(_world.Broker.Dead);
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task A_crash_at_any_commit_of_a_refund_ends_with_one_refund_and_one_note()
    {
        for (int crash = 0; crash < 4; crash++)
        {
            using var world = new BillingWorld();
            ImmediateCharge booking = await BuyAsync(world);
            int commits = 0;
            Task Crash(TableBatch batch, int at) => commits++ == at ? throw new InjectedCrashException() : Task.CompletedTask;
            int n = crash;
            if (n < 2)
            {
                world.Tables.BeforeCommit = b => Crash(b, n);
            }
            else
            {
                world.Tables.AfterCommit = b => Crash(b, n - 2);
            }

            for (int tries = 0; tries < 2; tries++)
            {
                try
                {
                    await RefundAsync(world, booking);
                }
                catch (InjectedCrashException)
                {
                    // The caller's message comes again.
                }
            }

            world.Tables.BeforeCommit = world.Tables.AfterCommit = null;
            await ElapseAsync(world, hours: 2);

            Assert.Single(world.Gateway.Refunds);
            Assert.Single(await world.NotesAsync(booking.InvoiceId));
            Assert.Equal(Settlement.Refunded, (await world.InvoiceAsync(booking.InvoiceId)).Settlement);
            Assert.Empty(world.Broker.Dead);
            await world.HoldsAsync();
        }
    }

    private static async Task<ImmediateCharge> BuyAsync(BillingWorld world)
    {
        ImmediateCharge booking = world.Purchase(await world.CustomerAsync(), ImmediatePurpose.Booking);
        await world.Get<IImmediateBilling>().ChargeAsync(booking, Cancellation);
        return booking;
    }

    private static async Task RefundAsync(BillingWorld world, ImmediateCharge booking)
    {
        await world.Get<IImmediateBilling>().RefundAsync(booking.InvoiceId, "no_room", Cancellation);
        await world.PumpAsync();
    }

    private static Task EventAsync(BillingWorld world, string type, string objectId) => world.SendAsync(
        Queues.StripeEvents, StripeEventReceived.Subject, new StripeEventReceived("evt_" + world.NextId(), type, objectId, "{}"));

    /// <summary>Time passes in steps, with everything delivered that falls due.</summary>
    private static async Task ElapseAsync(BillingWorld world, int hours)
    {
        for (int step = 0; step < hours * 2; step++)
        {
            world.Time.Advance(TimeSpan.FromMinutes(30));
            await world.PumpAsync();
        }
    }
}
