using Flex.Functions.Tests.Payments;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Settings;
using Xunit;

namespace Flex.Functions.Tests.Invoicing;

/// <summary>Charges that are not owed after all: off the ledger, off the receivable, into the account credit or back.</summary>
public sealed class CreditNoteTests : IDisposable
{
    private readonly BillingWorld _world = new(s => s with { AutomaticCollection = false });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task A_cancelled_charge_on_an_unpaid_invoice_reduces_what_is_due_once()
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated gone = _world.Charge(ada, 300);
        Invoice invoice = await _world.BillAsync(ada, gone, _world.Charge(ada, 700));

        await _world.CancelAsync(gone);
        await _world.CancelAsync(gone);

        Invoice after = await _world.InvoiceAsync(invoice.Id);
        Assert.Equal((300, 700, 0, Settlement.Unpaid), (after.Credited.Minor, after.Due.Minor, after.Paid.Minor, after.Settlement));
        CreditNote note = Assert.Single(await _world.NotesAsync(invoice.Id));
        Assert.Equal(("CN-2025-000001", invoice.Number, 300, "cancelled in time"), (note.Number, note.InvoiceNumber, note.Total.Minor, note.Reason));
        Assert.Equal(300, note.Settlement.Receivable.Minor);
        Assert.Equal(gone.ChargeId, Assert.Single(note.Lines).ChargeId);
        Assert.Equal(0, await _world.AccountAsync(ada));
        await _world.PayAsync(invoice.Id);
        Assert.Equal((700, Settlement.Paid), ((await _world.InvoiceAsync(invoice.Id)).Paid.Minor, (await _world.InvoiceAsync(invoice.Id)).Settlement));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "BKG-6")]
    public async Task A_cancelled_charge_that_was_paid_becomes_account_credit_that_the_next_invoice_takes()
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated gone = _world.Charge(ada, 300);
        Invoice invoice = await _world.BillAsync(ada, gone, _world.Charge(ada, 700));
        await _world.PayAsync(invoice.Id);

        await _world.CancelAsync(gone);

        Assert.Equal(300, await _world.AccountAsync(ada));
        Assert.Equal(300, Assert.Single(await _world.NotesAsync(invoice.Id)).Settlement.AccountCredit.Minor);
        Assert.Equal((1000, 0, Settlement.Paid), Amounts(await _world.InvoiceAsync(invoice.Id)));
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        Invoice small = await _world.BillAsync(ada, _world.Charge(ada, 100));
        Assert.Equal((0, 100, Settlement.Paid), Amounts(small));
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        Invoice large = await _world.BillAsync(ada, _world.Charge(ada, 500));
        Assert.Equal((0, 200, Settlement.Unpaid), Amounts(large));
        Assert.Equal((200, 300), (large.FromAccount.Minor, large.Due.Minor));
        Assert.Equal(0, await _world.AccountAsync(ada));
        Assert.Equal(
            [-200, -100, 300],
            (await _world.Book.AccountEntriesAsync(ada.Id, BillingWorld.Eur, 10, Cancellation)).Select(e => e.Amount.Minor));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "BKG-6")]
    public async Task With_the_setting_it_is_refunded_instead()
    {
        using var world = new BillingWorld(s => s with { CancelledPaidBookings = CancelledPaidBookings.Refund });
        Customer ada = await world.CustomerAsync();
        ChargeCreated gone = world.Charge(ada, 300);
        Invoice invoice = await world.BillAsync(ada, gone, world.Charge(ada, 700));
        Assert.Equal(Settlement.Paid, (await world.InvoiceAsync(invoice.Id)).Settlement);

        await world.CancelAsync(gone);

        Invoice after = await world.InvoiceAsync(invoice.Id);
        Assert.Equal((300, Settlement.PartiallyRefunded), (after.Refunded.Minor, after.Settlement));
        Assert.Equal($"refund:{invoice.Id}:1", Assert.Single(world.Gateway.RefundCalls).Key);
        Assert.Equal([new Money(700, BillingWorld.Eur)], ListTotals.Of([after]));
        Assert.Equal(0, await world.AccountAsync(ada));
        await world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task The_part_of_a_partly_credited_invoice_that_is_due_goes_first_and_only_the_rest_was_paid()
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated first = _world.Charge(ada, 300);
        await _world.PayAsync((await _world.BillAsync(ada, first)).Id);
        await _world.CancelAsync(first);
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        ChargeCreated second = _world.Charge(ada, 500);
        Invoice invoice = await _world.BillAsync(ada, second);
        Assert.Equal(200, invoice.Due.Minor);

        await _world.CancelAsync(second);

        CreditSettlement settled = Assert.Single(await _world.NotesAsync(invoice.Id)).Settlement;
        Assert.Equal((200, 300, 0), (settled.Receivable.Minor, settled.AccountCredit.Minor, settled.Refund.Minor));
        Assert.Equal(300, await _world.AccountAsync(ada));
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData("create reduce")]
    [InlineData("reduce create")]
    [InlineData("create reduce reduce create")]
    [Trait("Rule", "BKG-7")]
    public async Task A_reduction_lowers_an_open_charge_whichever_comes_first(string order)
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated charge = _world.Charge(ada, 1000);
        foreach (string step in order.Split(' '))
        {
            await (step == "create" ? _world.SendAsync(Queues.Billing, ChargeCreated.Subject, charge) : _world.ReduceAsync(charge, 400));
        }

        Invoice invoice = await _world.BillAsync(ada);

        Assert.Equal(600, invoice.Total.Minor);
        Assert.Empty(await _world.NotesAsync(invoice.Id));
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData("create reduce:600 reduce2:500")]
    [InlineData("reduce:600 reduce2:500 create")]
    [InlineData("create reduce:1000 cancel")]
    [InlineData("reduce:1000 create cancel reduce2:1")]
    [InlineData("reduce:10 cancel create")]
    [InlineData("cancel reduce:10 create")]
    [InlineData("create cancel reduce:10")]
    [Trait("Rule", "BKG-7")]
    public async Task A_charge_that_is_reduced_to_nothing_or_cancelled_is_never_invoiced(string order)
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated charge = _world.Charge(ada, 1000);
        foreach (string[] step in order.Split(' ').Select(s => s.Split(':')))
        {
            await (step[0] switch
            {
                "create" => _world.SendAsync(Queues.Billing, ChargeCreated.Subject, charge),
                "cancel" => _world.CancelAsync(charge),
                _ => _world.ReduceAsync(charge, long.Parse(step[1], System.Globalization.CultureInfo.InvariantCulture), step[0]),
            });
        }

        await _world.RunBillsAsync(ada);

        Assert.Empty(await _world.InvoicesAsync(ada));
        Assert.DoesNotContain(_world.Broker.Waiting, m => m.Message.Subject == IssueCreditNote.Subject);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "BKG-7")]
    public async Task Reductions_after_the_invoice_are_credited_up_to_what_is_left_of_the_line()
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated charge = _world.Charge(ada, 1000);
        Invoice invoice = await _world.BillAsync(ada, charge, _world.Charge(ada, 50));
        await _world.PayAsync(invoice.Id);

        await _world.ReduceAsync(charge, 400, "r1");
        await _world.ReduceAsync(charge, 400, "r1");
        await _world.ReduceAsync(charge, 500, "r2");
        await _world.ReduceAsync(charge, 500, "r3");
        await _world.CancelAsync(charge);

        Assert.Equal([400, 500, 100], (await _world.NotesAsync(invoice.Id)).Select(n => n.Total.Minor));
        Assert.Equal(1000, await _world.AccountAsync(ada));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task A_cancellation_waits_for_the_invoice_of_a_claimed_charge()
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated charge = _world.Charge(ada, 1000);
        await _world.SendAsync(Queues.Billing, ChargeCreated.Subject, charge);
        await _world.Get<BillCustomer>().RunAsync(ada.Id, EntityId.Parse<BillRunId>("brn_" + _world.NextId()), Cancellation);
        Envelope issue = Assert.Single(_world.Broker.Take(IssueClaimedInvoice.Subject));

        await _world.CancelAsync(charge);
        Assert.Empty(await _world.InvoicesAsync(ada));
        await _world.Broker.PublishAsync(Queues.Billing, issue, null, Cancellation);
        await _world.PumpAsync();
        Assert.Equal(1000, Assert.Single(await _world.InvoicesAsync(ada)).Due.Minor);
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        await _world.PumpAsync();

        Invoice invoice = Assert.Single(await _world.InvoicesAsync(ada));
        Assert.Equal((0, 1000, Settlement.Paid), Amounts(invoice));
        Assert.Empty(_world.Broker.Told<ChargesPaid>(ChargesPaid.Subject));
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData(AttemptState.Succeeded, 0, 1000)]
    [InlineData(AttemptState.Failed, 1000, 0)]
    [Trait("Rule", "INV-12")]
    public async Task A_cancellation_waits_for_a_payment_under_way(AttemptState becomes, long credited, long account)
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated charge = _world.Charge(ada, 1000);
        Invoice invoice = await _world.BillAsync(ada, charge);
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(AttemptState.Processing));
        await _world.PayAsync(invoice.Id);

        await _world.CancelAsync(charge);
        Assert.Empty(await _world.NotesAsync(invoice.Id));
        _world.Gateway.Becomes("pi_1", becomes, "insufficient_funds");
        for (int hour = 0; hour < 30; hour++)
        {
            _world.Time.Advance(TimeSpan.FromHours(1));
            await _world.PumpAsync();
        }

        Assert.Equal(credited, (await _world.InvoiceAsync(invoice.Id)).Credited.Minor);
        Assert.Equal(account, await _world.AccountAsync(ada));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "BKG-6")]
    public async Task A_booking_that_was_paid_as_it_was_bought_is_credited_by_its_charge()
    {
        Customer ada = await _world.CustomerAsync();
        ImmediateCharge booking = _world.Purchase(ada, ImmediatePurpose.Booking, 800);
        await _world.Get<IImmediateBilling>().ChargeAsync(booking, Cancellation);
        var reduced = new ChargeReduced(booking.ChargeId!.Value, ada.Id, "r1", BillingWorld.Euro(300), "shorter");
        var cancelled = new ChargeCancelled(booking.ChargeId.Value, ada.Id, "cancelled in time");

        await _world.SendAsync(Queues.Billing, ChargeReduced.Subject, reduced);
        await _world.SendAsync(Queues.Billing, ChargeCancelled.Subject, cancelled);

        Assert.Equal([300, 500], (await _world.NotesAsync(booking.InvoiceId)).Select(n => n.Total.Minor));
        Assert.Equal(800, await _world.AccountAsync(ada));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "BKG-7")]
    public async Task Bookings_hear_when_their_charges_are_invoiced_and_paid_with_tax_shares_that_add_up()
    {
        using var world = new BillingWorld(s => s with { AutomaticCollection = false });
        TaxRateId rate = await world.TaxRateAsync(5m, 9.975m);
        Customer ada = await world.CustomerAsync();
        ChargeCreated[] charges = [.. new long[] { 10, 10, 10007 }.Select(cents => world.Charge(ada, cents) with { TaxRateId = rate })];

        Invoice invoice = await world.BillAsync(ada, charges);

        ChargesInvoiced told = Assert.Single(world.Broker.Told<ChargesInvoiced>(ChargesInvoiced.Subject));
        Assert.Equal(invoice.Id, told.InvoiceId);
        Assert.Equal(
            charges.Select(c => (c.ChargeId, c.Source, c.Net)).OrderBy(c => c.ChargeId.Value, StringComparer.Ordinal),
            told.Charges.Select(c => (c.ChargeId, c.Source, c.Net)).OrderBy(c => c.ChargeId.Value, StringComparer.Ordinal));
        Assert.Equal(invoice.Total.Minor, told.Charges.Sum(c => c.Gross.Minor));
        Assert.Empty(world.Broker.Told<ChargesPaid>(ChargesPaid.Subject));
        await world.PayAsync(invoice.Id);
        Assert.Equal(told.Charges, Assert.Single(world.Broker.Told<ChargesPaid>(ChargesPaid.Subject)).Charges);
        await world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "BKG-14")]
    public async Task A_booking_paid_as_it_is_bought_is_told_as_invoiced_and_paid_only_once_the_money_is_there()
    {
        Customer ada = await _world.CustomerAsync();
        ImmediateCharge booking = _world.Purchase(ada, ImmediatePurpose.Booking);
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("card_declined"));
        await _world.Get<IImmediateBilling>().ChargeAsync(booking, Cancellation);
        Assert.Equal(ImmediatePaymentSettled.Subject, Assert.Single(_world.Broker.Bookings).Subject);

        // The same charge again, on another invoice.
        _world.Gateway.Scripts.Clear();
        ImmediateCharge again = booking with { InvoiceId = _world.Purchase(ada).InvoiceId };
        await _world.Get<IImmediateBilling>().ChargeAsync(again, Cancellation);

        Assert.Equal(again.InvoiceId, Assert.Single(_world.Broker.Told<ChargesInvoiced>(ChargesInvoiced.Subject)).InvoiceId);
        Assert.Equal(booking.ChargeId, Assert.Single(Assert.Single(_world.Broker.Told<ChargesPaid>(ChargesPaid.Subject)).Charges).ChargeId);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task A_full_invoice_with_account_credit_fits_one_transaction()
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated first = _world.Charge(ada, 300);
        await _world.PayAsync((await _world.BillAsync(ada, first)).Id);
        await _world.CancelAsync(first);
        _world.Time.Advance(TimeSpan.FromSeconds(1));

        Invoice invoice = await _world.BillAsync(ada, [.. Enumerable.Range(0, ClaimPlan.MaxCharges).Select(_ => _world.Charge(ada, 10))]);

        Assert.Equal((90, 300, 600), (invoice.Lines.Count, invoice.FromAccount.Minor, invoice.Due.Minor));
        Assert.Empty(_world.Broker.Dead);
        await _world.HoldsAsync();
    }

    private static (long Paid, long Credited, Settlement Settlement) Amounts(Invoice invoice) =>
        (invoice.Paid.Minor, invoice.Credited.Minor, invoice.Settlement);
}
