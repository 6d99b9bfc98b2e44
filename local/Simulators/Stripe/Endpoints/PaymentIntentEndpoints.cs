using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary><c>/v1/payment_intents</c>.</summary>
internal sealed class PaymentIntentEndpoints(StripeWorld world, PaymentMethods methods, Payments payments)
{
    private StripeStore Store => world.Store;

    public void Map(StripeRoutes routes)
    {
        routes.Map("POST", "/v1/payment_intents", Create);
        routes.Map("GET", "/v1/payment_intents", List);
        routes.Map("GET", "/v1/payment_intents/{id}", Get);
        routes.Map("POST", "/v1/payment_intents/{id}", Update);
        routes.Map("POST", "/v1/payment_intents/{id}/confirm", Confirm);
        routes.Map("POST", "/v1/payment_intents/{id}/capture", Capture);
        routes.Map("POST", "/v1/payment_intents/{id}/cancel", Cancel);
    }

    public static PaymentIntentRow Find(StripeStore store, string id, string param = "intent", int status = 404) =>
        store.PaymentIntents.Find(id) ?? throw StripeProblem.Missing("payment_intent", id, param, status);

    private JsonObject Create(StripeCall call)
    {
        StripeParams p = call.Params;
        long amount = p.RequiredWhole("amount");
        string currency = p.Required("currency").ToLowerInvariant();
        string? customer = p.Text("customer");
        IReadOnlyList<string>? types = IntentParams.Types(p);
        bool confirm = p.Flag("confirm") ?? false;
        ConfirmParams how = ConfirmParams.Read(p, confirm);
        var intent = new PaymentIntentRow
        {
            Id = world.NewId("pi"),
            Created = world.Seconds,
            Amount = amount,
            Currency = currency,
            Status = PaymentStatus.RequiresPaymentMethod,
            Secret = string.Empty,
            Types = types ?? IntentParams.AutomaticTypes(currency),
            Automatic = types is null,
            Customer = customer,
        };
        intent = Read(p, intent) with { Secret = world.Secret(intent.Id) };
        p.Ignore("automatic_payment_methods", "confirmation_token", "hooks", "on_behalf_of", "radar_options", "mandate");
        p.RejectOthers();

        StripeAmounts.Check(amount, currency);
        if (customer is not null)
        {
            CustomerEndpoints.Find(Store, customer, "customer");
        }

        PaymentMethodRow? method = how.Method(methods);
        if (method is not null)
        {
            PaymentMethods.RefuseForeign(method, customer);
            intent = intent with { PaymentMethod = method.Id, Status = PaymentStatus.RequiresConfirmation };
        }

        intent = Store.PaymentIntents.Put(intent);
        world.Emit("payment_intent.created", intent);
        return confirm ? Confirmed(intent, method, how) : world.Render.Object(intent);
    }

    private JsonObject Confirm(StripeCall call)
    {
        PaymentIntentRow intent = Find(Store, call.Id);
        StripeParams p = call.Params;
        IntentParams.CheckSecret(p, intent.Secret);
        ConfirmParams how = ConfirmParams.Read(p, confirm: true);
        intent = Read(p, intent);
        IReadOnlyList<string>? types = IntentParams.Types(p);
        intent = types is null ? intent : intent with { Types = types, Automatic = false };
        p.Ignore("amount_to_confirm", "confirmation_token", "hooks", "radar_options", "mandate");
        p.RejectOthers();
        RequireStatus(intent, "confirm", PaymentStatus.RequiresPaymentMethod, PaymentStatus.RequiresConfirmation, PaymentStatus.RequiresAction);
        PaymentMethodRow? method = how.Method(methods) ?? Store.PaymentMethods.Find(intent.PaymentMethod);
        return Confirmed(intent, method, how);
    }

    private JsonObject Confirmed(PaymentIntentRow intent, PaymentMethodRow? method, ConfirmParams how)
    {
        if (method is null)
        {
            throw Unexpected(intent, "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent " +
                "with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.");
        }

        intent = payments.Confirm(intent, method, how.How);
        return intent.LastError is not { } failure ? world.Render.Object(intent)
            : throw new StripeProblem(402, failure.Type, failure.Message)
            {
                Failure = failure,
                PaymentIntent = world.Render.Object(intent),
                PaymentMethod = world.Render.Object(method),
                Keep = true,
            };
    }

