using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Xunit;

namespace Flex.Functions.Tests.Payments;

/// <summary>Collecting due invoices: automatically, and by Pay Now.</summary>
public sealed class CollectionTests : IDisposable
{
    private readonly BillingWorld _world = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Rule", "PAY-2")]
    public async Task An_invoice_due_today_is_charged_as_soon_as_it_is_issued()
    {
        Invoice invoice = await IssueAsync(_world, await _world.CustomerAsync());

        Assert.Equal((Settlement.Paid, 1000), (invoice.Settlement, invoice.Paid.Minor));
        GatewayCharge call = Assert.Single(_world.Gateway.Calls);
        Assert.Equal($"invoice:{invoice.Id}:1", call.Key);
        Assert.Empty(_world.Broker.Memberships);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-2")]
    public async Task An_invoice_due_later_is_charged_on_its_local_due_date()
    {
        using var world = new BillingWorld(s => s with { InvoiceDueDays = 2 });
        Invoice invoice = await IssueAsync(world, await world.CustomerAsync());
        var charged = new List<string>();
        for (int hour = 0; hour < 72; hour++)
        {
            world.Time.Advance(TimeSpan.FromHours(1));
            int before = world.Gateway.Calls.Count;
            await world.Get<CollectDueInvoices>().RunAsync(Cancellation);
            await world.PumpAsync();
            if (world.Gateway.Calls.Count > before)
            {
                charged.Add(world.Time.GetUtcNow().ToString("u"));
            }
        }

        // Due on 3 January, which begins in Berlin at 23:00 UTC.
        Assert.Equal(["2025-01-02 23:00:00Z"], charged);
        Assert.Equal(Settlement.Paid, (await world.InvoiceAsync(invoice.Id)).Settlement);
    }

    [Fact]
    [Trait("Rule", "PAY-2")]
    public async Task A_failing_invoice_is_tried_on_four_days_and_stays_payable()
    {
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("insufficient_funds"));
        Invoice invoice = await IssueAsync(_world, await _world.CustomerAsync());
        for (int hour = 0; hour < 10 * 24; hour++)
        {
            _world.Time.Advance(TimeSpan.FromHours(1));
            await _world.Get<CollectDueInvoices>().RunAsync(Cancellation);
            await _world.PumpAsync();
        }

        BookEntry entry = await _world.EntryAsync(invoice.Id);
        Assert.Equal(4, entry.Attempts.Count);
        Assert.Equal(4, entry.Attempts.Select(a => new SiteCalendar("Europe/Berlin").DateOf(a.CreatedAt)).Distinct().Count());
        Assert.Equal((DocumentState.Issued, Settlement.Unpaid, "insufficient_funds"), (entry.Invoice.State, entry.Invoice.Settlement, entry.Invoice.LastError));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-2")]
    public async Task Nothing_is_collected_while_collection_is_off_or_there_is_no_payment_method()
    {
        using var off = new BillingWorld(s => s with { AutomaticCollection = false });
        Invoice untouched = await IssueAsync(off, await off.CustomerAsync());
        await off.Get<CollectDueInvoices>().RunAsync(Cancellation);
        await off.SendAsync(Queues.Billing, CollectInvoice.Subject, new CollectInvoice(untouched.Id));
        Invoice cardless = await IssueAsync(_world, await _world.CustomerAsync(paymentMethod: null));

        Assert.Equal(0, (await off.InvoiceAsync(untouched.Id)).AttemptCount);
        Assert.Equal(0, (await _world.InvoiceAsync(cardless.Id)).AttemptCount);
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task Repeated_commands_collect_once()
    {
        Invoice invoice = await IssueAsync(_world, await _world.CustomerAsync());

        await _world.SendAsync(Queues.Billing, CollectInvoice.Subject, new CollectInvoice(invoice.Id));
        await _world.SendAsync(Queues.Billing, CollectInvoice.Subject, new CollectInvoice(invoice.Id));

        Assert.Single(_world.Gateway.Calls);
    }

    [Fact]
    [Trait("Rule", "PAY-3")]
    public async Task Pay_now_pays_after_a_failure_and_a_repeated_request_is_the_same_payment()
    {
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("insufficient_funds"));
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Success);
        Customer ada = await _world.CustomerAsync();
        Member member = await _world.MemberAsync(ada);
        Invoice invoice = await IssueAsync(_world, ada);

        Reply<InvoiceView> first = await PayAsync(invoice.Id, BillingWorld.MemberOf(member.Id, "k"));
        Reply<InvoiceView> second = await PayAsync(invoice.Id, BillingWorld.MemberOf(member.Id, "k"));

        Assert.Equal((Settlement.Paid, (string?)null), (first.Value!.Settlement, first.Value.LastError));
        Assert.Equal(first.Value.Version, second.Value!.Version);
        Assert.Equal(2, _world.Gateway.Calls.Count);
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-3")]
    public async Task A_declined_payment_is_402_with_a_code_that_may_be_shown_and_a_repeat_does_not_charge_again()
    {
        _world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("stolen_card"));
        Invoice invoice = await IssueAsync(_world, await _world.CustomerAsync());

        Reply<InvoiceView> first = await PayAsync(invoice.Id, BillingWorld.Staff("k"));
        Reply<InvoiceView> second = await PayAsync(invoice.Id, BillingWorld.Staff("k"));

        foreach (Reply<InvoiceView> reply in new[] { first, second })
        {
            Assert.Equal((402, ErrorCodes.PaymentFailed), (reply.Error!.Status, reply.Error.Code));
            Assert.Equal("card_declined", reply.Error.Extensions["declineCode"]);
        }

        Assert.Equal(2, (await _world.InvoiceAsync(invoice.Id)).AttemptCount);
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task While_a_payment_is_under_way_another_is_refused()
    {
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(AttemptState.Processing));
        Invoice invoice = await IssueAsync(_world, await _world.CustomerAsync());

        Reply<InvoiceView> refused = await PayAsync(invoice.Id, BillingWorld.Staff("k"));

        Assert.Equal((409, ErrorCodes.PaymentInProgress), (refused.Error!.Status, refused.Error.Code));
        Assert.Single(_world.Gateway.Calls);
    }

