using System.Net;
using NodaTime;
using Stripe;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;

namespace Flex.Local.Tests.Stripe;

public sealed class StripeCardTests : IDisposable
{
    private readonly StripeTestWorld world = new();

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData("pm_card_visa", "visa", "4242")]
    [InlineData("pm_card_mastercard", "mastercard", "4444")]
    public async Task A_good_card_is_charged_off_session(string name, string brand, string last4)
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith(name);

        PaymentIntentCreateOptions options = OffSession(customer, method);
        options.AddExpand("latest_charge");
        PaymentIntent intent = await world.V1.PaymentIntents.CreateAsync(options, cancellationToken: Cancel);

        Assert.Equal("succeeded", intent.Status);
        Assert.Equal(2500, intent.AmountReceived);
        Assert.Equal("att_1", intent.Metadata["attempt_id"]);
        Assert.Equal((brand, last4), (intent.LatestCharge.PaymentMethodDetails.Card.Brand, intent.LatestCharge.PaymentMethodDetails.Card.Last4));
        Assert.True(intent.LatestCharge is { Paid: true, Captured: true, Status: "succeeded" });
        await world.Settle();
        Assert.Equal(["customer.created", "payment_method.attached", "payment_intent.created", "charge.succeeded", "payment_intent.succeeded"],
            world.Receiver.Types);
    }

    [Theory]
    [InlineData("pm_card_chargeDeclined", "card_declined", "generic_decline", "try_again_later")]
    [InlineData("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "try_again_later")]
    [InlineData("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card", "do_not_try_again")]
    [InlineData("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card", "do_not_try_again")]
    [InlineData("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "confirm_card_data")]
    [InlineData("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "confirm_card_data")]
    [InlineData("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error", "try_again_later")]
    [InlineData("pm_card_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded", "try_again_later")]
    public async Task A_declining_card_fails_the_payment_and_cannot_be_attached(string name, string code, string decline, string advice)
    {
        Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);

        StripeException attach = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.PaymentMethods.AttachAsync(name, new PaymentMethodAttachOptions { Customer = customer.Id }, cancellationToken: Cancel));
        StripeException charge = await Assert.ThrowsAsync<StripeException>(() => world.V1.PaymentIntents.CreateAsync(new PaymentIntentCreateOptions
        {
            Amount = 1000,
            Currency = "eur",
            Customer = customer.Id,
            PaymentMethod = name,
            Confirm = true,
        }, cancellationToken: Cancel));

        Assert.Equal((HttpStatusCode.PaymentRequired, code), (attach.HttpStatusCode, attach.StripeError.Code));
        Assert.Equal(HttpStatusCode.PaymentRequired, charge.HttpStatusCode);
        Assert.Equal(("card_error", code, decline, advice), (charge.StripeError.Type, charge.StripeError.Code, charge.StripeError.DeclineCode,
            charge.StripeError.AdviceCode));
        Assert.Equal("requires_payment_method", charge.StripeError.PaymentIntent.Status);
        Assert.NotNull(charge.StripeError.NetworkDeclineCode);
        Assert.NotNull(charge.StripeError.RequestLogUrl);
        Assert.Empty(await world.V1.PaymentMethods.ListAsync(new PaymentMethodListOptions { Customer = customer.Id }, cancellationToken: Cancel));
        PaymentIntent intent = await world.V1.PaymentIntents.GetAsync(charge.StripeError.PaymentIntent.Id, cancellationToken: Cancel);
        Assert.Equal(decline, intent.LastPaymentError.DeclineCode);
        Charge failed = await world.V1.Charges.GetAsync(charge.StripeError.Charge, cancellationToken: Cancel);
        Assert.Equal(("failed", code, decline), (failed.Status, failed.FailureCode, failed.Outcome.Reason));
    }

    [Fact]
    public async Task ChargeCustomerFail_attaches_but_every_charge_is_declined()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_chargeCustomerFail");

        StripeException declined = await Assert.ThrowsAsync<StripeException>(() => world.Charge(customer, method));

        Assert.Equal("card_declined", declined.StripeError.Code);
        await world.Settle();
        Assert.Equal(["charge.failed", "payment_intent.payment_failed"], world.Receiver.Types.Skip(3));
    }

    [Fact]
    public async Task The_same_intent_can_be_confirmed_again_with_another_card_after_a_decline()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_chargeCustomerFail");
        StripeException declined = await Assert.ThrowsAsync<StripeException>(() => world.Charge(customer, method));
        PaymentMethod good = await world.V1.PaymentMethods.AttachAsync("pm_card_visa", new PaymentMethodAttachOptions { Customer = customer.Id },
            cancellationToken: Cancel);

        PaymentIntent intent = await world.V1.PaymentIntents.ConfirmAsync(declined.StripeError.PaymentIntent.Id,
            new PaymentIntentConfirmOptions { PaymentMethod = good.Id, OffSession = true }, cancellationToken: Cancel);

        Assert.Equal(("succeeded", null), (intent.Status, intent.LastPaymentError));
        StripeList<Charge> charges = await world.V1.Charges.ListAsync(new ChargeListOptions { PaymentIntent = intent.Id }, cancellationToken: Cancel);
        Assert.Equal(["succeeded", "failed"], charges.Select(charge => charge.Status));
    }

    [Theory]
    [InlineData("pm_card_authenticationRequired")]
    [InlineData("pm_card_authenticationRequiredOnSetup")]
    [InlineData("pm_card_threeDSecure2Required")]
    public async Task Off_session_a_card_that_asks_for_authentication_is_declined(string name)
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith(name);

        StripeException declined = await Assert.ThrowsAsync<StripeException>(() => world.Charge(customer, method));

        Assert.Equal(("authentication_required", "authentication_required"), (declined.StripeError.Code, declined.StripeError.DeclineCode));
        Assert.Equal("requires_payment_method", declined.StripeError.PaymentIntent.Status);
        Assert.Equal(method.Id, declined.StripeError.PaymentMethod.Id);
    }

    [Theory]
    [InlineData("success", "succeeded")]
    [InlineData("failure", "requires_payment_method")]
    public async Task On_session_the_customer_authenticates(string outcome, string status)
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_authenticationRequired");
        PaymentIntent intent = await world.V1.PaymentIntents.CreateAsync(new PaymentIntentCreateOptions
        {
            Amount = 900,
            Currency = "usd",
            Customer = customer.Id,
            PaymentMethod = method.Id,
            Confirm = true,
            ReturnUrl = "https://app.example.com/paid",
        }, cancellationToken: Cancel);
        Assert.Equal(("requires_action", "redirect_to_url"), (intent.Status, intent.NextAction.Type));
        Assert.StartsWith(intent.Id + "_secret_", intent.ClientSecret, StringComparison.Ordinal);

        world.Control($"intents/{intent.Id}/authenticate", "outcome=" + outcome);

        intent = await world.V1.PaymentIntents.GetAsync(intent.Id, new PaymentIntentGetOptions { ClientSecret = intent.ClientSecret },
            cancellationToken: Cancel);
        Assert.Equal(status, intent.Status);
        Assert.Equal(outcome == "success", intent.LastPaymentError is null);
        await world.Settle();
        Assert.Contains("payment_intent.requires_action", world.Receiver.Types);
    }

    [Fact]
    public async Task A_card_set_up_with_authentication_is_charged_off_session_without_it()
    {
        Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);
        SetupIntent setup = await world.V1.SetupIntents.CreateAsync(new SetupIntentCreateOptions
        {
            Customer = customer.Id,
            PaymentMethod = "pm_card_authenticationRequiredOnSetup",
            Confirm = true,
            AllowedPaymentMethodTypes = ["card"],
        }, cancellationToken: Cancel);
        Assert.Equal("requires_action", setup.Status);
        world.Control($"intents/{setup.Id}/authenticate");
        setup = await world.V1.SetupIntents.GetAsync(setup.Id, new SetupIntentGetOptions { Expand = ["latest_attempt", "payment_method"] },
            cancellationToken: Cancel);
        Assert.Equal(("succeeded", "succeeded", customer.Id), (setup.Status, setup.LatestAttempt.Status, setup.PaymentMethod.CustomerId));

        PaymentIntent intent = await world.Charge(customer, setup.PaymentMethod);

        Assert.Equal("succeeded", intent.Status);
        await world.Settle();
        Assert.Contains("setup_intent.requires_action", world.Receiver.Types);
        Assert.Contains("setup_intent.succeeded", world.Receiver.Types);
    }

    [Fact]
    public async Task A_setup_with_a_declining_card_fails_and_saves_nothing()
    {
        Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);

        StripeException declined = await Assert.ThrowsAsync<StripeException>(() => world.V1.SetupIntents.CreateAsync(new SetupIntentCreateOptions
        {
            Customer = customer.Id,
            PaymentMethod = "pm_card_chargeDeclinedInsufficientFunds",
            Confirm = true,
        }, cancellationToken: Cancel));

        Assert.Equal(("insufficient_funds", "requires_payment_method"), (declined.StripeError.DeclineCode, declined.StripeError.SetupIntent.Status));
        Assert.Empty(await world.V1.Customers.PaymentMethods.ListAsync(customer.Id, cancellationToken: Cancel));
        await world.Settle();
        Assert.Contains("setup_intent.setup_failed", world.Receiver.Types);
    }

    [Fact]
    public async Task A_saved_card_can_start_to_fail_and_be_replaced()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        await world.Charge(customer, method);

        Assert.Equal(200, world.Control($"payment_methods/{method.Id}/behaviour", "behaviour=pm_card_chargeDeclinedInsufficientFunds").Status);

        StripeException declined = await Assert.ThrowsAsync<StripeException>(() => world.Charge(customer, method));
        Assert.Equal("insufficient_funds", declined.StripeError.DeclineCode);
        Assert.Equal("4242", (await world.V1.PaymentMethods.GetAsync(method.Id, cancellationToken: Cancel)).Card.Last4);
        world.Control($"payment_methods/{method.Id}/automatic_update", "last4=1881&exp_year=2039");
        await world.Settle();
        Event update = world.Receiver.Received.Last().Event;
        Assert.Equal("payment_method.automatically_updated", update.Type);
        Assert.Equal(2039, ((PaymentMethod)update.Data.Object).Card.ExpYear);
    }

    [Fact]
    public async Task A_manual_capture_holds_first_and_takes_what_is_captured()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        PaymentIntentCreateOptions options = OffSession(customer, method);
        options.CaptureMethod = "manual";
        PaymentIntent held = await world.V1.PaymentIntents.CreateAsync(options, cancellationToken: Cancel);
        Assert.Equal(("requires_capture", 2500L, 0L), (held.Status, held.AmountCapturable, held.AmountReceived));

        PaymentIntent taken = await world.V1.PaymentIntents.CaptureAsync(held.Id, new PaymentIntentCaptureOptions { AmountToCapture = 2000 },
            cancellationToken: Cancel);

        Assert.Equal(("succeeded", 0L, 2000L), (taken.Status, taken.AmountCapturable, taken.AmountReceived));
        await world.Settle();
        Assert.Contains("payment_intent.amount_capturable_updated", world.Receiver.Types);
    }

    [Fact]
    public async Task An_authorisation_that_nobody_captures_expires_after_seven_days()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        PaymentIntentCreateOptions options = OffSession(customer, method);
        options.CaptureMethod = "manual";
        PaymentIntent held = await world.V1.PaymentIntents.CreateAsync(options, cancellationToken: Cancel);

        await world.Advance(Duration.FromDays(7));

        PaymentIntent intent = await world.V1.PaymentIntents.GetAsync(held.Id, cancellationToken: Cancel);
        Assert.Equal(("canceled", "automatic"), (intent.Status, intent.CancellationReason));
    }

    [Fact]
    public async Task A_succeeded_intent_can_neither_be_cancelled_nor_confirmed_again()
    {
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        PaymentIntent intent = await world.Charge(customer, method);

        StripeException cancel = await Assert.ThrowsAsync<StripeException>(() => world.V1.PaymentIntents.CancelAsync(intent.Id, cancellationToken: Cancel));
        StripeException confirm = await Assert.ThrowsAsync<StripeException>(() => world.V1.PaymentIntents.ConfirmAsync(intent.Id, cancellationToken: Cancel));

        Assert.Equal(("payment_intent_unexpected_state", "succeeded"), (cancel.StripeError.Code, cancel.StripeError.PaymentIntent.Status));
        Assert.Equal("payment_intent_unexpected_state", confirm.StripeError.Code);
        Assert.Single(await world.V1.Charges.ListAsync(new ChargeListOptions { Customer = customer.Id }, cancellationToken: Cancel));
    }

    [Fact]
    public async Task A_method_of_another_customer_is_refused_and_a_detached_one_is_used_up()
    {
        (Customer owner, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        Customer other = await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);

        StripeException foreign = await Assert.ThrowsAsync<StripeException>(() => world.Charge(other, method));
        await world.V1.PaymentMethods.DetachAsync(method.Id, cancellationToken: Cancel);
        StripeException detached = await Assert.ThrowsAsync<StripeException>(() => world.Charge(owner, method));

        Assert.Equal(HttpStatusCode.BadRequest, foreign.HttpStatusCode);
        Assert.Equal("payment_method", foreign.StripeError.Param);
        Assert.Contains("may not be used again", detached.StripeError.Message, StringComparison.Ordinal);
        Assert.Empty(await world.V1.PaymentIntents.ListAsync(new PaymentIntentListOptions { Customer = other.Id }, cancellationToken: Cancel));
    }

    [Fact]
    public async Task An_on_session_payment_can_save_the_card_for_later()
    {
        Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);

        await world.V1.PaymentIntents.CreateAsync(new PaymentIntentCreateOptions
        {
            Amount = 1200,
            Currency = "eur",
            Customer = customer.Id,
            PaymentMethod = "pm_card_visa",
            Confirm = true,
            SetupFutureUsage = "off_session",
        }, cancellationToken: Cancel);

        PaymentMethod saved = Assert.Single(await world.V1.Customers.PaymentMethods.ListAsync(customer.Id, cancellationToken: Cancel));
        Assert.Equal("succeeded", (await world.Charge(customer, saved, currency: "eur")).Status);
    }
}
