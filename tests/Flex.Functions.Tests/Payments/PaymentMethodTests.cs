using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Xunit;

namespace Flex.Functions.Tests.Payments;

/// <summary>Keeping a payment method: at the gateway and on the customer, with a notice that it was replaced.</summary>
public sealed class PaymentMethodTests : IDisposable
{
    private readonly BillingWorld _world = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private PaymentMethods Methods => _world.Get<PaymentMethods>();

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Rule", "DUN-7")]
    public async Task A_payment_method_is_attached_stored_and_announced_and_the_gateway_customer_is_made_once()
    {
        Customer ada = await _world.CustomerAsync(paymentMethod: null);

        await Methods.AddAsync(ada.Id, new AddPaymentMethodRequest("pm_card_visa"), BillingWorld.Staff(), Cancellation);
        await Methods.AddAsync(ada.Id, new AddPaymentMethodRequest("pm_card_mastercard"), BillingWorld.Staff(), Cancellation);

        Customer stored = (await _world.Get<CustomerStore>().FindAsync(ada.Id, Cancellation))!;
        Assert.Equal("pm_card_mastercard", stored.PaymentMethod!.Id);
        Assert.Equal(1, _world.Gateway.CustomersMade);
        Assert.Equal(2, _world.Broker.Memberships.Count(m => m.Subject == PaymentSourceUpdated.Subject));
        Assert.Equal(ada.Id, _world.Broker.Memberships[0].Read<PaymentSourceUpdated>().CustomerId);
    }

    [Fact]
    public async Task A_repeated_request_is_replayed_and_announces_once()
    {
        Customer ada = await _world.CustomerAsync(paymentMethod: null);
        var request = new AddPaymentMethodRequest("pm_card_visa");

        await Methods.AddAsync(ada.Id, request, BillingWorld.Staff("k"), Cancellation);
        Reply<PaymentMethodsView> again = await Methods.AddAsync(ada.Id, request, BillingWorld.Staff("k"), Cancellation);

        Assert.NotNull(again.Stored);
        Assert.Single(_world.Broker.Memberships);
    }

    [Fact]
    public async Task A_refused_method_changes_nothing()
    {
        _world.Gateway.Attach = _ => new Error(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "declined");
        Customer ada = await _world.CustomerAsync();

        Reply<PaymentMethodsView> reply = await Methods.AddAsync(ada.Id, new AddPaymentMethodRequest("pm_bad"), BillingWorld.Staff(), Cancellation);

        Assert.Equal(402, reply.Error!.Status);
        Assert.Equal("pm_good", (await _world.Get<CustomerStore>().FindAsync(ada.Id, Cancellation))!.PaymentMethod!.Id);
        Assert.Empty(_world.Broker.Memberships);
    }

    [Fact]
    [Trait("Rule", "PAY-1")]
    public async Task Without_a_gateway_there_is_nothing_to_keep_it_at()
    {
        _world.Gateway.IsConnected = false;
        Customer ada = await _world.CustomerAsync();

        Reply<PaymentMethodsView> reply = await Methods.AddAsync(ada.Id, new AddPaymentMethodRequest("pm_card_visa"), BillingWorld.Staff(), Cancellation);

        Assert.Equal(ErrorCodes.GatewayNotConnected, reply.Error?.Code);
    }

    [Fact]
    public async Task A_member_keeps_a_method_for_the_own_customer_only()
    {
        Customer ada = await _world.CustomerAsync();
        Customer bob = await _world.CustomerAsync();
        RequestContext member = BillingWorld.MemberOf((await _world.MemberAsync(ada)).Id);

        Assert.NotNull((await Methods.AddAsync(ada.Id, new AddPaymentMethodRequest("pm_card_visa"), member, Cancellation)).Value);
        Assert.Equal(404, (await Methods.AddAsync(bob.Id, new AddPaymentMethodRequest("pm_card_visa"), member, Cancellation)).Error!.Status);
        Assert.Equal(404, (await Methods.ListAsync(bob.Id, member, Cancellation)).Error!.Status);
        Assert.Equal("4242", Assert.Single((await Methods.ListAsync(ada.Id, member, Cancellation)).Value!.Results).Last4);
    }

    [Theory]
    [InlineData("pm_card_visa", true)]
    [InlineData("pm_1PabcXYZ", true)]
    [InlineData("", false)]
    [InlineData("card_visa", false)]
    [InlineData("pm_../x", false)]
    public void A_payment_method_is_named_by_its_id(string text, bool valid) =>
        Assert.Equal(valid, new AddPaymentMethodValidator().Validate(new AddPaymentMethodRequest(text)).IsValid);
}
