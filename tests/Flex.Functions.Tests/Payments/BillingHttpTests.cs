using System.Text.Json.Nodes;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Members;
using Flex.Payments;
using Flex.Platform;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using EventUtility = Stripe.EventUtility;

namespace Flex.Functions.Tests.Payments;

/// <summary>Invoices, bill runs, payments and webhooks through the triggers: status, code and headers.</summary>
public sealed class BillingHttpTests : IDisposable
{
    private readonly FakeGateway _gateway = new();
    private readonly MemoryTableStore _tables = new();
    private readonly PumpedBroker _broker;
    private readonly FunctionHarness _app;
    private readonly LocationId _location = EntityId.Parse<LocationId>("loc_" + new string('9', 26));
    private readonly CustomerId _customer = EntityId.Parse<CustomerId>("cus_" + new string('1', 26));
    private readonly MemberId _member = EntityId.Parse<MemberId>("mbr_" + new string('1', 26));
    private readonly MemberId _stranger = EntityId.Parse<MemberId>("mbr_" + new string('2', 26));

    public BillingHttpTests()
    {
        PumpedBroker? broker = null;
        _app = new FunctionHarness(services => services
            .AddSingleton<ITableStore>(_tables)
            .AddSingleton<ITableScanner>(_tables)
            .AddSingleton<IMessagePublisher>(_ => broker!)
            .AddSingleton<Flex.Platform.Blobs.IBlobStore, MemoryBlobStore>()
            .AddSingleton<ITokenValidator, PlainTokens>()
            .AddSingleton(new StripeSettings { ApiKey = "sk", WebhookSecret = "whsec_one" })
            .AddSingleton<IPaymentGateway>(_gateway));
        _broker = broker = new PumpedBroker(_app.Time);
        Seed(SettingsStore.Save(OperatorSettings.Initial with { AccountStatus = AccountStatus.Active, Version = 1 }, null));
        Seed(SettingsStore.Insert(new Location(_location, "Lab", "Europe/Berlin", BillingWorld.Eur, 1)));
        Seed(CustomerStore.Insert(new Customer(
            _customer, "Ada", "ada@example.com", null, "cus_gw", new PaymentMethodOnFile("pm_good", PaymentMethodKind.Card, "visa", "4242"), 1)));
        Seed(MemberStore.Insert(new Member(_member, _customer, _location, "a@example.com", "Ada", "L", [], 1)));
        Seed(MemberStore.Insert(new Member(
            _stranger, EntityId.Parse<CustomerId>("cus_" + new string('2', 26)), _location, "b@example.com", "Bob", "L", [], 1)));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _app.Dispose();

    [Fact]
    [Trait("Rule", "PAY-3")]
    public async Task A_charge_is_billed_listed_and_paid_by_its_member()
    {
        string invoice = await IssueAsync();

        Answer list = await SendAsync("Invoices_List", "GET", "/api/v1/invoices", "member." + _member);
        Answer paid = await PayAsync(invoice, "member." + _member, "k1");

        Assert.Equal(invoice, (string?)list.Json["results"]![0]!["id"]);
        Assert.Equal("10.00", (string?)list.Json["results"]![0]!["total"]!["amount"]);
        Assert.Equal((200, "paid"), (paid.Status, (string?)paid.Json["settlement"]));
        Assert.Equal("\"3\"", paid.Headers.ETag);
        Assert.Equal("INV-2025-000001", (string?)paid.Json["number"]);
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task A_members_credit_notes_and_account_credit_are_theirs_and_staffs_to_read()
    {
        string invoice = await IssueAsync();
        await PayAsync(invoice, "staff", "k1");
        var cancelled = new ChargeCancelled(EntityId.Derive<ChargeId>("one", EntityId.Home(_customer)), _customer, "cancelled in time");
        await _broker.PublishAsync(Queues.Billing, new Envelope("m2", ChargeCancelled.Subject, StorageJson.Write(cancelled), null), null, Cancellation);
        await _broker.PumpAsync(_app.Services.GetRequiredService<MessageDispatcher>(), Cancellation);

        foreach (string caller in new[] { "staff", "member." + _member })
        {
            Answer notes = await SendAsync("CreditNotes_List", "GET", $"/api/v1/invoices/{invoice}/credit-notes", caller);
            Answer account = await SendAsync("AccountCredit_Get", "GET", $"/api/v1/customers/{_customer}/account-credit", caller);

            JsonNode note = notes.Json["results"]![0]!;
            Assert.Equal(("CN-2025-000001", "10.00"), ((string?)note["number"], (string?)note["settlement"]!["accountCredit"]!["amount"]));
            Assert.Equal("10.00", (string?)account.Json["results"]![0]!["balance"]!["amount"]);
            Assert.Equal("cancelled in time", (string?)account.Json["results"]![0]!["entries"]![0]!["reason"]);
        }

        Answer foreign = await SendAsync("CreditNotes_List", "GET", $"/api/v1/invoices/{invoice}/credit-notes", "member." + _stranger);
        Answer others = await SendAsync("AccountCredit_Get", "GET", $"/api/v1/customers/{_customer}/account-credit", "member." + _stranger);
        Assert.Equal((404, 404), (foreign.Status, others.Status));
    }

    [Fact]
    [Trait("Rule", "PAY-3")]
    public async Task A_declined_payment_is_402_with_its_decline_code()
    {
        _gateway.Scripts.Enqueue(FakeGateway.Script.Declined("insufficient_funds"));
        string invoice = await IssueAsync();

        Answer answer = await PayAsync(invoice, "staff", "k1");

        Assert.Equal((402, ErrorCodes.PaymentFailed, "insufficient_funds"), (answer.Status, answer.Code, (string?)answer.Json["declineCode"]));
    }

    [Fact]
    public async Task Paying_needs_a_key_a_known_invoice_and_the_right_caller()
    {
        string invoice = await IssueAsync();

        Answer keyless = await SendAsync("Invoices_Pay", "POST", $"/api/v1/invoices/{invoice}/pay", "staff");
        Answer unknown = await PayAsync("inv_" + new string('x', 26), "staff", "k1");
        Answer broken = await PayAsync("nonsense", "staff", "k1");
        Answer stranger = await PayAsync(invoice, "member." + _stranger, "k1");
        Answer nobody = await PayAsync(invoice, "none", "k1");

        Assert.Equal((400, ErrorCodes.IdempotencyKeyRequired), (keyless.Status, keyless.Code));
        Assert.All(new[] { unknown, broken, stranger }, a => Assert.Equal((404, ErrorCodes.NotFound), (a.Status, a.Code)));
        Assert.Equal((401, ErrorCodes.Unauthenticated), (nobody.Status, nobody.Code));
        Assert.Empty(_gateway.Calls);
    }

    [Theory]
    [InlineData("{\"customerId\":\"nonsense\"}", 400, ErrorCodes.MalformedRequest)]
    [InlineData("{\"customer\":\"x\"}", 400, ErrorCodes.MalformedRequest)]
    [InlineData("{", 400, ErrorCodes.MalformedRequest)]
    [InlineData("{\"customerId\":\"cus_zzzzzzzzzzzzzzzzzzzzzzzzzz\"}", 422, ErrorCodes.UnknownReference)]
    public async Task A_bill_run_refuses_bad_input(string body, int status, string code)
    {
        Answer answer = await SendAsync("BillRuns_Start", "POST", "/api/v1/bill-runs", "staff", body, ("Idempotency-Key", "k"));

        Assert.Equal((status, code), (answer.Status, answer.Code));
        Assert.Equal(0, _broker.Published);
    }

    [Fact]
    public async Task A_bill_run_is_staffs_needs_a_key_and_is_replayed()
    {
        Answer member = await SendAsync("BillRuns_Start", "POST", "/api/v1/bill-runs", "member." + _member, "{}", ("Idempotency-Key", "k"));
        Answer keyless = await SendAsync("BillRuns_Start", "POST", "/api/v1/bill-runs", "staff", "{}");
        Answer first = await SendAsync("BillRuns_Start", "POST", "/api/v1/bill-runs", "staff", "{}", ("Idempotency-Key", "k"));
        Answer again = await SendAsync("BillRuns_Start", "POST", "/api/v1/bill-runs", "staff", "{}", ("Idempotency-Key", "k"));
        Answer other = await SendAsync("BillRuns_Start", "POST", "/api/v1/bill-runs", "staff", $"{{\"customerId\":\"{_customer}\"}}", ("Idempotency-Key", "k"));
        Answer read = await SendAsync("BillRuns_Get", "GET", first.Headers.Location.ToString(), "staff");

        Assert.Equal(403, member.Status);
        Assert.Equal(ErrorCodes.IdempotencyKeyRequired, keyless.Code);
        Assert.Equal(202, first.Status);
        Assert.Equal(first.Body, again.Body);
        Assert.Equal("true", again.Headers["Idempotency-Replayed"]);
        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), (other.Status, other.Code));
        Assert.Equal((200, "running"), (read.Status, (string?)read.Json["state"]));
    }

