using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Payments;

/// <summary>Bookings and booking passes that are paid as they are bought.</summary>
public sealed class ImmediateBillingTests : IDisposable
{
    private readonly BillingWorld _world = new();

    private IImmediateBilling Billing => _world.Get<IImmediateBilling>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Rule", "BPS-3")]
    public async Task A_pass_is_invoiced_as_already_paid_without_payments_while_the_ledger_keeps_its_attempt()
    {
        ImmediateCharge pass = _world.Purchase(await _world.CustomerAsync(), quantity: 2);

        ChargeOutcome outcome = await Billing.ChargeAsync(pass, Cancellation);

        Assert.Equal(ChargeState.Succeeded, outcome.State);
        BookEntry entry = await _world.EntryAsync(pass.InvoiceId);
        InvoiceView view = await _world.Get<InvoiceReader>().ViewAsync(entry, Cancellation);
        Assert.Equal(
            (true, Settlement.Paid, "INV-2025-000001", 2000, InvoiceKind.BookingPass),
            (view.AlreadyPaid, view.Settlement, view.Number, view.Paid.Minor, view.Kind));
        Assert.Empty(view.Payments);
        Assert.Equal((AttemptState.Succeeded, AttemptOrigin.Purchase), (entry.Attempt(1).State, entry.Attempt(1).Origin));
        Assert.Equal(
            new ImmediatePaymentSettled(
                pass.InvoiceId, ImmediatePurpose.BookingPass, pass.Source, pass.MemberId, ChargeState.Succeeded, null, entry.Attempt(1).StateAt),
            Assert.Single(_world.Broker.Told<ImmediatePaymentSettled>(ImmediatePaymentSettled.Subject)));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "BKG-14")]
    public async Task A_paid_booking_shows_its_payment()
    {
        ImmediateCharge booking = _world.Purchase(await _world.CustomerAsync(), ImmediatePurpose.Booking);

        await Billing.ChargeAsync(booking, Cancellation);

        InvoiceView view = await _world.Get<InvoiceReader>().ViewAsync(await _world.EntryAsync(booking.InvoiceId), Cancellation);
        Assert.False(view.AlreadyPaid);
        Assert.Equal(1000, Assert.Single(view.Payments).Amount.Minor);
    }

    [Theory]
    [InlineData(ImmediatePurpose.BookingPass)]
    [InlineData(ImmediatePurpose.Booking)]
    [Trait("Rule", "BPS-2")]
    public async Task A_declined_purchase_voids_its_invoice_uses_no_number_and_is_told(ImmediatePurpose purpose)
    {
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("insufficient_funds"));
        ImmediateCharge charge = _world.Purchase(await _world.CustomerAsync(), purpose);

        ChargeOutcome outcome = await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal((ChargeState.Failed, "insufficient_funds"), (outcome.State, outcome.FailureCode));
        Invoice invoice = await _world.InvoiceAsync(charge.InvoiceId);
        Assert.Equal((DocumentState.Voided, (string?)null, 0), (invoice.State, invoice.Number, invoice.Due.Minor));
        ImmediatePaymentSettled told = Assert.Single(_world.Broker.Told<ImmediatePaymentSettled>(ImmediatePaymentSettled.Subject));
        Assert.Equal((ChargeState.Failed, purpose, charge.Source, "insufficient_funds"), (told.State, told.Purpose, told.Source, told.FailureCode));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "BPS-2")]
    public async Task Who_cannot_be_charged_is_told_why()
    {
        Customer ada = await _world.CustomerAsync();
        Customer bob = await _world.CustomerAsync(paymentMethod: null);

        Assert.Null(await Billing.RefuseAsync(ada.Id, Cancellation));
        Assert.Equal(ErrorCodes.PaymentMethodRequired, (await Billing.RefuseAsync(bob.Id, Cancellation))?.Code);
        _world.Gateway.IsConnected = false;
        Assert.Equal(ErrorCodes.GatewayNotConnected, (await Billing.RefuseAsync(ada.Id, Cancellation))?.Code);
        await Assert.ThrowsAsync<TransientFaultException>(() => Billing.ChargeAsync(_world.Purchase(ada), Cancellation));
    }

    [Fact]
    [Trait("Rule", "PAY-2")]
    public async Task Nothing_due_succeeds_without_the_gateway()
    {
        ImmediateCharge charge = _world.Purchase(await _world.CustomerAsync(paymentMethod: null), cents: 0);

        ChargeOutcome first = await Billing.ChargeAsync(charge, Cancellation);
        ChargeOutcome second = await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal((ChargeState.Succeeded, first), (first.State, second));
        Assert.Empty(_world.Gateway.Calls);
        Assert.Equal("INV-2025-000001", (await _world.InvoiceAsync(charge.InvoiceId)).Number);
        Assert.Equal(
            ChargeState.Succeeded,
            Assert.Single(_world.Broker.Told<ImmediatePaymentSettled>(ImmediatePaymentSettled.Subject)).State);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task A_repeat_returns_the_stored_outcome_and_another_purchase_cannot_use_the_same_invoice()
    {
        ImmediateCharge charge = _world.Purchase(await _world.CustomerAsync());

        ChargeOutcome first = await Billing.ChargeAsync(charge, Cancellation);
        ChargeOutcome second = await Billing.ChargeAsync(charge, Cancellation);

        Assert.Equal(first, second);
        Assert.Single(_world.Gateway.Calls);
        await Assert.ThrowsAsync<DefectException>(() => Billing.ChargeAsync(charge with { Source = "bps_other" }, Cancellation));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task A_crash_at_any_commit_is_completed_by_nobody_asking_with_one_charge_and_one_number()
    {
        for (int crash = 0; crash < 4; crash++)
        {
            foreach (bool repeated in new[] { true, false })
            {
                using var world = new BillingWorld();
                ImmediateCharge charge = world.Purchase(await world.CustomerAsync(), ImmediatePurpose.Booking);
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

                await Assert.ThrowsAsync<InjectedCrashException>(() => world.Get<IImmediateBilling>().ChargeAsync(charge, Cancellation));
                world.Tables.BeforeCommit = world.Tables.AfterCommit = null;
                await world.HoldsAsync();
                if (repeated || n == 0)
                {
                    // Nothing was stored before the first commit: only the caller can know of it.
                    Assert.Equal(ChargeState.Succeeded, (await world.Get<IImmediateBilling>().ChargeAsync(charge, Cancellation)).State);
                }

                // The sweep, then the reconciliation it publishes.
                world.Time.Advance(TimeSpan.FromMinutes(1));
                await world.PumpAsync();
                world.Time.Advance(TimeSpan.FromMinutes(5));
                await world.PumpAsync();

                Assert.Single(world.Gateway.Payments);
                Assert.Equal(("INV-2025-000001", Settlement.Paid), ((await world.InvoiceAsync(charge.InvoiceId)).Number, (await world.InvoiceAsync(charge.InvoiceId)).Settlement));
                Assert.Equal(
                    ChargeState.Succeeded,
                    Assert.Single(world.Broker.Told<ImmediatePaymentSettled>(ImmediatePaymentSettled.Subject)).State);
                await world.HoldsAsync();
            }
        }
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task A_lost_answer_is_unknown_never_sent_again_and_found_by_the_reconciliation()
    {
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(AttemptState.Succeeded, Lost: true));
        ImmediateCharge charge = _world.Purchase(await _world.CustomerAsync());

        Assert.Equal(ChargeState.Unknown, (await Billing.ChargeAsync(charge, Cancellation)).State);
        Assert.Equal(ChargeState.Unknown, (await Billing.ChargeAsync(charge, Cancellation)).State);
        Assert.Empty(_world.Broker.Bookings);
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        await _world.PumpAsync();

        Assert.Single(_world.Gateway.Calls);
        Assert.Equal(Settlement.Paid, (await _world.InvoiceAsync(charge.InvoiceId)).Settlement);
        Assert.Equal(
            ChargeState.Succeeded,
            Assert.Single(_world.Broker.Told<ImmediatePaymentSettled>(ImmediatePaymentSettled.Subject)).State);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-7")]
    public async Task A_purchase_whose_payment_is_taken_back_is_owed_and_stays_so_when_a_further_payment_fails()
    {
        ImmediateCharge charge = _world.Purchase(await _world.CustomerAsync(), ImmediatePurpose.Booking);
        await Billing.ChargeAsync(charge, Cancellation);
        StoredEntry stored = (await _world.Book.FindAsync(charge.InvoiceId, Cancellation))!;
        await _world.Get<PaymentRunner>().RecordAsync(
            stored, 1, new PaymentObservation(AttemptState.Reversed, "pi_1", "lost"), null, Cancellation);
        Invoice reversed = await _world.InvoiceAsync(charge.InvoiceId);
        Assert.Equal((DocumentState.Issued, Settlement.Unpaid, 1000), (reversed.State, reversed.Settlement, reversed.Due.Minor));
        Assert.Equal(
            [ChargeState.Succeeded, ChargeState.Reversed],
            _world.Broker.Told<ImmediatePaymentSettled>(ImmediatePaymentSettled.Subject).Select(t => t.State));

        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("card_declined"));
        await _world.Get<PayInvoice>().HandleAsync(charge.InvoiceId, BillingWorld.Staff("k"), Cancellation);

        Invoice owed = await _world.InvoiceAsync(charge.InvoiceId);
        Assert.Equal((DocumentState.Issued, 1000, "INV-2025-000001"), (owed.State, owed.Due.Minor, owed.Number));
        await _world.HoldsAsync();
    }
}
