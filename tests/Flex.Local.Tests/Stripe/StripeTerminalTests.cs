using Flex.Local.Simulators.Stripe;
using Stripe;
using Stripe.Terminal;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;
using PresentOptions = Stripe.TestHelpers.Terminal.ReaderPresentPaymentMethodOptions;

namespace Flex.Local.Tests.Stripe;

public sealed class StripeTerminalTests : IDisposable
{
    private readonly StripeTestWorld world = new();

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData("simulated-wpe", "simulated_wisepos_e")]
    [InlineData("simulated-s700", "simulated_stripe_s700")]
    public async Task A_tap_pays_the_intent_and_reports_the_action(string code, string device)
    {
        Reader reader = await NewReader(code);
        Assert.Equal((device, "online"), (reader.DeviceType, reader.Status));
        PaymentIntent intent = await InPerson();

        reader = await world.V1.Terminal.Readers.ProcessPaymentIntentAsync(reader.Id, new ReaderProcessPaymentIntentOptions { PaymentIntent = intent.Id },
            cancellationToken: Cancel);
        Assert.Equal(("process_payment_intent", "in_progress", intent.Id), (reader.Action.Type, reader.Action.Status,
            reader.Action.ProcessPaymentIntent.PaymentIntentId));
        Assert.Equal("requires_payment_method", (await world.V1.PaymentIntents.GetAsync(intent.Id, cancellationToken: Cancel)).Status);
        reader = await Present(reader);

        Assert.Equal("succeeded", reader.Action.Status);
        intent = await world.V1.PaymentIntents.GetAsync(intent.Id, new PaymentIntentGetOptions { Expand = ["latest_charge"] }, cancellationToken: Cancel);
        Assert.Equal("succeeded", intent.Status);
        Assert.Equal(reader.Id, intent.LatestCharge.PaymentMethodDetails.CardPresent.Reader);
        await world.Settle();
        Event last = world.Receiver.Received.Last().Event;
        Assert.Equal("terminal.reader.action_succeeded", last.Type);
        Assert.Equal(reader.Id, ((Reader)last.Data.Object).Id);
    }

    [Fact]
    public async Task A_declined_tap_leaves_the_intent_to_be_tried_again_on_the_same_reader()
    {
        Reader reader = await NewReader();
        PaymentIntent intent = await InPerson();
        await world.V1.Terminal.Readers.ProcessPaymentIntentAsync(reader.Id, new ReaderProcessPaymentIntentOptions { PaymentIntent = intent.Id },
            cancellationToken: Cancel);

        reader = await Present(reader, "4000000000009995");
        Assert.Equal(("failed", "insufficient_funds"), (reader.Action.Status, reader.Action.FailureCode));
        Assert.Equal("card_error", reader.Action.ApiError.Type);
        Assert.Equal("requires_payment_method", (await world.V1.PaymentIntents.GetAsync(intent.Id, cancellationToken: Cancel)).Status);
        await world.V1.Terminal.Readers.ProcessPaymentIntentAsync(reader.Id, new ReaderProcessPaymentIntentOptions { PaymentIntent = intent.Id },
            cancellationToken: Cancel);
        reader = await Present(reader);

        Assert.Equal("succeeded", reader.Action.Status);
        await world.Settle();
        Assert.Contains("terminal.reader.action_failed", world.Receiver.Types);
        Assert.Equal(2, world.Simulator.Audit().Charges.Count);
    }

    [Fact]
    public async Task A_card_saved_on_the_reader_is_charged_online_later()
    {
        Reader reader = await NewReader();
        Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);
        SetupIntent setup = await world.V1.SetupIntents.CreateAsync(new SetupIntentCreateOptions
        {
            Customer = customer.Id,
            AllowedPaymentMethodTypes = ["card_present"],
            Usage = "off_session",
        }, cancellationToken: Cancel);
        await world.V1.Terminal.Readers.ProcessSetupIntentAsync(reader.Id, new ReaderProcessSetupIntentOptions
        {
            SetupIntent = setup.Id,
            AllowRedisplay = "limited"
        }, cancellationToken: Cancel);

        reader = await Present(reader);

        setup = await world.V1.SetupIntents.GetAsync(setup.Id, new SetupIntentGetOptions { Expand = ["latest_attempt"] }, cancellationToken: Cancel);
        string generated = setup.LatestAttempt.PaymentMethodDetails.CardPresent.GeneratedCardId;
        Assert.Equal(generated, reader.Action.ProcessSetupIntent.GeneratedCard);
        PaymentMethod saved = await world.V1.PaymentMethods.AttachAsync(generated, new PaymentMethodAttachOptions { Customer = customer.Id },
            cancellationToken: Cancel);
        Assert.Equal(("card", setup.LatestAttemptId), (saved.Type, saved.Card.GeneratedFrom.SetupAttemptId));
        Assert.Equal("succeeded", (await world.Charge(customer, saved)).Status);
    }

    [Fact]
    public async Task A_tap_with_future_usage_leaves_a_generated_card()
    {
        Reader reader = await NewReader();
        Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);
        PaymentIntent intent = await InPerson(customer.Id);
        await world.V1.Terminal.Readers.ProcessPaymentIntentAsync(reader.Id, new ReaderProcessPaymentIntentOptions { PaymentIntent = intent.Id },
            cancellationToken: Cancel);

        await Present(reader);

        intent = await world.V1.PaymentIntents.GetAsync(intent.Id, new PaymentIntentGetOptions { Expand = ["latest_charge"] }, cancellationToken: Cancel);
        string generated = intent.LatestCharge.PaymentMethodDetails.CardPresent.GeneratedCard;
        Assert.Equal(customer.Id, (await world.V1.PaymentMethods.GetAsync(generated, cancellationToken: Cancel)).CustomerId);
    }

    [Fact]
    public async Task A_display_silently_replaces_a_waiting_payment_and_a_cancelled_action_frees_the_reader()
    {
        Reader reader = await NewReader();
        PaymentIntent intent = await InPerson();
        await world.V1.Terminal.Readers.ProcessPaymentIntentAsync(reader.Id, new ReaderProcessPaymentIntentOptions { PaymentIntent = intent.Id },
            cancellationToken: Cancel);

        reader = await world.V1.Terminal.Readers.SetReaderDisplayAsync(reader.Id, new ReaderSetReaderDisplayOptions
        {
            Type = "cart",
            Cart = new ReaderCartOptions
            {
                Currency = "usd",
                Total = 500,
                Tax = 80,
                LineItems = [new ReaderCartLineItemOptions { Amount = 420, Description = "Day pass", Quantity = 1 }],
            },
        }, cancellationToken: Cancel);
        Assert.Equal(("set_reader_display", "in_progress", 420L), (reader.Action.Type, reader.Action.Status,
            reader.Action.SetReaderDisplay.Cart.LineItems[0].Amount));
        await Assert.ThrowsAsync<StripeException>(() => Present(reader));
        reader = await world.V1.Terminal.Readers.CancelActionAsync(reader.Id, cancellationToken: Cancel);

        Assert.Null(reader.Action);
        Assert.Equal("requires_payment_method", (await world.V1.PaymentIntents.GetAsync(intent.Id, cancellationToken: Cancel)).Status);
    }

    [Theory]
    [InlineData("status=offline", "terminal_reader_offline")]
    [InlineData("busy=true", "terminal_reader_busy")]
    public async Task A_reader_that_is_away_or_busy_refuses_commands(string state, string code)
    {
        Reader reader = await NewReader();
        PaymentIntent intent = await InPerson();
        world.Control("readers/" + reader.Id, state);

        StripeException refused = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.Terminal.Readers.ProcessPaymentIntentAsync(reader.Id, new ReaderProcessPaymentIntentOptions { PaymentIntent = intent.Id },
                cancellationToken: Cancel));

        Assert.Equal(("invalid_request_error", code), (refused.StripeError.Type, refused.StripeError.Code));
    }

    [Fact]
    public async Task A_paid_intent_is_not_processed_again()
    {
        Reader reader = await NewReader();
        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        PaymentIntent paid = await world.Charge(customer, method);

        StripeException refused = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.Terminal.Readers.ProcessPaymentIntentAsync(reader.Id, new ReaderProcessPaymentIntentOptions { PaymentIntent = paid.Id },
                cancellationToken: Cancel));

        Assert.Equal("intent_invalid_state", refused.StripeError.Code);
    }

    [Fact]
    public async Task A_refund_can_be_made_on_the_reader()
    {
        Reader reader = await NewReader();
        PaymentIntent intent = await InPerson();
        await world.V1.Terminal.Readers.ProcessPaymentIntentAsync(reader.Id, new ReaderProcessPaymentIntentOptions { PaymentIntent = intent.Id },
            cancellationToken: Cancel);
        await Present(reader);

        await world.V1.Terminal.Readers.RefundPaymentAsync(reader.Id, new ReaderRefundPaymentOptions { PaymentIntent = intent.Id, Amount = 300 },
            cancellationToken: Cancel);
        reader = await Present(reader);

        Assert.Equal("succeeded", reader.Action.Status);
        Assert.Equal(300, Assert.Single(await world.V1.Refunds.ListAsync(new RefundListOptions { PaymentIntent = intent.Id },
            cancellationToken: Cancel)).Amount);
    }

    [Fact]
    public async Task Locations_and_readers_are_kept_listed_and_deleted()
    {
        Reader first = await NewReader("simulated-wpe");
        Reader second = await NewReader("simulated-s700");
        await world.V1.Terminal.Readers.UpdateAsync(first.Id, new ReaderUpdateOptions { Label = "Front desk" }, cancellationToken: Cancel);

        StripeList<Reader> atSecond = await world.V1.Terminal.Readers.ListAsync(new ReaderListOptions { Location = second.LocationId },
            cancellationToken: Cancel);
        Assert.Equal(second.Id, Assert.Single(atSecond).Id);
        Assert.Equal("Front desk", (await world.V1.Terminal.Readers.GetAsync(first.Id, cancellationToken: Cancel)).Label);
        Assert.True((await world.V1.Terminal.Locations.DeleteAsync(first.LocationId, cancellationToken: Cancel)).Deleted);
        StripeException gone = await Assert.ThrowsAsync<StripeException>(() => world.V1.Terminal.Readers.GetAsync(first.Id, cancellationToken: Cancel));
        Assert.Equal("resource_missing", gone.StripeError.Code);
        StripeException code = await Assert.ThrowsAsync<StripeException>(() =>
            world.V1.Terminal.Readers.CreateAsync(new ReaderCreateOptions { RegistrationCode = "nonsense", Location = second.LocationId },
                cancellationToken: Cancel));
        Assert.Equal("registration_code", code.StripeError.Param);
    }

    private async Task<Reader> NewReader(string code = "simulated-wpe")
    {
        Location location = await world.V1.Terminal.Locations.CreateAsync(new LocationCreateOptions
        {
            DisplayName = "Kallio",
            Address = new AddressOptions { Line1 = "Street 1", City = "Helsinki", Country = "FI", PostalCode = "00530" },
        });
        return await world.V1.Terminal.Readers.CreateAsync(new ReaderCreateOptions { RegistrationCode = code, Location = location.Id, Label = "Desk" });
    }

    private Task<PaymentIntent> InPerson(string? customer = null) => world.V1.PaymentIntents.CreateAsync(new PaymentIntentCreateOptions
    {
        Amount = 1800,
        Currency = "eur",
        Customer = customer,
        AllowedPaymentMethodTypes = ["card_present"],
        SetupFutureUsage = customer is null ? null : "off_session",
    });

    private Task<Reader> Present(Reader reader, string? number = null) => world.V1.TestHelpers.Terminal.Readers.PresentPaymentMethodAsync(reader.Id,
        number is null ? new PresentOptions() : new PresentOptions
        {
            Type = "card_present",
            CardPresent = new global::Stripe.TestHelpers.Terminal.ReaderCardPresentOptions { Number = number },
        });
}