    [Theory]
    [InlineData("?status=paid", 400, ErrorCodes.UnknownParameter)]
    [InlineData("?customerId=nonsense", 400, ErrorCodes.MalformedRequest)]
    [InlineData("?cursor=nonsense", 400, ErrorCodes.InvalidCursor)]
    [InlineData("", 422, ErrorCodes.InvalidValue)]
    public async Task The_list_refuses_what_it_does_not_know(string query, int status, string code)
    {
        Answer answer = await SendAsync("Invoices_List", "GET", "/api/v1/invoices" + query, "staff");

        Assert.Equal((status, code), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("{\"paymentMethod\":\"visa\"}", 422, ErrorCodes.InvalidValue)]
    [InlineData("{\"paymentMethod\":7}", 400, ErrorCodes.MalformedRequest)]
    [InlineData("{}", 400, ErrorCodes.MalformedRequest)]
    [InlineData("{\"paymentMethod\":\"pm_card_visa\"}", 201, null)]
    public async Task A_payment_method_is_added_by_its_id(string body, int status, string? code)
    {
        Answer answer = await SendAsync("PaymentMethods_Add", "POST", $"/api/v1/customers/{_customer}/payment-methods", "member." + _member, body);

        Assert.Equal((status, code), (answer.Status, answer.Code));
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task A_signed_event_is_accepted_without_a_token_and_published_once_with_its_id()
    {
        const string Payload = """{"id":"evt_1","type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_1"}}}""";
        string signature = EventUtility.GenerateSignatureHeader(Payload, "whsec_one", _app.Time.GetUtcNow().ToUnixTimeSeconds());

        Answer accepted = await SendAsync("Webhooks_Stripe", "POST", "/api/v1/webhooks/stripe", "none", Payload, ("Stripe-Signature", signature));
        Answer forged = await SendAsync("Webhooks_Stripe", "POST", "/api/v1/webhooks/stripe", "none", Payload + " ", ("Stripe-Signature", signature));
        Answer unsigned = await SendAsync("Webhooks_Stripe", "POST", "/api/v1/webhooks/stripe", "none", Payload);
        string tooLong = new(' ', StripeWebhook.MaxBytes + 1);
        Answer flood = await SendAsync("Webhooks_Stripe", "POST", "/api/v1/webhooks/stripe", "none", tooLong, ("Stripe-Signature", signature));
        _broker.Fault = new TransientFaultException("broker");
        Answer unqueued = await SendAsync("Webhooks_Stripe", "POST", "/api/v1/webhooks/stripe", "none", Payload, ("Stripe-Signature", signature));

        Assert.Equal((200, string.Empty), (accepted.Status, accepted.Body));
        Assert.All(new[] { forged, unsigned }, a => Assert.Equal((400, ErrorCodes.InvalidSignature), (a.Status, a.Code)));
        Assert.Equal((413, ErrorCodes.BodyTooLarge), (flood.Status, flood.Code));
        Assert.Equal(503, unqueued.Status);
        Assert.Equal((Queues.StripeEvents, "evt_1"), (Assert.Single(_broker.Waiting).Queue, _broker.Waiting[0].Message.Id));
    }

    private async Task<string> IssueAsync()
    {
        var charge = new ChargeCreated(
            EntityId.Derive<ChargeId>("one", EntityId.Home(_customer)), _customer, _member, _location, "bkg", "Room", BillingWorld.Euro(1000), null,
            new NodaTime.LocalDate(2025, 1, 2), _app.Time.Now());
        await _broker.PublishAsync(Queues.Billing, new Envelope("m1", ChargeCreated.Subject, StorageJson.Write(charge), null), null, Cancellation);
        await _broker.PumpAsync(_app.Services.GetRequiredService<MessageDispatcher>(), Cancellation);
        await SendAsync("BillRuns_Start", "POST", "/api/v1/bill-runs", "staff", $"{{\"customerId\":\"{_customer}\"}}", ("Idempotency-Key", "run"));
        await _broker.PumpAsync(_app.Services.GetRequiredService<MessageDispatcher>(), Cancellation);
        Answer list = await SendAsync("Invoices_List", "GET", $"/api/v1/invoices?customerId={_customer}", "staff");
        return (string)list.Json["results"]![0]!["id"]!;
    }

    private Task<Answer> PayAsync(string invoice, string caller, string key) =>
        SendAsync("Invoices_Pay", "POST", $"/api/v1/invoices/{invoice}/pay", caller, null, ("Idempotency-Key", key));

    private Task<Answer> SendAsync(
        string function, string method, string path, string caller, string? body = null, params (string Name, string Value)[] headers) =>
        _app.SendAsync(function, method, path, body, [("Authorization", "Bearer " + caller), .. headers]);

    private void Seed(TableBatch batch) => _tables.CommitAsync(batch, CancellationToken.None).GetAwaiter().GetResult().Require();

    /// <summary>Tokens are the role, for members followed by the id.</summary>
    private sealed class PlainTokens : ITokenValidator
    {
        public Task<Result<Caller>> ValidateAsync(string? token, CancellationToken cancellation) => Task.FromResult<Result<Caller>>(token switch
        {
            "staff" => new Caller(Role.Staff, "staff-1"),
            { } text when text.StartsWith("member.", StringComparison.Ordinal) =>
                new Caller(Role.Member, text, EntityId.Parse<MemberId>(text["member.".Length..])),
            _ => new Error(ErrorKind.Unauthenticated, ErrorCodes.Unauthenticated, "No token."),
        });
    }
}
