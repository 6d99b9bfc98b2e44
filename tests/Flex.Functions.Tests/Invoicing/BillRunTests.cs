using Flex.Functions.Tests.Payments;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Xunit;

namespace Flex.Functions.Tests.Invoicing;

/// <summary>From charges to invoices: everything open is invoiced once, whatever repeats, races or breaks.</summary>
public sealed class BillRunTests : IDisposable
{
    private readonly BillingWorld _world = new(s => s with { AutomaticCollection = false });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task A_bill_run_puts_every_open_charge_on_an_invoice_with_a_number()
    {
        Customer ada = await _world.CustomerAsync();
        Customer bob = await _world.CustomerAsync();
        await ChargeAsync(_world, ada, ada, bob);

        BillRun run = await RunAsync(_world);

        Invoice invoice = Assert.Single(await _world.InvoicesAsync(ada));
        Assert.Equal(2, invoice.Lines.Count);
        Assert.Equal((InvoiceKind.BillRun, "Bill Run", 2000), (invoice.Kind, invoice.CreatedBy, invoice.Due.Minor));
        Assert.Equal(1000, Assert.Single(await _world.InvoicesAsync(bob)).Total.Minor);
        Assert.Equal(BillRunState.Completed, (await _world.Get<BillRunStore>().ReadAsync(run.Id, Cancellation))!.Value.State);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task A_second_run_finds_nothing_and_a_later_charge_is_not_missed()
    {
        Customer ada = await _world.CustomerAsync();
        await ChargeAsync(_world, ada);
        await RunAsync(_world);

        await RunAsync(_world);
        Assert.Single(await _world.InvoicesAsync(ada));
        Assert.Empty(await _world.Get<ChargeLedger>().OpenLedgersAsync(null, 10, Cancellation));
        await ChargeAsync(_world, ada);
        await RunAsync(_world);

        Assert.Equal(2, (await _world.InvoicesAsync(ada)).Count);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task Ninety_charges_go_on_an_invoice_and_each_currency_has_its_own()
    {
        Customer ada = await _world.CustomerAsync();
        await ChargeAsync(_world, [.. Enumerable.Repeat(ada, 200)]);
        await SendAsync(_world, _world.Charge(ada, 500, "usd"));

        await RunAsync(_world);

        IReadOnlyList<Invoice> invoices = await _world.InvoicesAsync(ada);
        Assert.Equal([1, 20, 90, 90], invoices.Select(i => i.Lines.Count).Order());
        Assert.Single(invoices, i => i.Total.Currency.Code == "usd");
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task A_repeated_charge_message_is_one_charge_even_after_it_was_invoiced()
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated charge = _world.Charge(ada);
        await SendAsync(_world, charge);
        await SendAsync(_world, charge);
        await RunAsync(_world);
        await SendAsync(_world, charge);

        await RunAsync(_world);

        Assert.Equal(1000, Assert.Single(await _world.InvoicesAsync(ada)).Total.Minor);
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Rule", "INV-1")]
    public async Task A_charge_cancelled_before_it_is_invoiced_disappears_whichever_message_comes_first(bool cancelledFirst)
    {
        Customer ada = await _world.CustomerAsync();
        ChargeCreated charge = _world.Charge(ada);
        var cancelled = new ChargeCancelled(charge.ChargeId, ada.Id, "by member");
        if (cancelledFirst)
        {
            await _world.SendAsync(Queues.Billing, ChargeCancelled.Subject, cancelled);
            await SendAsync(_world, charge);
        }
        else
        {
            await SendAsync(_world, charge);
            await _world.SendAsync(Queues.Billing, ChargeCancelled.Subject, cancelled);
        }

        await SendAsync(_world, charge);
        await _world.SendAsync(Queues.Billing, ChargeCancelled.Subject, cancelled);
        await RunAsync(_world);

        Assert.Empty(await _world.InvoicesAsync(ada));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task A_run_over_many_customers_reaches_all_of_them()
    {
        var customers = new List<Customer>();
        for (int i = 0; i < (2 * ContinueBillRunHandler.PageSize) + 1; i++)
        {
            customers.Add(await _world.CustomerAsync());
        }

        await ChargeAsync(_world, [.. customers]);

        await RunAsync(_world);

        foreach (Customer customer in customers)
        {
            Assert.Single(await _world.InvoicesAsync(customer));
        }

        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task A_run_for_one_customer_bills_only_that_one_and_an_unknown_one_is_refused()
    {
        Customer ada = await _world.CustomerAsync();
        Customer bob = await _world.CustomerAsync();
        await ChargeAsync(_world, ada, bob);

        await RunAsync(_world, ada.Id);

        Assert.Single(await _world.InvoicesAsync(ada));
        Assert.Empty(await _world.InvoicesAsync(bob));
        CustomerId nobody = EntityId.Parse<CustomerId>("cus_" + new string('z', 26));
        var refused = await _world.Get<StartBillRun>().HandleAsync(new BillRunRequest(nobody), BillingWorld.Staff("k2"), Cancellation);
        Assert.Equal(ErrorCodes.UnknownReference, refused.Error?.Code);
    }

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task The_same_idempotency_key_starts_one_run()
    {
        var first = await _world.Get<StartBillRun>().HandleAsync(new BillRunRequest(), BillingWorld.Staff("k"), Cancellation);
        var second = await _world.Get<StartBillRun>().HandleAsync(new BillRunRequest(), BillingWorld.Staff("k"), Cancellation);

        Assert.NotNull(first.Value);
        Assert.Contains(first.Value.Id.Value, second.Stored!.ResponseJson, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AccountStatus.Onboarding, true, 0)]
    [InlineData(AccountStatus.Suspended, true, 0)]
    [InlineData(AccountStatus.Active, false, 0)]
    [InlineData(AccountStatus.Active, true, 1)]
    [Trait("Rule", "INV-2")]
    public async Task The_daily_run_needs_an_active_account_and_the_switch(AccountStatus status, bool automatic, int invoices)
    {
        using var world = new BillingWorld(s => s with { AccountStatus = status, AutomaticBillRun = automatic, AutomaticCollection = false });
        Customer ada = await world.CustomerAsync();
        await ChargeAsync(world, ada);

        await world.Get<StartBillRun>().DailyAsync(Cancellation);
        await world.Get<StartBillRun>().DailyAsync(Cancellation);
        await world.PumpAsync();

        Assert.Equal(invoices, (await world.InvoicesAsync(ada)).Count);
    }

    [Fact]
    [Trait("Rule", "INV-14")]
    public async Task The_due_date_follows_the_operators_setting_from_the_local_day_of_issue()
    {
        using var world = new BillingWorld(s => s with { InvoiceDueDays = 14 });
        world.Time.Advance(TimeSpan.FromHours(11.5));
        Customer ada = await world.CustomerAsync();
        await ChargeAsync(world, ada);

        await RunAsync(world);

        // 23:30 UTC on New Year's Day is the second in Berlin.
        Invoice invoice = Assert.Single(await world.InvoicesAsync(ada));
        Assert.Equal((new NodaTime.LocalDate(2025, 1, 2), new NodaTime.LocalDate(2025, 1, 16)), (invoice.IssueDate, invoice.DueDate));
        Assert.Empty(world.Gateway.Calls);
    }

    [Fact]
    [Trait("Rule", "INV-1")]
    public async Task A_crash_at_any_commit_of_the_whole_job_ends_with_each_charge_invoiced_once()
    {
        int crash = 0;
        for (bool crashed = true; crashed; crash++)
        {
            foreach (bool before in new[] { true, false })
            {
                using var world = new BillingWorld();
                Customer ada = await world.CustomerAsync();
                int commits = 0;
                crashed = false;
                Task Crash(TableBatch batch)
                {
                    if (commits++ != crash)
                    {
                        return Task.CompletedTask;
                    }

                    crashed = true;
                    throw new InjectedCrashException();
                }

                if (before)
                {
                    world.Tables.BeforeCommit = Crash;
                }
                else
                {
                    world.Tables.AfterCommit = Crash;
                }

                await world.SendAsync(Queues.Billing, ChargeCreated.Subject, world.Charge(ada));
                await world.SendAsync(Queues.Billing, ChargeCreated.Subject, world.Charge(ada));
                for (int tries = 0; tries < 3; tries++)
                {
                    try
                    {
                        await world.Get<StartBillRun>().HandleAsync(new BillRunRequest(), BillingWorld.Staff("k"), Cancellation);
                        break;
                    }
                    catch (InjectedCrashException)
                    {
                        // The client repeats its request.
                    }
                }

                await world.PumpAsync();
                world.Time.Advance(TimeSpan.FromMinutes(1));
                await world.PumpAsync();
                world.Time.Advance(TimeSpan.FromMinutes(10));
                await world.PumpAsync();

                Invoice invoice = Assert.Single(await world.InvoicesAsync(ada));
                Assert.Equal((2000, Settlement.Paid), (invoice.Paid.Minor, invoice.Settlement));
                Assert.Single(world.Gateway.Payments);
                Assert.Empty(world.Broker.Dead);
                await world.HoldsAsync();
            }
        }

        Assert.True(crash > 6);
    }

    [Fact]
    [Trait("Rule", "INV-10")]
    public async Task A_hundred_concurrent_issues_with_a_tenth_aborted_use_exactly_the_numbers_from_one()
    {
        Customer ada = await _world.CustomerAsync();
        BookEntry[] entries = [.. Enumerable.Range(0, 100).Select(_ => Entry(ada))];
        int commits = 0;
        _world.Tables.BeforeCommit = async _ =>
        {
            await Task.Yield();
            if (Interlocked.Increment(ref commits) % 10 == 0)
            {
                throw new InjectedCrashException();
            }
        };

        // Two processes: each with its own book, so that they compete for the series.
        using var other = new InvoiceBook(_world.Tables, _world.Get<Committer>());
        bool[] issued = await Task.WhenAll(entries.Select((entry, i) => Task.Run(async () =>
        {
            try
            {
                return (await (i % 2 == 0 ? _world.Book : other).CommitAsync(null, entry, BookExtras.None, Cancellation)).IsCommitted;
            }
            catch (InjectedCrashException)
            {
                return false;
            }
        })));

        Assert.InRange(issued.Count(i => i), 50, 95);
        string[] numbers = [.. (await _world.InvoicesAsync(ada)).Select(i => i.Number!).Order(StringComparer.Ordinal)];
        Assert.Equal(Enumerable.Range(1, issued.Count(i => i)).Select(n => InvoiceNumbers.Format(2025, n)), numbers);
    }

    private BookEntry Entry(Customer customer)
    {
        MembershipCharge charge = _world.Renewal(customer);
        var line = new InvoiceLine("Thing", 1, BillingWorld.Euro(100), BillingWorld.Euro(100), _world.Location, null, null, null, new NodaTime.LocalDate(2025, 1, 1));
        var draft = new InvoiceDraft(
            charge.InvoiceId,
            InvoiceKind.Manual,
            customer.Id,
            null,
            _world.Location,
            "Ada",
            "ada@example.com",
            null,
            [line],
            line.ServiceDate,
            line.ServiceDate,
            "staff");
        return BookEntry.Issued(draft.Issue(_world.Time.Now()));
    }

    private static Task SendAsync(BillingWorld world, ChargeCreated charge) => world.SendAsync(Queues.Billing, ChargeCreated.Subject, charge);

    private static async Task ChargeAsync(BillingWorld world, params Customer[] customers)
    {
        foreach (Customer customer in customers)
        {
            await SendAsync(world, world.Charge(customer));
        }
    }

    private static async Task<BillRun> RunAsync(BillingWorld world, CustomerId? customer = null)
    {
        var reply = await world.Get<StartBillRun>().HandleAsync(new BillRunRequest(customer), BillingWorld.Staff("key" + world.NextId()), Cancellation);
        await world.PumpAsync();
        return reply.Value!;
    }
}
