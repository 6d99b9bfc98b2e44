namespace Flex.Local.Simulators.Stripe;

/// <summary>The life of a setup intent: saving a method for later without charging it.</summary>
internal sealed class Setups(StripeWorld world, PaymentMethods methods)
{
    private StripeStore Store => world.Store;

    /// <summary>Tries to set the method up; <see cref="SetupIntentRow.LastError"/> is set when that failed.</summary>
    public SetupIntentRow Confirm(SetupIntentRow setup, PaymentMethodRow method, Confirmation how)
    {
        PaymentMethods.RefuseForeign(method, setup.Customer);
        if (!setup.Types.Contains(method.Type))
        {
            throw StripeProblem.Invalid($"The PaymentMethod provided ({method.Type}) is not allowed for this SetupIntent. Please attach a PaymentMethod " +
                $"of one of the following types: {string.Join(", ", setup.Types)}.", "payment_method", "setup_intent_incompatible_payment_method");
        }

        StripeTestMethod test = StripeTestMethods.Of(method);
        setup = setup with { PaymentMethod = method.Id, LastError = null };
        if (method.Type == "us_bank_account")
        {
            MandateRow? mandate = how.Acceptance is { } acceptance
                ? methods.CreateMandate(method, acceptance, singleUse: false)
                : methods.ActiveMandate(method.Id);
            if (mandate is null && world.Options.RequireMandates)
            {
                throw StripeProblem.Invalid("This SetupIntent requires a mandate. Collect mandate acceptance from the customer and retry the request, " +
                    "providing acceptance data in the mandate_data parameter.", "mandate_data", "setup_intent_mandate_invalid");
            }

            return Succeed(setup with { Mandate = mandate?.Id }, method, how);
        }

        if (test.Authentication != StripeAuthentication.Never && !how.Authenticated && how.Reader is null)
        {
            SetupAttemptRow attempt = Attempt(setup, method, "requires_action");
            setup = Store.SetupIntents.Put(setup with { Status = PaymentStatus.RequiresAction, LatestAttempt = attempt.Id });
            world.Emit("setup_intent.requires_action", setup);
            return setup;
        }

        return test.AttachFails ? Fail(setup, method, test.Failure!) : Succeed(setup, method, how);
    }

    public SetupIntentRow Authenticate(SetupIntentRow setup, bool success)
    {
        PaymentMethodRow method = Store.PaymentMethods.Get(setup.PaymentMethod!);
        return success
            ? Confirm(setup, method, new Confirmation(OffSession: false) { Authenticated = true })
            : Fail(setup, method, new StripeFailure("setup_intent_authentication_failure",
                "The latest attempt to set up the payment method has failed because authentication failed.")
            { Type = "invalid_request_error" });
    }

    public SetupIntentRow Cancel(SetupIntentRow setup, string? reason)
    {
        setup = Store.SetupIntents.Put(setup with { Status = PaymentStatus.Canceled, CancellationReason = reason });
        world.Emit("setup_intent.canceled", setup);
        return setup;
    }

    private SetupIntentRow Succeed(SetupIntentRow setup, PaymentMethodRow method, Confirmation how)
    {
        CustomerRow? customer = Store.Customers.Find(setup.Customer);
        SetupAttemptRow attempt = Attempt(setup, method, "succeeded");
        if (how.Reader is not null)
        {
            PaymentMethodRow generated = Store.PaymentMethods.Put(methods.Create(StripeTestMethods.Of(method), "card") with
            {
                GeneratedFromAttempt = attempt.Id,
                SetUp = true,
                AllowRedisplay = method.AllowRedisplay,
            });
            Store.SetupAttempts.Put(attempt with { GeneratedCard = generated.Id });
            method = generated;
        }

        if (customer is not null)
        {
            (method, StripeFailure? failure) = methods.Attach(method, customer);
            if (failure is not null)
            {
                return Fail(setup, method, failure);
            }
        }

        Store.PaymentMethods.Put(method with { SetUp = true });
        setup = Store.SetupIntents.Put(setup with { Status = PaymentStatus.Succeeded, LatestAttempt = attempt.Id });
        world.Emit("setup_intent.succeeded", setup);
        return setup;
    }

    private SetupIntentRow Fail(SetupIntentRow setup, PaymentMethodRow method, StripeFailure cause)
    {
        StripeFailure failure = cause with { PaymentMethod = method.Id };
        SetupAttemptRow attempt = Store.SetupAttempts.Put(Attempt(setup, method, "failed") with { Error = failure });
        setup = Store.SetupIntents.Put(setup with
        {
            Status = PaymentStatus.RequiresPaymentMethod,
            PaymentMethod = null,
            LatestAttempt = attempt.Id,
            LastError = failure,
        });
        world.Emit("setup_intent.setup_failed", setup);
        return setup;
    }

    private SetupAttemptRow Attempt(SetupIntentRow setup, PaymentMethodRow method, string status) => Store.SetupAttempts.Put(new SetupAttemptRow
    {
        Id = world.NewId("setatt"),
        Created = world.Seconds,
        SetupIntent = setup.Id,
        PaymentMethod = method.Id,
        Status = status,
        Customer = setup.Customer,
        Usage = setup.Usage,
    });
}
