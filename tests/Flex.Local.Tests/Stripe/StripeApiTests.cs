using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Flex.Local.Simulators.Stripe;
using Stripe;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;

namespace Flex.Local.Tests.Stripe;

public sealed class StripeApiTests : IDisposable
{
    private readonly StripeTestWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task Lists_page_both_ways_and_the_sdk_pages_through_all()
    {
        var ids = new List<string>();
        for (int i = 0; i < 25; i++)
        {
            ids.Insert(0, (await world.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = $"c{i}" }, cancellationToken: Cancel)).Id);
        }

        StripeList<Customer> first = await world.V1.Customers.ListAsync(cancellationToken: Cancel);
        StripeList<Customer> second = await world.V1.Customers.ListAsync(new CustomerListOptions { StartingAfter = first.Last().Id, Limit = 15 },
            cancellationToken: Cancel);
        StripeList<Customer> back = await world.V1.Customers.ListAsync(new CustomerListOptions { EndingBefore = second.First().Id, Limit = 4 },
            cancellationToken: Cancel);

        Assert.Equal((ids[..10], true), (first.Select(customer => customer.Id), first.HasMore), SequenceAndFlag);
        Assert.Equal((ids[10..], false), (second.Select(customer => customer.Id), second.HasMore), SequenceAndFlag);
        Assert.Equal((ids[6..10], true), (back.Select(customer => customer.Id), back.HasMore), SequenceAndFlag);
        Assert.Equal(ids, world.V1.Customers.ListAutoPaging(new CustomerListOptions { Limit = 7 }).Select(customer => customer.Id));
        StripeException wrong = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.Customers.ListAsync(new CustomerListOptions { StartingAfter = "cus_none" }, cancellationToken: Cancel));
        Assert.Equal(("resource_missing", "starting_after"), (wrong.StripeError.Code, wrong.StripeError.Param));

        static bool SequenceAndFlag((IEnumerable<string> Ids, bool More) a, (IEnumerable<string> Ids, bool More) b) => a.Ids.SequenceEqual(b.Ids)
            && a.More == b.More;
    }

    [Theory]
    [InlineData("POST", "/v1/payment_intents", "amount=500&currency=usd&colour=red", 400, "parameter_unknown", "colour")]
    [InlineData("POST", "/v1/payment_intents", "currency=usd", 400, "parameter_missing", "amount")]
    [InlineData("POST", "/v1/payment_intents", "amount=ten&currency=usd", 400, "parameter_invalid_integer", "amount")]
    [InlineData("POST", "/v1/payment_intents", "amount=49&currency=usd", 400, "amount_too_small", "amount")]
    [InlineData("POST", "/v1/payment_intents", "amount=100000000&currency=usd", 400, "amount_too_large", "amount")]
    [InlineData("POST", "/v1/payment_intents", "amount=12345&currency=isk", 400, "invalid_charge_amount", "amount")]
    [InlineData("POST", "/v1/payment_intents", "amount=500&currency=dollars", 400, null, "currency")]
    [InlineData("POST", "/v1/payment_intents", "amount=500&currency=usd&off_session=true", 400, null, "off_session")]
    [InlineData("POST", "/v1/payment_intents", "amount=500&currency=usd&customer=cus_none", 400, "resource_missing", "customer")]
    [InlineData("POST", "/v1/payment_intents", "amount=500&currency=usd&payment_method=pm_none", 400, "resource_missing", "payment_method")]
    [InlineData("POST", "/v1/payment_intents", "amount=500&currency=eur&payment_method=pm_usBankAccount_success&confirm=true", 400,
        "payment_intent_incompatible_payment_method", "payment_method")]
    [InlineData("POST", "/v1/payment_intents", "amount=500&currency=usd&confirm=true", 400, "payment_intent_unexpected_state", null)]
    [InlineData("POST", "/v1/customers", "name=", 200, null, null)]
    [InlineData("POST", "/v1/customers", "invoice_settings[colour]=red", 400, "parameter_unknown", "invoice_settings[colour]")]
    [InlineData("GET", "/v1/payment_intents/pi_none", "", 404, "resource_missing", "intent")]
    [InlineData("GET", "/v1/customers/cus_none", "", 404, "resource_missing", "id")]
    [InlineData("GET", "/v1/customers", "limit=101", 400, null, "limit")]
    [InlineData("GET", "/v1/customers", "expand[]=data.colour", 200, null, null)]
    [InlineData("GET", "/v1/nonsense", "", 404, null, null)]
    [InlineData("POST", "/v1/refunds", "amount=5", 400, "parameter_missing", "payment_intent")]
    [InlineData("POST", "/v1/payment_methods", "type=card&card[number]=4000111122223333", 402, "incorrect_number", "number")]
    [InlineData("POST", "/v1/terminal/readers", "registration_code=simulated-wpe", 400, "parameter_missing", "location")]
    public void A_bad_request_has_stripes_status_code_and_parameter(string method, string path, string form, int status, string? code, string? param)
    {
        StripeReply reply = method == "GET" ? world.Get(path, form) : world.Post(path, form);

        JsonNode? error = JsonNode.Parse(reply.Body)!["error"];
        Assert.Equal((status, code, param), (reply.Status, (string?)error?["code"], (string?)error?["param"]));
        Assert.Equal(status == 200, error is null);
        Assert.StartsWith("req_", reply.Headers["Request-Id"], StringComparison.Ordinal);
        Assert.Equal("2026-10-28.endive", reply.Headers["Stripe-Version"]);
        Assert.Empty(world.Simulator.Audit().Charges);
    }

    [Fact]
    public async Task A_missing_or_wrong_key_is_401_and_basic_authentication_works()
    {
        StripeException wrong = await Assert.ThrowsAsync<StripeException>(() =>
            world.NewClient("sk_test_somebody_else").V1.Customers.ListAsync(cancellationToken: Cancel));
        StripeReply missing = Authorized(null);
        StripeReply basic = Authorized("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(StripeTestWorld.Key + ":")));

        Assert.Equal(HttpStatusCode.Unauthorized, wrong.HttpStatusCode);
        Assert.DoesNotContain("somebody", wrong.StripeError.Message, StringComparison.Ordinal);
        Assert.Equal((401, 200), (missing.Status, basic.Status));

        StripeReply Authorized(string? header) => world.Simulator.Handle(new global::Flex.Local.Simulators.Stripe.StripeRequest("GET", "/v1/account",
            string.Empty, string.Empty,
            header is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["authorization"] = header }));
    }

    [Fact]
    public async Task Expanding_replaces_ids_and_refuses_what_cannot_be_expanded()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        await world.Charge(customer, method);

        StripeList<PaymentIntent> list = await world.V1.PaymentIntents.ListAsync(new PaymentIntentListOptions
        {
            Customer = customer.Id,
            Expand = ["data.customer", "data.latest_charge.payment_intent"],
        }, cancellationToken: Cancel);
        StripeException refused = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.PaymentIntents.GetAsync(list.First().Id, new PaymentIntentGetOptions { Expand = ["latest_charge.payment_method"] },
                cancellationToken: Cancel));

        Assert.Equal("Ada", list.First().Customer.Name);
        Assert.Equal(list.First().Id, list.First().LatestCharge.PaymentIntent.Id);
        Assert.Equal("expand", refused.StripeError.Param);
    }

    [Fact]
    public async Task Customers_are_updated_unset_and_deleted()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        customer = await world.V1.Customers.UpdateAsync(customer.Id, new CustomerUpdateOptions
        {
            InvoiceSettings = new CustomerInvoiceSettingsOptions { DefaultPaymentMethod = method.Id },
            Metadata = new Dictionary<string, string> { ["member"] = "m1", ["space"] = "s1" },
        }, cancellationToken: Cancel);
        Assert.Equal(method.Id, customer.InvoiceSettings.DefaultPaymentMethodId);
        var unset = new CustomerUpdateOptions { Metadata = new Dictionary<string, string> { ["space"] = string.Empty } };
        customer = await world.V1.Customers.UpdateAsync(customer.Id, unset, cancellationToken: Cancel);
        Assert.Equal("m1", Assert.Single(customer.Metadata).Value);

        Customer deleted = await world.V1.Customers.DeleteAsync(customer.Id, cancellationToken: Cancel);

        Assert.True(deleted.Deleted);
        Assert.True((await world.V1.Customers.GetAsync(customer.Id, cancellationToken: Cancel)).Deleted);
        Assert.Empty(await world.V1.Customers.ListAsync(cancellationToken: Cancel));
        await world.Settle();
        Assert.Equal("customer.deleted", world.Receiver.Types.Last());
    }

    [Fact]
    public async Task The_account_can_be_read()
    {
        Account account = await world.V1.Accounts.GetSelfAsync(cancellationToken: Cancel);

        Assert.True(account is { ChargesEnabled: true, Country: "US", DefaultCurrency: "usd" });
    }
}
