using System.Net;
using System.Text;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Simulators.Stripe;
using Flex.Members;
using Flex.Payments;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Payments;

/// <summary>The gateway over the real client library, against the simulated account and against broken wires.</summary>
public sealed class StripeGatewayTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2025, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly HttpMessageInvoker _webhooks = new(new Fixed(HttpStatusCode.OK, "{}"));
    private readonly StripeSimulator _simulator;
    private readonly StripeGateway _gateway;
    private readonly ScriptedFaults _faults = new();

    public StripeGatewayTests()
    {
        _simulator = new StripeSimulator(new StripeOptions(), _time, _webhooks, faults: _faults);
        _gateway = Gateway(new StripeSimulatorHandler(_simulator));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _simulator.Dispose();
        _webhooks.Dispose();
    }

    [Theory]
    [InlineData("pm_card_visa", AttemptState.Succeeded, null, null)]
    [InlineData("pm_card_chargeCustomerFail", AttemptState.Failed, "generic_decline", "try_again_later")]
    [InlineData("pm_card_authenticationRequired", AttemptState.Failed, "authentication_required", null)]
    [Trait("Rule", "PAY-2")]
    public async Task A_cards_answer_becomes_an_outcome(string method, AttemptState state, string? code, string? advice)
    {
        GatewayCharge charge = await ChargeAsync(method);

        PaymentObservation seen = await _gateway.ChargeAsync(charge, Cancellation);

        Assert.Equal(state, seen.State);
        Assert.StartsWith("pi_", seen.GatewayPaymentId, StringComparison.Ordinal);
        if (code is not null)
        {
            Assert.Equal(code, seen.FailureCode);
        }

        if (advice is not null)
        {
            Assert.Equal(advice, seen.AdviceCode);
        }

        GatewayPayment found = (await _gateway.FindPaymentAsync(seen.GatewayPaymentId!, Cancellation))!;
        Assert.Equal((charge.Reference, state), (found.Reference, found.Observation.State));
        GatewayPayment listed = (await _gateway.FindPaymentAsync(charge.GatewayCustomerId, charge.Reference, _time.Now() - Duration.FromHours(1), Cancellation))!;
        Assert.Equal(seen.GatewayPaymentId, listed.Observation.GatewayPaymentId);
    }

    [Fact]
    public async Task A_ping_shows_that_stripe_answers_and_takes_the_key()
    {
        await _gateway.PingAsync(Cancellation);

        foreach (HttpStatusCode refusal in new[] { HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests, HttpStatusCode.ServiceUnavailable })
        {
            StripeGateway broken = Gateway(new Fixed(refusal, "{\"error\":{\"type\":\"api_error\"}}"));
            await Assert.ThrowsAsync<TransientFaultException>(() => broken.PingAsync(Cancellation));
        }
    }

    [Fact]
    [Trait("Rule", "PAY-7")]
    public async Task A_bank_account_is_kept_under_a_mandate_and_its_debit_is_processing()
    {
        GatewayCharge charge = await ChargeAsync("pm_usBankAccount_success");

        PaymentObservation seen = await _gateway.ChargeAsync(charge, Cancellation);

        Assert.Equal(PaymentMethodKind.BankAccount, charge.MethodKind);
        Assert.Equal(AttemptState.Processing, seen.State);
    }

    [Theory]
    [InlineData(StripeFaultKind.LostAfterEffect, AttemptState.Unknown, true)]
    [InlineData(StripeFaultKind.ServerErrorAfterEffect, AttemptState.Unknown, true)]
    [InlineData(StripeFaultKind.LostBeforeEffect, AttemptState.Unknown, false)]
    [InlineData(StripeFaultKind.ServerErrorBeforeEffect, AttemptState.Unknown, false)]
    [Trait("Rule", "PAY-5")]
    public async Task Without_a_clear_answer_the_outcome_is_unknown_and_the_list_tells_whether_it_happened(StripeFaultKind kind, AttemptState state, bool happened)
    {
        GatewayCharge charge = await ChargeAsync("pm_card_visa");
        _faults.Next = new StripeFault(kind);

        PaymentObservation seen = await _gateway.ChargeAsync(charge, Cancellation);

        Assert.Equal(state, seen.State);
        GatewayPayment? listed = await _gateway.FindPaymentAsync(charge.GatewayCustomerId, charge.Reference, _time.Now() - Duration.FromHours(1), Cancellation);
        Assert.Equal(happened, listed is not null);
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task A_repeated_key_is_one_payment_also_after_its_answer_was_lost()
    {
        GatewayCharge charge = await ChargeAsync("pm_card_visa");
        _faults.Next = new StripeFault(StripeFaultKind.LostAfterEffect);
        await _gateway.ChargeAsync(charge, Cancellation);

        PaymentObservation again = await _gateway.ChargeAsync(charge, Cancellation);

        Assert.Equal(AttemptState.Succeeded, again.State);
        Assert.Single(_simulator.Audit().PaymentIntents);
    }

    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task Throttling_and_a_key_in_use_are_transient()
    {
        GatewayCharge charge = await ChargeAsync("pm_card_visa");
        _faults.Next = new StripeFault(StripeFaultKind.RateLimited, "endpoint-rate");
        await Assert.ThrowsAsync<TransientFaultException>(() => _gateway.ChargeAsync(charge, Cancellation));

        _faults.Next = new StripeFault(StripeFaultKind.LateEffect, Delay: Duration.FromMinutes(10));
        Assert.Equal(AttemptState.Unknown, (await _gateway.ChargeAsync(charge, Cancellation)).State);
        await Assert.ThrowsAsync<TransientFaultException>(() => _gateway.ChargeAsync(charge, Cancellation));
    }

    [Theory]
    [InlineData(402, "card_error", "card_declined", AttemptState.Failed)]
    [InlineData(400, "invalid_request_error", "payment_method_unexpected_state", AttemptState.Failed)]
    [InlineData(400, "idempotency_error", null, AttemptState.Unknown)]
    [InlineData(429, "invalid_request_error", "lock_timeout", AttemptState.Unknown)]
    [InlineData(500, "api_error", null, AttemptState.Unknown)]
    [InlineData(503, "api_error", null, AttemptState.Unknown)]
    [InlineData(429, "invalid_request_error", "rate_limit", null)]
    [InlineData(409, "idempotency_error", "idempotency_key_in_use", null)]
    [InlineData(401, "invalid_request_error", null, null)]
    [InlineData(403, "invalid_request_error", null, null)]
    [Trait("Rule", "PAY-5")]
    public async Task A_charges_error_answers_are_failed_unknown_or_transient(int status, string type, string? code, AttemptState? state)
    {
        string body = System.Text.Json.JsonSerializer.Serialize(new { error = new { type, code, message = "no" } });
        StripeGateway gateway = Gateway(new Fixed((HttpStatusCode)status, body));

        await AssertAsync(gateway, state);
    }

    [Theory]
    [InlineData("broken", AttemptState.Unknown)]
    [InlineData("timeout", AttemptState.Unknown)]
    [InlineData("truncated", AttemptState.Unknown)]
    [InlineData("refused", null)]
    [InlineData("noname", null)]
    [Trait("Rule", "PAY-5")]
    public async Task A_broken_wire_is_unknown_unless_nothing_was_sent(string fault, AttemptState? state)
    {
        StripeGateway gateway = Gateway(fault == "truncated"
            ? new Fixed(HttpStatusCode.OK, "{\"id\":\"pi_1\",\"obj")
            : new Throwing(fault switch
            {
                "broken" => new HttpRequestException(HttpRequestError.ResponseEnded, "ended", new IOException("ended")),
                "timeout" => new TaskCanceledException("timeout"),
                "refused" => new HttpRequestException(HttpRequestError.ConnectionError, "refused"),
                _ => new HttpRequestException(HttpRequestError.NameResolutionError, "who"),
            }));

        await AssertAsync(gateway, state);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_not_an_outcome()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();

        StripeGateway gateway = Gateway(new Throwing(new TaskCanceledException("gone", null, gone.Token)));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await gateway.ChargeAsync(Charge("cus_1", "pm_1"), gone.Token));
    }

    [Fact]
    public async Task Amounts_of_three_decimals_are_charged_in_steps_of_ten_or_not_at_all()
    {
        Assert.True(StripeAmounts.TryToStripe(new Money(12340, Currency.Parse("kwd")), out long amount));
        Assert.Equal(12340, amount);
        PaymentObservation refused = await _gateway.ChargeAsync(Charge("cus_1", "pm_1") with { Amount = new Money(12345, Currency.Parse("kwd")) }, Cancellation);

        Assert.Equal((AttemptState.Failed, "invalid_charge_amount"), (refused.State, refused.FailureCode));
        Assert.Empty(_simulator.Audit().PaymentIntents);
    }

    [Fact]
    public async Task A_customer_is_made_once_and_methods_that_cannot_be_attached_are_refused()
    {
        Customer ada = Ada();

        string first = await _gateway.CreateCustomerAsync(ada, Cancellation);
        string second = await _gateway.CreateCustomerAsync(ada with { Name = "Ada L" }, Cancellation);

        Assert.Equal(first, second);
        Assert.Equal(402, (await _gateway.AttachAsync("pm_card_chargeDeclined", first, "k1", Cancellation)).Error?.Status);
        Assert.Equal(ErrorCodes.UnknownReference, (await _gateway.AttachAsync("pm_nothing", first, "k2", Cancellation)).Error?.Code);
        PaymentMethodOnFile visa = (await _gateway.AttachAsync("pm_card_visa", first, "k3", Cancellation)).Value;
        Assert.Equal((PaymentMethodKind.Card, "visa", "4242"), (visa.Kind, visa.Brand, visa.Last4));
    }

    [Fact]
    public async Task What_the_gateway_does_not_know_is_null_and_an_outage_is_transient()
    {
        Assert.Null(await _gateway.FindPaymentAsync("pi_nothing", Cancellation));
        Assert.Null(await _gateway.FindDisputeAsync("du_nothing", Cancellation));
        StripeGateway down = Gateway(new Fixed(HttpStatusCode.InternalServerError, "{\"error\":{\"type\":\"api_error\"}}"));
        await Assert.ThrowsAsync<TransientFaultException>(async () => await down.FindPaymentAsync("pi_1", Cancellation));
        await Assert.ThrowsAsync<TransientFaultException>(async () => await down.CreateCustomerAsync(Ada(), Cancellation));
    }

    [Theory]
    [InlineData("pm_card_visa", RefundState.Succeeded)]
    [InlineData("pm_card_pendingRefund", RefundState.Processing)]
    [Trait("Rule", "INV-12")]
    public async Task A_refund_is_made_once_per_key_and_found_by_its_payment(string method, RefundState state)
    {
        PaymentObservation paid = await _gateway.ChargeAsync(await ChargeAsync(method), Cancellation);
        RefundOrder order = Refund(paid.GatewayPaymentId!, 400);

        RefundObservation first = await _gateway.RefundAsync(order, Cancellation);
        RefundObservation second = await _gateway.RefundAsync(order, Cancellation);

        Assert.Equal((state, first), (first.State, second));
        GatewayRefund found = Assert.Single(await _gateway.FindRefundsAsync(paid.GatewayPaymentId!, Cancellation));
        Assert.Equal((first.GatewayRefundId, order.Reference, order.Amount, state), (found.Id, found.Reference, found.Amount, found.Observation.State));
        StripeAuditCharge charge = Assert.Single(_simulator.Audit().Charges);
        Assert.Equal(paid.GatewayPaymentId, await _gateway.FindPaymentIdAsync(charge.Id, Cancellation));
        Assert.Equal(paid.GatewayPaymentId, await _gateway.FindPaymentIdAsync(found.Id, Cancellation));
        Assert.Null(await _gateway.FindPaymentIdAsync("ch_nothing", Cancellation));
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task A_refund_of_more_than_is_left_is_refused_and_one_without_an_answer_is_transient_and_found()
    {
        PaymentObservation paid = await _gateway.ChargeAsync(await ChargeAsync("pm_card_visa"), Cancellation);
        _faults.Next = new StripeFault(StripeFaultKind.LostAfterEffect);
        await Assert.ThrowsAsync<TransientFaultException>(() => _gateway.RefundAsync(Refund(paid.GatewayPaymentId!, 2000), Cancellation));
        Assert.Equal(2000, Assert.Single(await _gateway.FindRefundsAsync(paid.GatewayPaymentId!, Cancellation)).Amount.Minor);

        RefundObservation refused = await _gateway.RefundAsync(Refund(paid.GatewayPaymentId!, 2000) with { Key = "refund:2" }, Cancellation);

        Assert.Equal(RefundState.Failed, refused.State);
        Assert.Single(_simulator.Audit().Refunds);
    }

    [Theory]
    [InlineData(400, "invalid_request_error", "charge_already_refunded", false)]
    [InlineData(400, "idempotency_error", null, true)]
    [InlineData(429, "invalid_request_error", "lock_timeout", true)]
    [InlineData(429, "invalid_request_error", "rate_limit", true)]
    [InlineData(409, "idempotency_error", "idempotency_key_in_use", true)]
    [InlineData(401, "invalid_request_error", null, true)]
    [InlineData(500, "api_error", null, true)]
    [Trait("Rule", "PAY-5")]
    public async Task A_refunds_error_answers_are_failed_or_transient(int status, string type, string? code, bool transient)
    {
        string body = System.Text.Json.JsonSerializer.Serialize(new { error = new { type, code, message = "no" } });
        StripeGateway gateway = Gateway(new Fixed((HttpStatusCode)status, body));

        if (transient)
        {
            await Assert.ThrowsAsync<TransientFaultException>(() => gateway.RefundAsync(Refund("pi_1", 1), Cancellation));
        }
        else
        {
            Assert.Equal((RefundState.Failed, code), ((await gateway.RefundAsync(Refund("pi_1", 1), Cancellation)).State, code));
        }
    }

    private static RefundOrder Refund(string paymentId, long cents) => new(
        new RefundReference(EntityId.Parse<InvoiceId>("inv_" + new string('1', 26)), 1), "refund:1", paymentId, new Money(cents, Currency.Parse("usd")));

    private static async Task AssertAsync(StripeGateway gateway, AttemptState? state)
    {
        if (state is null)
        {
            await Assert.ThrowsAsync<TransientFaultException>(() => gateway.ChargeAsync(Charge("cus_1", "pm_1"), Cancellation));
        }
        else
        {
            Assert.Equal(state, (await gateway.ChargeAsync(Charge("cus_1", "pm_1"), Cancellation)).State);
        }
    }

    private async Task<GatewayCharge> ChargeAsync(string method)
    {
        string customer = await _gateway.CreateCustomerAsync(Ada(), Cancellation);
        PaymentMethodOnFile onFile = (await _gateway.AttachAsync(method, customer, "attach", Cancellation)).Value;
        return Charge(customer, onFile.Id) with { MethodKind = onFile.Kind };
    }

    private static GatewayCharge Charge(string customer, string method)
    {
        InvoiceId invoice = EntityId.Parse<InvoiceId>("inv_" + new string('1', 26));
        return new GatewayCharge(
            new PaymentReference(invoice, 1),
            "invoice:1:1",
            new Money(2500, Currency.Parse("usd")),
            customer,
            method,
            PaymentMethodKind.Card,
            "Room",
            new Dictionary<string, string> { ["invoice_id"] = invoice.Value, ["attempt_no"] = "1" });
    }

    private static Customer Ada() => new(EntityId.Parse<CustomerId>("cus_" + new string('1', 26)), "Ada", "ada@example.com", null, null, null, 1);

    private static StripeGateway Gateway(HttpMessageHandler handler) => new(
        new StripeSettings { ApiKey = "sk_test_local", ApiBase = "http://stripe.test/local/stripe" }, new OneHandler(handler));

    private sealed class OneHandler(HttpMessageHandler handler) : IHttpClientFactory
    {
        public HttpClient CreateClient(string name) => new(handler, disposeHandler: false);
    }

    private sealed class Fixed(HttpStatusCode status, string body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") });
    }

    private sealed class Throwing(Exception fault) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromException<HttpResponseMessage>(fault);
    }

    private sealed class ScriptedFaults : IStripeFaults
    {
        public StripeFault? Next { get; set; }

        public StripeFault? OnRequest(StripeRequest request)
        {
            StripeFault? fault = Next;
            Next = null;
            return fault;
        }

        public IReadOnlyList<Duration> OnDelivery(StripeDelivery delivery) => [Duration.Zero];
    }
}