    [Fact]
    [Trait("Rule", "PAY-4")]
    public async Task Many_clicks_at_once_make_one_payment()
    {
        using var world = new BillingWorld(s => s with { AutomaticCollection = false });
        Invoice invoice = await IssueAsync(world, await world.CustomerAsync());
        PayInvoice pay = world.Get<PayInvoice>();

        Reply<InvoiceView>[] replies = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(i => Task.Run(() => pay.HandleAsync(invoice.Id, BillingWorld.Staff($"k{i % 4}"), Cancellation))));

        Assert.Single(world.Gateway.Payments);
        Assert.Contains(replies, r => r.Value?.Settlement == Settlement.Paid);
        Assert.All(replies.Where(r => r.Error is not null), r => Assert.Contains(r.Error!.Code, new[] { ErrorCodes.PaymentInProgress, ErrorCodes.InvalidTransition }));
        await world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-3")]
    public async Task Another_customers_member_does_not_see_the_invoice()
    {
        using var world = new BillingWorld(s => s with { AutomaticCollection = false });
        Invoice invoice = await IssueAsync(world, await world.CustomerAsync());
        Member stranger = await world.MemberAsync(await world.CustomerAsync());
        RequestContext context = BillingWorld.MemberOf(stranger.Id, "k");

        Assert.Equal(404, (await world.Get<PayInvoice>().HandleAsync(invoice.Id, context, Cancellation)).Error!.Status);
        Assert.Equal(404, (await world.Get<InvoiceReader>().GetAsync(invoice.Id, context, Cancellation)).Error!.Status);
        Assert.Equal(404, (await world.Get<InvoiceReader>().ListAsync(new InvoiceFilter(invoice.CustomerId), Paging.First, context, Cancellation)).Error!.Status);
        Assert.Empty((await world.Get<InvoiceReader>().ListAsync(new InvoiceFilter(), Paging.First, context, Cancellation)).Value!.Results);
        Assert.Empty(world.Gateway.Calls);
    }

    [Fact]
    [Trait("Rule", "PAY-1")]
    public async Task Without_a_gateway_or_a_payment_method_or_anything_due_paying_is_refused()
    {
        using var world = new BillingWorld(s => s with { AutomaticCollection = false });
        Invoice invoice = await IssueAsync(world, await world.CustomerAsync());
        Invoice cardless = await IssueAsync(world, await world.CustomerAsync(paymentMethod: null));
        Invoice nothing = await IssueAsync(world, await world.CustomerAsync(), cents: 0);
        PayInvoice pay = world.Get<PayInvoice>();

        world.Gateway.IsConnected = false;
        string? disconnected = (await pay.HandleAsync(invoice.Id, BillingWorld.Staff("a"), Cancellation)).Error?.Code;
        world.Gateway.IsConnected = true;

        Assert.Equal(ErrorCodes.GatewayNotConnected, disconnected);
        Assert.Equal(ErrorCodes.PaymentMethodRequired, (await pay.HandleAsync(cardless.Id, BillingWorld.Staff("b"), Cancellation)).Error?.Code);
        Assert.Equal(Settlement.Paid, nothing.Settlement);
        Assert.Equal(ErrorCodes.InvalidTransition, (await pay.HandleAsync(nothing.Id, BillingWorld.Staff("c"), Cancellation)).Error?.Code);
        Assert.Empty(world.Gateway.Calls);
        await world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "INV-7")]
    public async Task The_list_is_newest_first_and_pages_without_gaps()
    {
        using var world = new BillingWorld(s => s with { AutomaticCollection = false });
        Customer ada = await world.CustomerAsync();
        var issued = new List<InvoiceId>();
        for (int i = 0; i < 5; i++)
        {
            world.Time.Advance(TimeSpan.FromMinutes(1));
            issued.Insert(0, (await IssueAsync(world, ada)).Id);
        }

        var read = new List<InvoiceId>();
        string? after = null;
        do
        {
            IReadOnlyList<(string Position, BookEntry Entry)> page = await world.Book.ListAsync(ada.Id, after, 2, Cancellation);
            read.AddRange(page.Select(p => p.Entry.Invoice.Id));
            after = page.Count == 2 ? page[^1].Position : null;
        }
        while (after is not null);

        Assert.Equal(issued, read);
    }

    private static async Task<Invoice> IssueAsync(BillingWorld world, Customer customer, long cents = 1000)
    {
        await world.SendAsync(Queues.Billing, ChargeCreated.Subject, world.Charge(customer, cents));
        await world.Get<StartBillRun>().HandleAsync(new BillRunRequest(customer.Id), BillingWorld.Staff("key" + world.NextId()), Cancellation);
        await world.PumpAsync();
        return (await world.InvoicesAsync(customer))[0];
    }

    private Task<Reply<InvoiceView>> PayAsync(InvoiceId id, RequestContext context) => _world.Get<PayInvoice>().HandleAsync(id, context, Cancellation);
}
