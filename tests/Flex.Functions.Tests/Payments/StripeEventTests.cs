using System.Text.Json;
using Flex.Functions.Tests.Platform.Telemetry;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Xunit;
using EventUtility = Stripe.EventUtility;

namespace Flex.Functions.Tests.Payments;

/// <summary>Webhooks: the intake's signature rules, and that order and repetition of events change nothing.</summary>
public sealed class StripeEventTests : IDisposable
{
    private readonly BillingWorld _world = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("whsec_one", 0, true)]
    [InlineData("whsec_two", 0, true)]
    [InlineData("whsec_other", 0, false)]
    [InlineData("whsec_one", -299, true)]
    [InlineData("whsec_one", -301, false)]
    [InlineData("whsec_one", 301, false)]
    [Trait("Rule", "PAY-6")]
    public async Task A_signature_of_either_secret_within_five_minutes_is_accepted(string secret, int seconds, bool accepted)
    {
        string payload = Event("evt_1", "payment_intent.succeeded", "pi_1");
        string header = Signature(payload, secret, seconds);
        using StorageCallScope calls = StorageCalls.Measure();

        Error? refused = await ReceiveAsync(payload, header);

        Assert.Equal(accepted ? null : ErrorCodes.InvalidSignature, refused?.Code);
        Assert.Equal(accepted ? 1 : 0, _world.Broker.Published);
        Assert.Equal(0, calls.Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("t=,v1=")]
    [InlineData("t=abc,v1=00")]
    [InlineData("t=99999999999999999999,v1=00")]
    [InlineData("v1=00")]
    [InlineData("t=1735732800")]
    [InlineData("t=1735732800,t=1735732800,v1=00")]
    [InlineData("=,=,=")]
    [Trait("Rule", "PAY-6")]
    public async Task A_header_that_is_no_signature_is_refused(string? header)
    {
        Error? refused = await ReceiveAsync(Event("evt_1", "payment_intent.succeeded", "pi_1"), header);

        Assert.Equal((400, ErrorCodes.InvalidSignature), (refused!.Status, refused.Code));
        Assert.Equal(0, _world.Broker.Published);
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task A_changed_body_is_refused()
    {
        string payload = Event("evt_1", "payment_intent.succeeded", "pi_1");

        Error? refused = await ReceiveAsync(payload.Replace("pi_1", "pi_2", StringComparison.Ordinal), Signature(payload, "whsec_one", 0));

        Assert.Equal(ErrorCodes.InvalidSignature, refused?.Code);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"id\":\"evt_1\",\"type\":\"x\"}")]
    [InlineData("{\"id\":7,\"type\":\"x\",\"data\":{\"object\":{}}}")]
    [InlineData("{\"id\":\"evt 1/\",\"type\":\"x\",\"data\":{\"object\":{}}}")]
    [InlineData("not json")]
    [Trait("Rule", "PAY-6")]
    public async Task A_signed_body_that_is_no_event_is_malformed(string payload)
    {
        Error? refused = await ReceiveAsync(payload, Signature(payload, "whsec_one", 0));

        Assert.Equal((400, ErrorCodes.MalformedRequest), (refused!.Status, refused.Code));
        Assert.Equal(0, _world.Broker.Published);
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task Any_api_version_or_none_is_accepted_and_the_other_mode_is_ignored()
    {
        foreach (string version in new[] { "\"2024-04-10\"", "null" })
        {
            string payload = Event("evt_1", "payment_intent.succeeded", "pi_1").Replace("\"2026-10-28.endive\"", version, StringComparison.Ordinal);
            Assert.Null(await ReceiveAsync(payload, Signature(payload, "whsec_one", 0)));
        }

        Assert.Equal(2, _world.Broker.Published);
        string live = Event("evt_1", "payment_intent.succeeded", "pi_1", livemode: true);
        Assert.Null(await ReceiveAsync(live, Signature(live, "whsec_one", 0)));
        Assert.Equal(2, _world.Broker.Published);
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task An_event_that_cannot_be_queued_is_a_fault_so_that_it_is_sent_again()
    {
        _world.Broker.Fault = new TransientFaultException("broker");
        string payload = Event("evt_1", "payment_intent.succeeded", "pi_1");

        await Assert.ThrowsAsync<TransientFaultException>(() => ReceiveAsync(payload, Signature(payload, "whsec_one", 0)));
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task Consuming_an_event_costs_at_most_four_storage_calls()
    {
        MembershipCharge charge = await ProcessingAsync(_world);
        _world.Gateway.Becomes("pi_1", AttemptState.Succeeded);
        StripeEventHandler handler = Handler(_world);
        using StorageCallScope calls = StorageCalls.Measure();

        await handler.HandleAsync(Message("evt_1", "payment_intent.succeeded", "pi_1"), Cancellation);

        Assert.InRange(calls.Count, 1, 4);
        Assert.Equal(Settlement.Paid, (await _world.InvoiceAsync(charge.InvoiceId)).Settlement);
        Assert.NotNull(await _world.Tables.FindAsync(InvoiceBook.Table, InvoiceBook.Partition, "M|evt_1", Cancellation));
        await _world.HoldsAsync();
    }

    [Theory]
    [InlineData("payment_intent.succeeded", "pi_unknown")]
    [InlineData("payment_intent.succeeded", "pi_foreign")]
    [InlineData("payment_intent.succeeded", "pi_elsewhere")]
    [InlineData("charge.refunded", "ch_1")]
    [InlineData("customer.updated", "cus_1")]
    [InlineData("charge.dispute.created", "du_unknown")]
    [Trait("Rule", "PAY-6")]
    public async Task Events_of_others_and_of_other_kinds_are_completed_quietly(string type, string id)
    {
        _world.Gateway.Add("pi_foreign", new GatewayPayment(null, new PaymentObservation(AttemptState.Succeeded, "pi_foreign")));
        InvoiceId elsewhere = EntityId.Parse<InvoiceId>("inv_" + new string('x', 26));
        _world.Gateway.Add("pi_elsewhere", new GatewayPayment(new PaymentReference(elsewhere, 1), new PaymentObservation(AttemptState.Succeeded, "pi_elsewhere")));

        await Handler(_world).HandleAsync(Message("evt_1", type, id), Cancellation);

        Assert.Empty(_world.Broker.Memberships);
    }

    [Fact]
    [Trait("Rule", "DUN-9")]
    public async Task A_lost_dispute_reverses_the_payment_and_one_that_can_still_be_won_does_not()
    {
        MembershipCharge charge = _world.Renewal(await _world.CustomerAsync());
        await _world.Get<IMembershipBilling>().ChargeAsync(charge, Cancellation);
        StripeEventHandler handler = Handler(_world);
        _world.Gateway.Dispute("du_1", "pi_1", isFinal: false, "fraudulent");
        await handler.HandleAsync(Message("evt_1", "charge.dispute.created", "du_1"), Cancellation);
        Assert.Equal(Settlement.Paid, (await _world.InvoiceAsync(charge.InvoiceId)).Settlement);
        _world.Gateway.Dispute("du_1", "pi_1", isFinal: true, "debit_not_authorized");

        await handler.HandleAsync(Message("evt_2", "charge.dispute.closed", "du_1"), Cancellation);
        await handler.HandleAsync(Message("evt_3", "payment_intent.succeeded", "pi_1"), Cancellation);

        Invoice invoice = await _world.InvoiceAsync(charge.InvoiceId);
        Assert.Equal((DocumentState.Closed, "reversed", 0), (invoice.State, invoice.CloseReason, invoice.Due.Minor));
        MembershipPaymentSettled last = _world.Broker.Settled()[^1];
        Assert.Equal((ChargeState.Reversed, "debit_not_authorized"), (last.State, last.FailureCode));
        await _world.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task Every_order_and_repetition_of_answer_success_duplicate_and_an_earlier_failure_ends_in_the_same_state()
    {
        string[] steps = ["answer", "succeeded", "succeeded-again", "failed-of-earlier", "reconcile"];
        var endings = new HashSet<string>();
        int orders = 0;
        foreach (string[] order in Orders(steps))
        {
            orders++;
            endings.Add(await PlayAsync(order));
            endings.Add(await PlayAsync([.. order, .. order.Reverse()]));
        }

        Assert.Equal(120, orders);
        Assert.Equal("Closed Failed | Issued Paid 10000 INV-2025-000001 Succeeded | Failed,Succeeded", Assert.Single(endings));
    }

    /// <summary>Attempt 1 has failed and attempt 2 is with the gateway, which has charged it; then the news arrives in some order.</summary>
    private static async Task<string> PlayAsync(string[] order)
    {
        using var world = new BillingWorld();
        Customer ada = await world.CustomerAsync();
        MembershipCharge first = world.Renewal(ada, attemptNo: 1);
        MembershipCharge second = world.Renewal(ada, attemptNo: 2) with { Replaces = first.InvoiceId };
        world.Gateway.Scripts.Enqueue(FakeGateway.Script.Declined("insufficient_funds"));
        await world.Get<IMembershipBilling>().ChargeAsync(first, Cancellation);
        world.Gateway.Scripts.Clear();

        // The attempt is recorded and the gateway charges it, but its answer has not arrived yet.
        world.Gateway.Down = true;
        await Assert.ThrowsAsync<TransientFaultException>(() => world.Get<IMembershipBilling>().ChargeAsync(second, Cancellation));
        world.Gateway.Down = false;
        StoredEntry pending = (await world.Book.FindAsync(second.InvoiceId, Cancellation))!;
        PaymentObservation answer = await world.Gateway.ChargeAsync(world.Gateway.Calls[^1], Cancellation);

        StripeEventHandler events = Handler(world);
        foreach (string step in order)
        {
            await (step switch
            {
                "answer" => world.Get<PaymentRunner>().RecordAsync(pending, 1, answer, null, Cancellation),
                "succeeded" => events.HandleAsync(Message("evt_s", "payment_intent.succeeded", "pi_2"), Cancellation),
                "succeeded-again" => events.HandleAsync(Message("evt_s2", "payment_intent.succeeded", "pi_2"), Cancellation),
                "failed-of-earlier" => events.HandleAsync(Message("evt_f", "payment_intent.payment_failed", "pi_1"), Cancellation),
                _ => world.SendAsync(Queues.Billing, ReconcilePayment.Subject, new ReconcilePayment(second.InvoiceId, 1, AttemptState.Created, 0)),
            });
            await world.HoldsAsync();
        }

        Assert.Equal(2, world.Gateway.Payments.Count);
        BookEntry one = await world.EntryAsync(first.InvoiceId);
        BookEntry two = await world.EntryAsync(second.InvoiceId);
        string settled = string.Join(',', world.Broker.Memberships.Select(m => m.Read<MembershipPaymentSettled>().State));
        return $"{one.Invoice.State} {one.Attempt(1).State} | {two.Invoice.State} {two.Invoice.Settlement} {two.Invoice.Paid.Minor} {two.Invoice.Number} "
            + $"{two.Attempt(1).State} | {settled}";
    }

    private static IEnumerable<string[]> Orders(string[] items) => items.Length == 0
        ? [[]]
        : items.SelectMany((item, i) => Orders([.. items.Where((_, j) => j != i)]).Select(rest => (string[])[item, .. rest]));

    private static async Task<MembershipCharge> ProcessingAsync(BillingWorld world)
    {
        world.Gateway.Scripts.Enqueue(new FakeGateway.Script(AttemptState.Processing));
        MembershipCharge charge = world.Renewal(await world.CustomerAsync());
        await world.Get<IMembershipBilling>().ChargeAsync(charge, Cancellation);
        return charge;
    }

    [Fact]
    public async Task What_becomes_of_each_call_of_the_webhook_is_counted()
    {
        using var metrics = new MetricRecorder();
        string payload = Event("evt_1", "payment_intent.succeeded", "pi_1");
        string live = Event("evt_2", "payment_intent.succeeded", "pi_1", livemode: true);
        await ReceiveAsync(payload, Signature(payload, "whsec_one", 0));
        await ReceiveAsync(payload, Signature(payload, "whsec_other", 0));
        await ReceiveAsync("[]", Signature("[]", "whsec_one", 0));
        await ReceiveAsync(live, Signature(live, "whsec_one", 0));
        _world.Broker.Fault = new TransientFaultException("broker");
        await Assert.ThrowsAsync<TransientFaultException>(() => ReceiveAsync(payload, Signature(payload, "whsec_one", 0)));

        Assert.Equal(
            ["1 outcome=Accepted", "1 outcome=Refused", "1 outcome=Refused", "1 outcome=Ignored", "1 outcome=Unpublished"],
            metrics.Of("flex.payment.webhooks"));
    }

    [Theory]
    [InlineData("-90", "90 type=payment_intent.created")]
    [InlineData("null", null)]
    [InlineData("\"soon\"", null)]
    [InlineData("-1735732801", null)]
    [InlineData("99999999999999", null)]
    public async Task The_lag_of_an_event_is_from_its_making_to_its_consumption(string created, string? lag)
    {
        using var metrics = new MetricRecorder();
        long now = _world.Time.GetUtcNow().ToUnixTimeSeconds();
        string value = long.TryParse(created, out long offset) ? $"{now + offset}" : created;
        string payload = $$"""{"id":"evt_1","type":"payment_intent.created","data":{"object":{"id":"pi_1"} },"created":{{value}} }""";
        Assert.Null(await ReceiveAsync(payload, Signature(payload, "whsec_one", 0)));

        await _world.PumpAsync();

        Assert.Equal(lag is null ? [] : [lag], metrics.Of("flex.payment.webhook.lag"));
        Assert.Equal(["1 effect=ignored,type=payment_intent.created"], metrics.Of("flex.payment.events"));
    }

    [Fact]
    public async Task An_outcome_that_stays_unknown_is_measured_by_its_age_at_every_look_and_at_its_end()
    {
        using var metrics = new MetricRecorder();
        _world.Gateway.Scripts.Enqueue(new FakeGateway.Script(AttemptState.Succeeded, Lost: true));
        await _world.Get<IMembershipBilling>().ChargeAsync(_world.Renewal(await _world.CustomerAsync()), Cancellation);
        _world.Gateway.Down = true;
        await LookAfterAsync(TimeSpan.FromMinutes(5));
        await LookAfterAsync(TimeSpan.FromHours(1));
        _world.Gateway.Down = false;

        await LookAfterAsync(TimeSpan.FromDays(1));

        Assert.Equal(["300 state=Unknown", "3900 state=Unknown", "90300 state=Succeeded"], metrics.Of("flex.payment.unknown.age"));
        Assert.Equal(["1 state=Unknown", "1 state=Succeeded"], metrics.Of("flex.payment.attempts"));
    }

    private Task LookAfterAsync(TimeSpan wait)
    {
        _world.Time.Advance(wait);
        return _world.PumpAsync();
    }

    private static StripeEventHandler Handler(BillingWorld world) =>
        new StripeEventHandler(world.Book, world.Gateway, world.Get<PaymentRunner>(), world.Get<RefundRunner>(), world.Time);

    private static Envelope Message(string id, string type, string objectId) =>
        new(id, StripeEventReceived.Subject, StorageJson.Write(new StripeEventReceived(id, type, objectId, "{}")), null);

    private Task<Error?> ReceiveAsync(string payload, string? header) =>
        _world.Get<StripeWebhook>().ReceiveAsync(System.Text.Encoding.UTF8.GetBytes(payload), header, Cancellation);

    private string Signature(string payload, string secret, int seconds) =>
        EventUtility.GenerateSignatureHeader(payload, secret, _world.Time.GetUtcNow().AddSeconds(seconds).ToUnixTimeSeconds());

    private static string Event(string id, string type, string objectId, bool livemode = false) => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["id"] = id,
        ["object"] = "event",
        ["api_version"] = "2026-10-28.endive",
        ["created"] = 1735732800,
        ["livemode"] = livemode,
        ["type"] = type,
        ["data"] = new Dictionary<string, object> { ["object"] = new Dictionary<string, object> { ["id"] = objectId, ["object"] = "payment_intent" } },
    });
}
