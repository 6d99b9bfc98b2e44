using NodaTime;
using Stripe;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;

namespace Flex.Local.Tests.Stripe;

public sealed class StripeRefundTests : IDisposable
{
    private readonly StripeTestWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task Partial_refunds_add_up_and_cannot_exceed_the_charge()
    {
        PaymentIntent intent = await Paid("pm_card_visa");

        Refund first = await world.V1.Refunds.CreateAsync(new RefundCreateOptions
        {
            PaymentIntent = intent.Id,
            Amount = 1000,
            Reason = "requested_by_customer"
        }, cancellationToken: Cancel);
        StripeException tooMuch = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.Refunds.CreateAsync(new RefundCreateOptions { PaymentIntent = intent.Id, Amount = 1501 }, cancellationToken: Cancel));
        Refund rest = await world.V1.Refunds.CreateAsync(new RefundCreateOptions { Charge = intent.LatestChargeId }, cancellationToken: Cancel);
        StripeException again = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.Refunds.CreateAsync(new RefundCreateOptions { Charge = intent.LatestChargeId }, cancellationToken: Cancel));

        Assert.Equal(("succeeded", 1000L), (first.Status, first.Amount));
        Assert.Equal("amount", tooMuch.StripeError.Param);
        Assert.Equal(1500, rest.Amount);
        Assert.Equal("charge_already_refunded", again.StripeError.Code);
        Charge charge = await world.V1.Charges.GetAsync(intent.LatestChargeId, cancellationToken: Cancel);
        Assert.True(charge is { Refunded: true, AmountRefunded: 2500 });
        Assert.Equal(2, (await world.V1.Refunds.ListAsync(new RefundListOptions { PaymentIntent = intent.Id }, cancellationToken: Cancel)).Count());
    }

    [Fact]
    public async Task A_pending_refund_succeeds_later()
    {
        PaymentIntent intent = await Paid("pm_card_pendingRefund");
        Refund refund = await world.V1.Refunds.CreateAsync(new RefundCreateOptions { PaymentIntent = intent.Id }, cancellationToken: Cancel);
        Assert.Equal("pending", refund.Status);

        await world.Advance(Duration.FromDays(3));

        Assert.Equal("succeeded", (await world.V1.Refunds.GetAsync(refund.Id, cancellationToken: Cancel)).Status);
        Assert.Contains("refund.updated", world.Receiver.Types);
    }

    [Fact]
    public async Task A_refund_can_fail_after_it_succeeded()
    {
        PaymentIntent intent = await Paid("pm_card_refundFail");
        Refund refund = await world.V1.Refunds.CreateAsync(new RefundCreateOptions { PaymentIntent = intent.Id }, cancellationToken: Cancel);
        Assert.Equal("succeeded", refund.Status);

        await world.Advance(Duration.FromDays(3));

        refund = await world.V1.Refunds.GetAsync(refund.Id, cancellationToken: Cancel);
        Assert.Equal(("failed", "expired_or_canceled_card"), (refund.Status, refund.FailureReason));
        Assert.Equal(0, (await world.V1.Charges.GetAsync(intent.LatestChargeId, cancellationToken: Cancel)).AmountRefunded);
        Assert.Equal("refund.failed", world.Receiver.Types.Last());
    }

    [Theory]
    [InlineData("winning_evidence", "won", "charge.dispute.funds_reinstated")]
    [InlineData("losing_evidence", "lost", "charge.dispute.closed")]
    public async Task A_card_dispute_is_decided_by_the_evidence(string evidence, string status, string emitted)
    {
        PaymentIntent intent = await Paid("pm_card_createDispute");
        await world.Settle();
        Dispute dispute = Assert.Single(await world.V1.Disputes.ListAsync(new DisputeListOptions { Charge = intent.LatestChargeId },
            cancellationToken: Cancel));
        Assert.Equal(("needs_response", "fraudulent"), (dispute.Status, dispute.Reason));
        StripeException refund = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.Refunds.CreateAsync(new RefundCreateOptions { PaymentIntent = intent.Id }, cancellationToken: Cancel));
        Assert.Equal("charge_disputed", refund.StripeError.Code);

        dispute = await world.V1.Disputes.UpdateAsync(dispute.Id,
            new DisputeUpdateOptions { Evidence = new DisputeEvidenceOptions { UncategorizedText = evidence } }, cancellationToken: Cancel);

        Assert.Equal(status, dispute.Status);
        await world.Settle();
        Assert.Contains(emitted, world.Receiver.Types);
    }

    [Fact]
    public async Task An_accepted_dispute_is_lost_and_an_inquiry_takes_no_money()
    {
        PaymentIntent disputed = await Paid("pm_card_createDisputeProductNotReceived");
        PaymentIntent inquired = await Paid("pm_card_createDisputeInquiry");
        await world.Settle();
        Dispute dispute = Assert.Single(await world.V1.Disputes.ListAsync(new DisputeListOptions { PaymentIntent = disputed.Id }, cancellationToken: Cancel));
        Dispute inquiry = Assert.Single(await world.V1.Disputes.ListAsync(new DisputeListOptions { PaymentIntent = inquired.Id }, cancellationToken: Cancel));

        Assert.Equal("lost", (await world.V1.Disputes.CloseAsync(dispute.Id, cancellationToken: Cancel)).Status);
        Assert.Equal("warning_closed", (await world.V1.Disputes.CloseAsync(inquiry.Id, cancellationToken: Cancel)).Status);

        Assert.Single(world.Receiver.Types, "charge.dispute.funds_withdrawn");
    }

    private async Task<PaymentIntent> Paid(string name)
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith(name);
        return await world.V1.PaymentIntents.CreateAsync(OffSession(customer, method));
    }
}
