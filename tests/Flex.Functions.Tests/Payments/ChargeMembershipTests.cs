using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Xunit;

namespace Flex.Functions.Tests.Payments;

/// <summary>Charging a membership: recorded before the call, settled after it, whatever happens in between.</summary>
public sealed class ChargeMembershipTests : IDisposable
{
    private readonly BillingWorld _world = new();

    private IMembershipBilling Billing => _world.Get<IMembershipBilling>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Rule", "INV-10")]
    public async Task A_renewal_that_succeeds_is_paid_numbered_and_announced_for_four_storage_calls_and_one_gateway_call()
    {
        Customer customer = await _world.CustomerAsync();
        MembershipCharge charge = _world.Renewal(customer);
        await _world.Get<InvoiceTerms>().OperatorAsync(Cancellation);
        using StorageCallScope calls = StorageCalls.Measure();

        ChargeOutcome outcome = await Billing.ChargeAsync(charge, Cancellation);

        // Customer, creation, numbering series, settlement.
        Assert.Equal(4, calls.Count);
        Assert.Equal(ChargeState.Succeeded, outcome.State);
        Invoice invoice = await _world.InvoiceAsync(charge.InvoiceId);
        Assert.Equal((Settlement.Paid, "INV-2025-000001", 10000), (invoice.Settlement, invoice.Number, invoice.Paid.Minor));
        GatewayCharge call = Assert.Single(_world.Gateway.Calls);
        Assert.Equal($"renewal:{BillingWorld.Membership}:2025-01-01:1", call.Key);
        Assert.Equal(charge.InvoiceId.Value, call.Metadata["invoice_id"]);
        Assert.Equal("1", call.Metadata["attempt_no"]);
        Assert.Equal(ChargeState.Succeeded, Assert.Single(_world.Broker.Settled()).State);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "DUN-1")]
    public async Task A_declined_renewal_closes_its_invoice_without_using_a_number()
    {
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("insufficient_funds"));
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());

        ChargeOutcome outcome = await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal((ChargeState.Failed, "insufficient_funds"), (outcome.State, outcome.FailureCode));
        Invoice invoice = await _world.InvoiceAsync(charge.InvoiceId);
        Assert.Equal((DocumentState.Closed, (string?)null, "insufficient_funds"), (invoice.State, invoice.Number, invoice.LastError));
        Assert.Equal(ChargeState.Failed, Assert.Single(_world.Broker.Settled()).State);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "MEM-5")]
    public async Task A_declined_sign_up_voids_its_invoice()
    {
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("card_declined"));
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync(), InvoiceKind.SignUp);

        await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal(DocumentState.Voided, (await _world.InvoiceAsync(charge.InvoiceId)).State);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-10")]
    public async Task With_numbering_on_issue_a_failed_renewal_keeps_its_number()
    {
        using var world = new BillingWorld(s => s with { RenewalNumbering = RenewalNumbering.OnIssue });
        world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("card_declined"));
        MembershipCharge charge = world.Renewal(await world.CustomerAsync());

        await world.Get<IMembershipBilling>().ChargeAsync(charge, Cancellation);

        Assert.Equal("INV-2025-000001", (await world.InvoiceAsync(charge.InvoiceId)).Number);
        await world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-2")]
    public async Task Nothing_due_succeeds_without_the_gateway()
    {
        _world.Gateway.IsConnected = false;
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync(paymentMethod: null), cents: 0);

        ChargeOutcome outcome = await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal(ChargeState.Succeeded, outcome.State);
        Assert.Empty(_world.Gateway.Calls);
        Assert.Equal("INV-2025-000001", (await _world.InvoiceAsync(charge.InvoiceId)).Number);
        Assert.Equal(ChargeState.Succeeded, Assert.Single(_world.Broker.Settled()).State);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "DUN-1")]
    public async Task Without_a_payment_method_it_fails_without_the_gateway()
    {
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync(paymentMethod: null));

        ChargeOutcome outcome = await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal((ChargeState.Failed, "payment_method_required"), (outcome.State, outcome.FailureCode));
        Assert.Empty(_world.Gateway.Calls);
        Assert.Equal(DocumentState.Closed, (await _world.InvoiceAsync(charge.InvoiceId)).State);
        Assert.Equal(ChargeState.Failed, Assert.Single(_world.Broker.Settled()).State);
    }

    [Fact]
    [Trait("Rule", "PAY-1")]
    public async Task Without_a_gateway_nothing_is_recorded_and_no_ladder_starts()
    {
        _world.Gateway.IsConnected = false;
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());

        await Assert.ThrowsAsync<TransientFaultException>(() => Billing.ChargeAsync(charge, Cancellation));

        Assert.Null(await _world.Book.FindAsync(charge.InvoiceId, Cancellation));
        Assert.Empty(_world.Broker.Settled());
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task A_repeated_call_returns_the_stored_outcome_and_charges_once()
    {
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());

        ChargeOutcome first = await Billing.ChargeAsync(charge, Cancellation);
        ChargeOutcome second = await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal(first, second);
        Assert.Single(_world.Gateway.Calls);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task A_throttled_charge_is_repeated_with_the_same_key()
    {
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(null, NotSent: true));
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());

        await Assert.ThrowsAsync<TransientFaultException>(() => Billing.ChargeAsync(charge, Cancellation));
        Assert.Equal(AttemptState.Created, (await _world.EntryAsync(charge.InvoiceId)).Attempt(1).State);
        ChargeOutcome outcome = await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal(ChargeState.Succeeded, outcome.State);
        Assert.Single(_world.Gateway.Calls.Select(c => c.Key).Distinct());
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task A_crash_at_any_commit_is_completed_by_a_repeat_with_one_charge_and_one_number()
    {
        for (int crash = 0; crash < 4; crash++)
        {
            using var world = new BillingWorld();
            MembershipCharge charge = world.Renewal(await world.CustomerAsync());
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

            await Assert.ThrowsAsync<InjectedCrashException>(() => world.Get<IMembershipBilling>().ChargeAsync(charge, Cancellation));
            world.Tables.BeforeCommit = world.Tables.AfterCommit = null;
            await world.HoldsAsync();
            ChargeOutcome outcome = await world.Get<IMembershipBilling>().ChargeAsync(charge, Cancellation);
            world.Time.Advance(TimeSpan.FromMinutes(1));
            await world.PumpAsync();

            Assert.Equal(ChargeState.Succeeded, outcome.State);
            Assert.Single(world.Gateway.Payments);
            Assert.Equal("INV-2025-000001", (await world.InvoiceAsync(charge.InvoiceId)).Number);
            Assert.Equal(ChargeState.Succeeded, Assert.Single(world.Broker.Settled()).State);
            await world.HoldsAsync();
        }
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task A_lost_answer_is_unknown_is_not_sent_again_and_is_found_by_reconciliation_after_five_minutes()
    {
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(AttemptState.Succeeded, Lost: true));
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());

        Assert.Equal(ChargeState.Unknown, (await Billing.ChargeAsync(charge, Cancellation)).State);
        Assert.Equal(ChargeState.Unknown, (await Billing.ChargeAsync(charge, Cancellation)).State);
        Assert.Equal(Settlement.Processing, (await _world.InvoiceAsync(charge.InvoiceId)).Settlement);
        _world.Time.Advance(TimeSpan.FromMinutes(4));
        await _world.PumpAsync();
        Assert.Equal(0, _world.Gateway.Lookups);
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        await _world.PumpAsync();

        Assert.Equal(Settlement.Paid, (await _world.InvoiceAsync(charge.InvoiceId)).Settlement);
        Assert.Single(_world.Gateway.Calls);
        Assert.Equal(ChargeState.Succeeded, Assert.Single(_world.Broker.Settled()).State);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task A_charge_that_never_arrived_is_sent_again_with_the_same_key_within_a_day()
    {
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(null));
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());

        await Billing.ChargeAsync(charge, Cancellation);
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        await _world.PumpAsync();

        Assert.Equal(Settlement.Paid, (await _world.InvoiceAsync(charge.InvoiceId)).Settlement);
        Assert.Equal(2, _world.Gateway.Calls.Count);
        Assert.Single(_world.Gateway.Calls.Select(c => c.Key).Distinct());
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task While_the_gateway_is_away_it_is_asked_after_five_minutes_an_hour_and_then_daily_and_once_the_key_has_expired_never_charged()
    {
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(null));
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());
        await Billing.ChargeAsync(charge, Cancellation);
        _world.Gateway.Down = true;

        var asked = new List<double>();
        DateTimeOffset start = _world.Time.GetUtcNow();
        for (int minute = 1; minute <= 8 * 24 * 60; minute += 5)
        {
            _world.Time.Advance(TimeSpan.FromMinutes(5));
            int before = _world.Gateway.Lookups;
            await _world.PumpAsync();
            if (_world.Gateway.Lookups > before)
            {
                asked.Add((_world.Time.GetUtcNow() - start).TotalMinutes);
            }
        }

        Assert.Equal([5, 65, 65 + 1440, 65 + 2880], asked.Take(4));
        Assert.Equal(9, asked.Count);
        _world.Gateway.Down = false;
        _world.Time.Advance(TimeSpan.FromDays(1));
        await _world.PumpAsync();
        Assert.Equal("not_processed", (await _world.EntryAsync(charge.InvoiceId)).Attempt(1).FailureCode);
        Assert.Empty(_world.Gateway.Payments);
        Assert.Single(_world.Gateway.Calls);
        Assert.Equal(ChargeState.Failed, Assert.Single(_world.Broker.Settled()).State);
    }

    [Fact]
    [Trait("Rule", "PAY-7")]
    public async Task A_bank_debit_stays_processing_and_is_looked_at_daily_until_it_is_settled()
    {
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(AttemptState.Processing));
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());

        Assert.Equal(ChargeState.Processing, (await Billing.ChargeAsync(charge, Cancellation)).State);
        Assert.Empty(_world.Broker.Settled());
        _world.Time.Advance(TimeSpan.FromDays(1));
        await _world.PumpAsync();
        _world.Gateway.Becomes("pi_1", AttemptState.Failed, "insufficient_funds");
        _world.Time.Advance(TimeSpan.FromDays(1));
        await _world.PumpAsync();

        Assert.Equal(DocumentState.Closed, (await _world.InvoiceAsync(charge.InvoiceId)).State);
        Assert.Equal(ChargeState.Failed, Assert.Single(_world.Broker.Settled()).State);
        Assert.Single(_world.Gateway.Calls);
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task A_sign_up_whose_request_died_before_the_call_is_completed_without_anybody_asking()
    {
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync(), InvoiceKind.SignUp);
        _world.Gateway.Down = true;
        await Assert.ThrowsAsync<TransientFaultException>(() => Billing.ChargeAsync(charge, Cancellation));
        _world.Gateway.Down = false;

        _world.Time.Advance(TimeSpan.FromMinutes(5));
        await _world.PumpAsync();

        Assert.Equal(Settlement.Paid, (await _world.InvoiceAsync(charge.InvoiceId)).Settlement);
        Assert.Single(_world.Gateway.Payments);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-5")]
    public async Task The_invoice_keeps_the_purchase_order_number_of_its_day()
    {
        Customer customer = await _world.CustomerAsync();
        MembershipCharge charge = _world.Renewal(customer);

        await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal("PO-7", (await _world.InvoiceAsync(charge.InvoiceId)).PurchaseOrderNumber);
    }
}
