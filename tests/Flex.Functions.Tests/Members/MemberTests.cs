using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Members;

public sealed class MemberTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "INV-5")]
    public async Task A_customer_is_created_edited_with_a_purchase_order_number_and_listed()
    {
        Answer edited = await EditAsync(new { name = "Acme Ltd", billingEmail = "pay@acme.example", purchaseOrderNumber = "PO-77" }, "\"1\"");
        Answer read = await _spaces.SendAsync("Customers_Get", id: _spaces.Customer.Value);
        Answer list = await _spaces.SendAsync("Customers_List");

        Assert.Equal((200, "\"2\""), (edited.Status, edited.Headers.ETag.ToString()));
        Assert.Equal("PO-77", (string?)read.Json["purchaseOrderNumber"]);
        Assert.Equal("Acme Ltd", (string?)Assert.Single(list.Json["results"]!.AsArray())!["name"]);
    }

    [Fact]
    public async Task An_edit_keeps_the_payment_method_and_needs_the_current_version()
    {
        CustomerStore store = _spaces.Get<CustomerStore>();
        Stored<Customer> found = (await store.ReadAsync(_spaces.Customer, Spaces.Cancellation))!;
        Customer paying = found.Value with
        {
            PaymentMethod = new PaymentMethodOnFile("pm_1", PaymentMethodKind.Card, "visa", "4242"),
            GatewayCustomerId = "cus_x",
            Version = 2,
        };
        (await store.CommitAsync(CustomerStore.Replace(paying, found.ETag), Spaces.Cancellation)).Require();

        Answer stale = await EditAsync(new { name = "New", billingEmail = "a@b.example" }, "\"1\"");
        Answer edited = await EditAsync(new { name = "New", billingEmail = "a@b.example" }, "\"2\"");

        Assert.Equal((412, ErrorCodes.Stale), (stale.Status, stale.Code));
        Assert.Equal("4242", (string?)edited.Json["paymentMethod"]!["last4"]);
        Assert.DoesNotContain("pm_1", edited.Body, StringComparison.Ordinal);
        Assert.Equal(paying with { Name = "New", BillingEmail = "a@b.example", Version = 3 }, await store.FindAsync(_spaces.Customer, Spaces.Cancellation));
    }

    [Theory]
    [InlineData("", "a@b.example", "/name")]
    [InlineData("Acme", "nobody", "/billingEmail")]
    [InlineData("Acme", "a@b@c", "/billingEmail")]
    [InlineData("Acme", "a b@c.example", "/billingEmail")]
    public async Task A_customer_needs_a_name_and_a_mail_address(string name, string billingEmail, string pointer)
    {
        Answer answer = await _spaces.SendAsync("Customers_Create", new { name, billingEmail });

        Assert.Equal((422, ErrorCodes.InvalidValue, pointer), (answer.Status, answer.Code, answer.Pointer));
    }

    [Fact]
    public async Task A_member_belongs_to_a_customer_and_a_location_that_exist()
    {
        Answer customer = await CreateAsync(EntityId.Derive<CustomerId>("none"), _spaces.Location);
        Answer location = await CreateAsync(_spaces.Customer, EntityId.Derive<LocationId>("none"));

        Assert.Equal((422, ErrorCodes.UnknownReference, "/customerId"), (customer.Status, customer.Code, customer.Pointer));
        Assert.Equal((422, ErrorCodes.UnknownReference, "/locationId"), (location.Status, location.Code, location.Pointer));
    }

    [Fact]
    public async Task Members_are_listed_all_together_and_by_customer()
    {
        CustomerId other = await _spaces.AddAsync<CustomerId>("Customers_Create", new { name = "Other", billingEmail = "o@o.example" });
        await CreateAsync(other, _spaces.Location);
        MemberId second = await _spaces.AddMemberAsync();

        Answer all = await _spaces.SendAsync("Members_List");
        Answer first = await _spaces.SendAsync("Members_List", query: $"?customerId={_spaces.Customer}&limit=1");
        Answer rest = await _spaces.SendAsync("Members_List", query: $"?customerId={_spaces.Customer}&limit=1&cursor={first.Json["cursorNext"]}");

        Assert.Equal(3, all.Json["results"]!.AsArray().Count);
        Assert.Equal(
            new[] { _spaces.Member.Value, second.Value }.Order(),
            first.Json["results"]!.AsArray().Concat(rest.Json["results"]!.AsArray()).Select(m => (string)m!["id"]!).Order());
        Assert.False((bool)rest.Json["hasMore"]!);
    }

    [Fact]
    public async Task A_member_reaches_themself_and_their_customer_and_everything_else_reads_like_nothing()
    {
        CustomerId otherCustomer = await _spaces.AddAsync<CustomerId>("Customers_Create", new { name = "Other", billingEmail = "o@o.example" });
        MemberId otherMember = await _spaces.AddMemberAsync();
        string self = Spaces.As(_spaces.Member);

        Assert.Equal(200, (await _spaces.SendAsync("Members_Get", caller: self, id: _spaces.Member.Value)).Status);
        Assert.Equal(200, (await _spaces.SendAsync("Customers_Get", caller: self, id: _spaces.Customer.Value)).Status);
        await AssertHiddenAsync("Members_Get", otherMember.Value, EntityId.Derive<MemberId>("none").Value);
        await AssertHiddenAsync("Customers_Get", otherCustomer.Value, EntityId.Derive<CustomerId>("none").Value);
        Assert.Equal(403, (await _spaces.SendAsync("Members_List", caller: self)).Status);
        Assert.Equal(403, (await _spaces.SendAsync("Customers_List", caller: self)).Status);

        async Task AssertHiddenAsync(string function, string existing, string missing)
        {
            Answer hidden = await _spaces.SendAsync(function, caller: self, id: existing);
            Answer none = await _spaces.SendAsync(function, caller: self, id: missing);
            Assert.Equal((404, ErrorCodes.NotFound), (hidden.Status, hidden.Code));
            Assert.Equal((string?)none.Json["detail"], (string?)hidden.Json["detail"]);
        }
    }

    private Task<Answer> EditAsync(object body, string ifMatch) =>
        _spaces.SendAsync("Customers_Edit", body, id: _spaces.Customer.Value, headers: ("If-Match", ifMatch));

    private Task<Answer> CreateAsync(CustomerId customer, LocationId location) => _spaces.SendAsync(
        "Members_Create", new { customerId = customer.Value, locationId = location.Value, email = "a@b.example", firstName = "A", lastName = "B" });
}
