using System.Text.Json.Nodes;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>How an intent is confirmed. <see cref="Acceptance"/> is <c>mandate_data[customer_acceptance]</c>.</summary>
internal sealed record Confirmation(bool OffSession)
{
    public JsonObject? Acceptance { get; init; }

    public bool ErrorOnRequiresAction { get; init; }

    /// <summary>The customer just completed the authentication that the card asked for.</summary>
    public bool Authenticated { get; init; }

    public ReaderRow? Reader { get; init; }
}

/// <summary>The life of a payment intent: confirmation, authentication, settlement, capture, cancellation.</summary>
internal sealed class Payments(StripeWorld world, PaymentMethods methods)
{
    /// <summary>Card networks hold an authorisation for two days in person and seven online.</summary>
    public const long InPersonHoldSeconds = 2 * 86_400;
    private const long OnlineHoldSeconds = 7 * 86_400;

    private StripeStore Store => world.Store;

    /// <summary>
    /// Tries to pay. The returned intent says how it went; <see cref="PaymentIntentRow.LastError"/> is set when it failed.
    /// Throws only for requests Stripe refuses to execute.
    /// </summary>
    public PaymentIntentRow Confirm(PaymentIntentRow intent, PaymentMethodRow method, Confirmation how)
    {
        PaymentMethods.RefuseForeign(method, intent.Customer);
        if (!intent.Types.Contains(method.Type))
        {
            throw StripeProblem.Invalid($"The PaymentMethod provided ({method.Type}) is not allowed for this PaymentIntent. Please attach a PaymentMethod " +
                $"of one of the following types: {string.Join(", ", intent.Types)}.", "payment_method", "payment_intent_incompatible_payment_method");
        }

        intent = intent with { PaymentMethod = method.Id, LastError = null };
        if (method.Type == "us_bank_account")
        {
            return Debit(intent, method, how);
        }

        StripeTestMethod card = StripeTestMethods.Of(method);
        if (!how.Authenticated && how.Reader is null && Asks(card, method, how.OffSession))
        {
            if (how.OffSession || how.ErrorOnRequiresAction)
            {
                return Fail(intent, method, how, new StripeFailure("authentication_required",
                    "Your card was declined. This transaction requires authentication.")
                { DeclineCode = "authentication_required", NetworkDeclineCode = "1A" });
            }

            intent = Store.PaymentIntents.Put(intent with { Status = PaymentStatus.RequiresAction });
            world.Emit("payment_intent.requires_action", intent);
            return intent;
        }

        return card.Failure is { } failure ? Fail(intent, method, how, failure) : Succeed(intent, method, how);
    }

    /// <summary>The customer finished, or gave up, the authentication of an intent that requires action.</summary>
    public PaymentIntentRow Authenticate(PaymentIntentRow intent, bool success)
    {
        PaymentMethodRow method = Store.PaymentMethods.Get(intent.PaymentMethod!);
        if (success)
        {
            return Confirm(intent, method, new Confirmation(OffSession: false) { Authenticated = true });
        }

        intent = Store.PaymentIntents.Put(intent with
        {
            Status = PaymentStatus.RequiresPaymentMethod,
            PaymentMethod = null,
            LastError = new StripeFailure("payment_intent_authentication_failure",
                "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill " +
                "this PaymentIntent again.")
            { Type = "invalid_request_error", PaymentMethod = method.Id },
        });
        world.Emit("payment_intent.payment_failed", intent);
        return intent;
    }

    public PaymentIntentRow Capture(PaymentIntentRow intent, long? amount)
    {
        long captured = amount ?? intent.AmountCapturable;
        if (captured < 1 || captured > intent.AmountCapturable)
        {
            throw StripeProblem.Invalid($"The remaining amount that can be captured for this PaymentIntent is {intent.AmountCapturable}.",
                "amount_to_capture", "amount_too_large");
        }

        ChargeRow charge = Store.Charges.Get(intent.LatestCharge!);
        charge = Store.Charges.Put(charge with { Captured = true, AmountCaptured = captured, AmountRefunded = charge.Amount - captured });
        intent = Store.PaymentIntents.Put(intent with { Status = PaymentStatus.Succeeded, AmountCapturable = 0, AmountReceived = captured });
        world.Emit("charge.captured", charge);
        world.Emit("payment_intent.succeeded", intent);
        OpenDisputeLater(charge);
        return intent;
    }