    private JsonObject Update(StripeCall call)
    {
        PaymentIntentRow before = Find(Store, call.Id);
        StripeParams p = call.Params;
        string? methodId = p.Text("payment_method");
        PaymentIntentRow intent = Read(p, before);
        long amount = p.Whole("amount") ?? before.Amount;
        string currency = p.Text("currency")?.ToLowerInvariant() ?? before.Currency;
        string? customer = p.Text("customer") ?? before.Customer;
        IReadOnlyList<string>? types = IntentParams.Types(p);
        p.RejectOthers();

        bool open = before.Status is PaymentStatus.RequiresPaymentMethod or PaymentStatus.RequiresConfirmation or PaymentStatus.RequiresAction;
        if (!open && (amount != before.Amount || currency != before.Currency || methodId is not null || customer != before.Customer))
        {
            throw Unexpected(before, $"This PaymentIntent's amount, currency, customer or payment method could not be updated " +
                $"because it has a status of {before.Status}.");
        }

        StripeAmounts.Check(amount, currency);
        intent = intent with { Amount = amount, Currency = currency, Types = types ?? intent.Types };
        if (customer is not null)
        {
            intent = intent with { Customer = CustomerEndpoints.Find(Store, customer, "customer").Id };
        }

        if (methodId is not null)
        {
            PaymentMethodRow method = methods.Resolve(methodId, "payment_method");
            PaymentMethods.RefuseForeign(method, intent.Customer);
            intent = intent with { PaymentMethod = method.Id, Status = PaymentStatus.RequiresConfirmation };
        }

        return world.Render.Object(Store.PaymentIntents.Put(intent));
    }

    private JsonObject Get(StripeCall call)
    {
        PaymentIntentRow intent = Find(Store, call.Id);
        IntentParams.CheckSecret(call.Params, intent.Secret);
        call.Params.RejectOthers();
        return world.Render.Object(intent);
    }

    private JsonObject List(StripeCall call)
    {
        string? customer = call.Params.Text("customer");
        return StripePages.Page(world, call, Store.PaymentIntents, customer is null ? null : "customer", customer);
    }

    private JsonObject Capture(StripeCall call)
    {
        PaymentIntentRow intent = Find(Store, call.Id);
        long? amount = call.Params.Whole("amount_to_capture");
        Dictionary<string, string> metadata = call.Params.Metadata(intent.Metadata);
        call.Params.Ignore("final_capture", "statement_descriptor", "statement_descriptor_suffix", "amount_details", "payment_details", "hooks");
        call.Params.RejectOthers();
        RequireStatus(intent, "capture", PaymentStatus.RequiresCapture);
        return world.Render.Object(payments.Capture(intent with { Metadata = metadata }, amount));
    }

    private JsonObject Cancel(StripeCall call)
    {
        PaymentIntentRow intent = Find(Store, call.Id);
        string? reason = call.Params.OneOf("cancellation_reason", "duplicate", "fraudulent", "requested_by_customer", "abandoned");
        call.Params.RejectOthers();
        bool debit = Store.Charges.Find(intent.LatestCharge) is { Status: "pending" };
        if (!(intent.Status == PaymentStatus.Processing && debit))
        {
            RequireStatus(intent, "cancel", PaymentStatus.RequiresPaymentMethod, PaymentStatus.RequiresCapture, PaymentStatus.RequiresConfirmation,
                PaymentStatus.RequiresAction);
        }

        return world.Render.Object(payments.Cancel(intent, reason));
    }

    /// <summary>The fields that create, update and confirm may all set.</summary>
    private static PaymentIntentRow Read(StripeParams p, PaymentIntentRow intent)
    {
        p.Ignore("amount_details", "excluded_payment_method_types", "payment_details", "payment_method_configuration", "use_stripe_sdk");
        return intent with
        {
            CaptureMethod = p.OneOf("capture_method", "automatic", "automatic_async", "manual") ?? intent.CaptureMethod,
            ConfirmationMethod = p.OneOf("confirmation_method", "automatic", "manual") ?? intent.ConfirmationMethod,
            Description = p.Has("description") ? p.Text("description") : intent.Description,
            ReceiptEmail = p.Has("receipt_email") ? p.Text("receipt_email") : intent.ReceiptEmail,
            SetupFutureUsage = p.Has("setup_future_usage") ? p.OneOf("setup_future_usage", "off_session", "on_session") : intent.SetupFutureUsage,
            StatementDescriptor = p.Has("statement_descriptor") ? p.Text("statement_descriptor") : intent.StatementDescriptor,
            StatementDescriptorSuffix = p.Has("statement_descriptor_suffix") ? p.Text("statement_descriptor_suffix") : intent.StatementDescriptorSuffix,
            TransferGroup = p.Has("transfer_group") ? p.Text("transfer_group") : intent.TransferGroup,
            Shipping = p.Has("shipping") ? p.Object("shipping") : intent.Shipping,
            Options = p.Has("payment_method_options") ? p.Object("payment_method_options") : intent.Options,
            ReturnUrl = p.Text("return_url") ?? intent.ReturnUrl,
            Metadata = p.Metadata(intent.Metadata),
        };
    }

    private void RequireStatus(PaymentIntentRow intent, string verb, params ReadOnlySpan<string> allowed)
    {
        if (!allowed.Contains(intent.Status))
        {
            throw Unexpected(intent, $"You cannot {verb} this PaymentIntent because it has a status of {intent.Status}.");
        }
    }

    private StripeProblem Unexpected(PaymentIntentRow intent, string message) => new(400, "invalid_request_error", message)
    {
        Code = "payment_intent_unexpected_state",
        PaymentIntent = world.Render.Object(intent),
    };
}
