using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary><c>/v1/setup_intents</c> and <c>/v1/setup_attempts</c>.</summary>
internal sealed class SetupIntentEndpoints(StripeWorld world, PaymentMethods methods, Setups setups)
{
    private StripeStore Store => world.Store;

    public void Map(StripeRoutes routes)
    {
        routes.Map("POST", "/v1/setup_intents", Create);
        routes.Map("GET", "/v1/setup_intents", List);
        routes.Map("GET", "/v1/setup_intents/{id}", Get);
        routes.Map("POST", "/v1/setup_intents/{id}", Update);
        routes.Map("POST", "/v1/setup_intents/{id}/confirm", Confirm);
        routes.Map("POST", "/v1/setup_intents/{id}/cancel", Cancel);
        routes.Map("GET", "/v1/setup_attempts", ListAttempts);
    }

    public static SetupIntentRow Find(StripeStore store, string id, string param = "intent", int status = 404) =>
        store.SetupIntents.Find(id) ?? throw StripeProblem.Missing("setup_intent", id, param, status);

    private JsonObject Create(StripeCall call)
    {
        StripeParams p = call.Params;
        string? customer = p.Text("customer");
        IReadOnlyList<string>? types = IntentParams.Types(p);
        bool confirm = p.Flag("confirm") ?? false;
        ConfirmParams how = ConfirmParams.Read(p, confirm);
        var setup = new SetupIntentRow
        {
            Id = world.NewId("seti"),
            Created = world.Seconds,
            Status = PaymentStatus.RequiresPaymentMethod,
            Secret = string.Empty,
            Types = types ?? IntentParams.AutomaticTypes(null),
            Automatic = types is null,
            Customer = customer,
            Usage = p.OneOf("usage", "off_session", "on_session") ?? "off_session",
        };
        setup = Read(p, setup) with { Secret = world.Secret(setup.Id) };
        p.Ignore("automatic_payment_methods", "confirmation_token", "on_behalf_of", "single_use");
        p.RejectOthers();
        if (customer is not null)
        {
            CustomerEndpoints.Find(Store, customer, "customer");
        }

        PaymentMethodRow? method = how.Method(methods);
        setup = method is null ? setup : setup with { PaymentMethod = method.Id, Status = PaymentStatus.RequiresConfirmation };
        setup = Store.SetupIntents.Put(setup);
        world.Emit("setup_intent.created", setup);
        return confirm ? Confirmed(setup, method, how) : world.Render.Object(setup);
    }

    private JsonObject Confirm(StripeCall call)
    {
        SetupIntentRow setup = Find(Store, call.Id);
        StripeParams p = call.Params;
        IntentParams.CheckSecret(p, setup.Secret);
        ConfirmParams how = ConfirmParams.Read(p, confirm: true);
        IReadOnlyList<string>? types = IntentParams.Types(p);
        setup = Read(p, types is null ? setup : setup with { Types = types, Automatic = false });
        p.Ignore("confirmation_token");
        p.RejectOthers();
        RequireOpen(setup, "confirm");
        return Confirmed(setup, how.Method(methods) ?? Store.PaymentMethods.Find(setup.PaymentMethod), how);
    }

    private JsonObject Confirmed(SetupIntentRow setup, PaymentMethodRow? method, ConfirmParams how)
    {
        if (method is null)
        {
            throw Unexpected(setup, "You cannot confirm this SetupIntent because it's missing a payment method.");
        }

        setup = setups.Confirm(setup, method, how.How);
        return setup.LastError is not { } failure ? world.Render.Object(setup)
            : throw new StripeProblem(402, failure.Type, failure.Message)
            {
                Failure = failure,
                SetupIntent = world.Render.Object(setup),
                PaymentMethod = world.Render.Object(method),
                Keep = true,
            };
    }

    private JsonObject Update(StripeCall call)
    {
        SetupIntentRow setup = Find(Store, call.Id);
        StripeParams p = call.Params;
        string? customer = p.Text("customer") ?? setup.Customer;
        string? method = p.Text("payment_method");
        IReadOnlyList<string>? types = IntentParams.Types(p);
        setup = Read(p, setup) with { Customer = customer, Types = types ?? setup.Types };
        p.RejectOthers();
        RequireOpen(setup, "update");
        if (method is not null)
        {
            setup = setup with { PaymentMethod = methods.Resolve(method, "payment_method").Id, Status = PaymentStatus.RequiresConfirmation };
        }

        return world.Render.Object(Store.SetupIntents.Put(setup));
    }

    private JsonObject Get(StripeCall call)
    {
        SetupIntentRow setup = Find(Store, call.Id);
        IntentParams.CheckSecret(call.Params, setup.Secret);
        call.Params.RejectOthers();
        return world.Render.Object(setup);
    }

    private JsonObject List(StripeCall call)
    {
        string? customer = call.Params.Text("customer");
        string? method = call.Params.Text("payment_method");
        return StripePages.Page(world, call, Store.SetupIntents, customer is null ? null : "customer", customer,
            row => method is null || row.PaymentMethod == method);
    }

    private JsonObject ListAttempts(StripeCall call) =>
        StripePages.Page(world, call, Store.SetupAttempts, "setup_intent", call.Params.Required("setup_intent"));

    private JsonObject Cancel(StripeCall call)
    {
        SetupIntentRow setup = Find(Store, call.Id);
        string? reason = call.Params.OneOf("cancellation_reason", "abandoned", "requested_by_customer", "duplicate");
        call.Params.RejectOthers();
        RequireOpen(setup, "cancel");
        return world.Render.Object(setups.Cancel(setup, reason));
    }

    private static SetupIntentRow Read(StripeParams p, SetupIntentRow setup)
    {
        p.Ignore("excluded_payment_method_types", "flow_directions", "payment_method_configuration", "use_stripe_sdk");
        return setup with
        {
            Description = p.Has("description") ? p.Text("description") : setup.Description,
            Options = p.Has("payment_method_options") ? p.Object("payment_method_options") : setup.Options,
            ReturnUrl = p.Text("return_url") ?? setup.ReturnUrl,
            Metadata = p.Metadata(setup.Metadata),
        };
    }

    private void RequireOpen(SetupIntentRow setup, string verb)
    {
        if (setup.Status is not (PaymentStatus.RequiresPaymentMethod or PaymentStatus.RequiresConfirmation or PaymentStatus.RequiresAction))
        {
            throw Unexpected(setup, $"You cannot {verb} this SetupIntent because it has a status of {setup.Status}.");
        }
    }

    private StripeProblem Unexpected(SetupIntentRow setup, string message) => new(400, "invalid_request_error", message)
    {
        Code = "setup_intent_unexpected_state",
        SetupIntent = world.Render.Object(setup),
    };
}