    public PaymentIntentRow Cancel(PaymentIntentRow intent, string? reason)
    {
        if (Store.Charges.Find(intent.LatestCharge) is { } charge)
        {
            if (intent.Status == PaymentStatus.RequiresCapture)
            {
                charge = Store.Charges.Put(charge with { AmountRefunded = charge.Amount });
                world.Emit("charge.refunded", charge);
            }
            else if (charge.Status == "pending")
            {
                var canceled = new StripeFailure("payment_intent_canceled", "The payment was canceled.");
                charge = Store.Charges.Put(charge with { Status = "failed", Failure = canceled });
                world.Emit("charge.failed", charge);
            }
        }

        intent = Store.PaymentIntents.Put(intent with
        {
            Status = PaymentStatus.Canceled,
            AmountCapturable = 0,
            CanceledAt = world.Seconds,
            CancellationReason = reason,
        });
        world.Emit("payment_intent.canceled", intent);
        return intent;
    }

    /// <summary>The bank's answer to a debit; nothing when the intent was cancelled meanwhile.</summary>
    public void SettleDebit(string chargeId)
    {
        ChargeRow charge = Store.Charges.Get(chargeId);
        if (charge.Status != "pending")
        {
            return;
        }

        PaymentIntentRow intent = Store.PaymentIntents.Get(charge.PaymentIntent);
        PaymentMethodRow method = Store.PaymentMethods.Get(charge.PaymentMethod);
        if (StripeTestMethods.Of(method).Failure is { } cause)
        {
            StripeFailure failure = cause with { Charge = charge.Id, PaymentMethod = method.Id };
            charge = Store.Charges.Put(charge with { Status = "failed", Failure = failure });
            intent = Store.PaymentIntents.Put(intent with { Status = PaymentStatus.RequiresPaymentMethod, PaymentMethod = null, LastError = failure });
            world.Emit("charge.failed", charge);
            world.Emit("payment_intent.payment_failed", intent);
            if (failure.NetworkDeclineCode is { } code && code != "R01")
            {
                methods.Block(method, code);
            }

            return;
        }

        charge = Store.Charges.Put(charge with { Status = "succeeded", Captured = true, AmountCaptured = charge.Amount });
        intent = Store.PaymentIntents.Put(intent with { Status = PaymentStatus.Succeeded, AmountReceived = charge.Amount });
        world.Emit("charge.succeeded", charge);
        world.Emit("payment_intent.succeeded", intent);
        OpenDisputeLater(charge);
    }

    /// <summary>An authorisation that nobody captured in time is released.</summary>
    public void ExpireAuthorization(string intentId)
    {
        PaymentIntentRow intent = Store.PaymentIntents.Get(intentId);
        if (intent.Status == PaymentStatus.RequiresCapture)
        {
            world.Emit("charge.expired", Store.Charges.Get(intent.LatestCharge!));
            Cancel(intent, "automatic");
        }
    }

    private static bool Asks(StripeTestMethod card, PaymentMethodRow method, bool offSession) => card.Authentication switch
    {
        StripeAuthentication.Always => true,
        StripeAuthentication.UnlessSetUp => !(offSession && method.SetUp),
        StripeAuthentication.OnSessionOnly => !offSession,
        _ => false,
    };

    private PaymentIntentRow Debit(PaymentIntentRow intent, PaymentMethodRow method, Confirmation how)
    {
        if (intent.Currency != "usd")
        {
            throw StripeProblem.Invalid($"The currency provided ({intent.Currency}) is invalid for payments with us_bank_account.", "currency",
                "payment_intent_invalid_currency");
        }

        MandateRow? mandate = how.Acceptance is { } acceptance
            ? methods.CreateMandate(method, acceptance, singleUse: intent.SetupFutureUsage is null)
            : methods.ActiveMandate(method.Id);
        if (mandate is null && world.Options.RequireMandates)
        {
            throw StripeProblem.Invalid("This PaymentIntent requires a mandate, but no existing mandate was found. Collect mandate acceptance " +
                "from the customer and retry the request, providing acceptance data in the mandate_data parameter.",
                "mandate_data", "payment_intent_mandate_invalid");
        }

        ChargeRow charge = Store.Charges.Put(NewCharge(intent, method, how, "py") with { Status = "pending", Mandate = mandate?.Id });
        intent = Store.PaymentIntents.Put(intent with { Status = PaymentStatus.Processing, LatestCharge = charge.Id, Mandate = mandate?.Id });
        world.Emit("charge.pending", charge);
        world.Emit("payment_intent.processing", intent);
        Keep(intent, method);
        if (!StripeTestMethods.Of(method).NeverSettles)
        {
            world.Later(StripeWorkKinds.SettleDebit, charge.Id, world.BankSettlement());
        }

        return intent;
    }

