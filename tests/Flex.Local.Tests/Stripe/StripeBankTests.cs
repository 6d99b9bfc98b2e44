using Flex.Local.Simulators.Stripe;
using NodaTime;
using Stripe;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;

namespace Flex.Local.Tests.Stripe;

public sealed class StripeBankTests : IDisposable
{
    private readonly StripeTestWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task A_debit_is_processing_until_the_fourth_business_day()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWithBank("pm_usBankAccount_success");
        await world.Advance(Duration.FromDays(3));
        PaymentIntent intent = await world.Charge(customer, method);
        Assert.Equal("processing", intent.Status);
        Assert.StartsWith("py_", intent.LatestChargeId, StringComparison.Ordinal);

        await world.Advance(Duration.FromDays(6) - Duration.FromSeconds(1));
        Assert.Equal("processing", (await world.V1.PaymentIntents.GetAsync(intent.Id, cancellationToken: Cancel)).Status);
        await world.Advance(Duration.FromSeconds(1));

        Assert.Equal("succeeded", (await world.V1.PaymentIntents.GetAsync(intent.Id, cancellationToken: Cancel)).Status);
        Assert.Equal(["charge.pending", "payment_intent.processing", "charge.succeeded", "payment_intent.succeeded"], world.Receiver.Types.TakeLast(4));
    }

    [Theory]
    [InlineData("pm_usBankAccount_insufficientFunds", "insufficient_funds", false)]
    [InlineData("pm_usBankAccount_accountClosed", "account_closed", true)]
    [InlineData("pm_usBankAccount_noAccount", "no_account", true)]
    [InlineData("pm_usBankAccount_debitNotAuthorized", "debit_not_authorized", true)]
    public async Task A_failing_debit_fails_after_the_configured_days(string name, string code, bool blocked)
    {
        using var calendar = new StripeTestWorld(new StripeOptions { BankSettlementDays = 5, BankSettlementInBusinessDays = false });
        (Customer customer, PaymentMethod method) = await calendar.CustomerWithBank(name);
        PaymentIntent intent = await calendar.Charge(customer, method);

        await calendar.Advance(Duration.FromDays(5));

        intent = await calendar.V1.PaymentIntents.GetAsync(intent.Id, new PaymentIntentGetOptions { Expand = ["latest_charge"] }, cancellationToken: Cancel);
        Assert.Equal(("requires_payment_method", code), (intent.Status, intent.LastPaymentError.Code));
        Assert.Equal(("failed", code), (intent.LatestCharge.Status, intent.LatestCharge.FailureCode));
        method = await calendar.V1.PaymentMethods.GetAsync(method.Id, cancellationToken: Cancel);
        Assert.Equal(blocked, method.UsBankAccount.StatusDetails?.Blocked is not null);
    }

    [Fact]
    public async Task The_processing_account_never_settles_but_can_be_cancelled()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWithBank("pm_usBankAccount_processing");
        PaymentIntent intent = await world.Charge(customer, method);

        await world.Advance(Duration.FromDays(60));

        Assert.Equal("processing", (await world.V1.PaymentIntents.GetAsync(intent.Id, cancellationToken: Cancel)).Status);
        Assert.Equal("canceled", (await world.V1.PaymentIntents.CancelAsync(intent.Id, cancellationToken: Cancel)).Status);
    }

    [Fact]
    public async Task The_disputing_account_succeeds_and_is_then_returned_as_a_lost_dispute()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWithBank("pm_usBankAccount_dispute");
        PaymentIntent intent = await world.Charge(customer, method);

        await world.Advance(Duration.FromDays(4));

        Dispute dispute = Assert.Single(await world.V1.Disputes.ListAsync(new DisputeListOptions { PaymentIntent = intent.Id }, cancellationToken: Cancel));
        Assert.Equal(("lost", 2500L, false), (dispute.Status, dispute.Amount, dispute.IsChargeRefundable));
        Assert.True((await world.V1.Charges.GetAsync(dispute.ChargeId, cancellationToken: Cancel)).Disputed);
        Assert.Equal(["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"], world.Receiver.Types.TakeLast(3));
    }

    [Fact]
    public async Task A_debit_without_a_mandate_is_refused_and_leaves_nothing()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_usBankAccount_success");

        StripeException refused = await Assert.ThrowsAsync<StripeException>(() => world.Charge(customer, method));

        Assert.Equal("payment_intent_mandate_invalid", refused.StripeError.Code);
        Assert.Empty(await world.V1.PaymentIntents.ListAsync(new PaymentIntentListOptions { Customer = customer.Id }, cancellationToken: Cancel));
    }

    [Fact]
    public async Task A_setup_gives_a_mandate_that_can_be_read()
    {
        (_, PaymentMethod method) = await world.CustomerWithBank("pm_usBankAccount_success");

        SetupIntent setup = Assert.Single(await world.V1.SetupIntents.ListAsync(new SetupIntentListOptions { PaymentMethod = method.Id },
            cancellationToken: Cancel));
        Mandate mandate = await world.V1.Mandates.GetAsync(setup.MandateId, cancellationToken: Cancel);

        Assert.Equal(("active", method.Id, "online"), (mandate.Status, mandate.PaymentMethodId, mandate.CustomerAcceptance.Type));
    }
}