    private PaymentIntentRow Fail(PaymentIntentRow intent, PaymentMethodRow method, Confirmation how, StripeFailure cause)
    {
        ChargeRow charge = NewCharge(intent, method, how, "ch");
        StripeFailure failure = cause with { Charge = charge.Id, PaymentMethod = method.Id };
        charge = Store.Charges.Put(charge with { Status = "failed", Failure = failure });
        intent = Store.PaymentIntents.Put(intent with
        {
            Status = PaymentStatus.RequiresPaymentMethod,
            PaymentMethod = null,
            LatestCharge = charge.Id,
            LastError = failure,
        });
        world.Emit("charge.failed", charge);
        world.Emit("payment_intent.payment_failed", intent);
        return intent;
    }

    private PaymentIntentRow Succeed(PaymentIntentRow intent, PaymentMethodRow method, Confirmation how)
    {
        bool hold = intent.CaptureMethod == "manual";
        ChargeRow charge = NewCharge(intent, method, how, "ch");
        if (how.Reader is not null && intent is { SetupFutureUsage: not null, Customer: { } customer })
        {
            PaymentMethodRow generated = methods.Create(StripeTestMethods.Of(method), "card") with { GeneratedFromCharge = charge.Id, SetUp = true };
            charge = charge with { GeneratedCard = generated.Id };
            Store.Charges.Put(charge);
            Store.PaymentMethods.Put(generated);
            methods.Attach(generated, Store.Customers.Get(customer));
        }

        charge = Store.Charges.Put(charge with { Status = "succeeded", Captured = !hold, AmountCaptured = hold ? 0 : charge.Amount });
        intent = Store.PaymentIntents.Put(intent with
        {
            Status = hold ? PaymentStatus.RequiresCapture : PaymentStatus.Succeeded,
            LatestCharge = charge.Id,
            AmountCapturable = hold ? charge.Amount : 0,
            AmountReceived = hold ? 0 : charge.Amount,
        });
        world.Emit("charge.succeeded", charge);
        world.Emit(hold ? "payment_intent.amount_capturable_updated" : "payment_intent.succeeded", intent);
        Keep(intent, method);
        if (hold)
        {
            world.Later(StripeWorkKinds.ExpireAuthorization, intent.Id,
                world.Now + Duration.FromSeconds(how.Reader is null ? OnlineHoldSeconds : InPersonHoldSeconds));
        }
        else
        {
            OpenDisputeLater(charge);
        }

        return intent;
    }

    /// <summary>A method used once without a customer is used up; <c>setup_future_usage</c> attaches it instead.</summary>
    private void Keep(PaymentIntentRow intent, PaymentMethodRow method)
    {
        if (method.Type != "card_present" && intent is { SetupFutureUsage: not null, Customer: { } customer })
        {
            (method, _) = methods.Attach(method, Store.Customers.Get(customer));
            Store.PaymentMethods.Put(method with { SetUp = true });
        }
        else
        {
            methods.Consume(method);
        }
    }

    private void OpenDisputeLater(ChargeRow charge)
    {
        if (StripeTestMethods.Of(Store.PaymentMethods.Get(charge.PaymentMethod)).Dispute is not null)
        {
            world.Later(StripeWorkKinds.OpenDispute, charge.Id, world.Now + world.Options.DisputeDelay);
        }
    }

    private ChargeRow NewCharge(PaymentIntentRow intent, PaymentMethodRow method, Confirmation how, string prefix) => new()
    {
        Id = world.NewId(prefix),
        Created = world.Seconds,
        Amount = intent.Amount + (intent.Tip ?? 0),
        Currency = intent.Currency,
        Status = "failed",
        PaymentIntent = intent.Id,
        PaymentMethod = method.Id,
        Customer = intent.Customer,
        Metadata = intent.Metadata,
        Description = intent.Description,
        ReceiptEmail = intent.ReceiptEmail,
        StatementDescriptor = intent.StatementDescriptor,
        StatementDescriptorSuffix = intent.StatementDescriptorSuffix,
        TransferGroup = intent.TransferGroup,
        Shipping = (JsonObject?)intent.Shipping?.DeepClone(),
        Authenticated = how.Authenticated,
        Reader = how.Reader?.Id,
        Location = how.Reader?.Location,
    };
}
