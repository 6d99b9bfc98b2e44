using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary><c>/v1/payment_methods</c> and <c>/v1/mandates</c>.</summary>
internal sealed class PaymentMethodEndpoints(StripeWorld world, PaymentMethods methods)
{
    private StripeStore Store => world.Store;

    public void Map(StripeRoutes routes)
    {
        routes.Map("POST", "/v1/payment_methods", Create);
        routes.Map("GET", "/v1/payment_methods", List);
        routes.Map("GET", "/v1/payment_methods/{id}", Get);
        routes.Map("POST", "/v1/payment_methods/{id}", Update);
        routes.Map("POST", "/v1/payment_methods/{id}/attach", Attach);
        routes.Map("POST", "/v1/payment_methods/{id}/detach", Detach);
        routes.Map("GET", "/v1/mandates/{id}", GetMandate);
    }

    private JsonObject Create(StripeCall call) => world.Render.Object(methods.Create(call.Params));

    private JsonObject Get(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Object(Store.PaymentMethods.Find(call.Id) ?? methods.Resolve(call.Id, "payment_method"));
    }

    private JsonObject List(StripeCall call)
    {
        string? customer = call.Params.Text("customer");
        string? type = call.Params.Text("type");
        string? redisplay = call.Params.Text("allow_redisplay");
        if (customer is null)
        {
            return StripePages.Page(world, call, Store.PaymentMethods, where: static _ => false);
        }

        return StripePages.Page(world, call, Store.PaymentMethods, "customer", CustomerEndpoints.Find(Store, customer, "customer").Id,
            method => (type is null || method.Type == type) && (redisplay is null || method.AllowRedisplay == redisplay));
    }

    private JsonObject Update(StripeCall call)
    {
        PaymentMethodRow before = methods.Find(call.Id);
        StripeParams p = call.Params;
        StripeParams? card = p.Nested("card");
        PaymentMethodRow after = before with
        {
            AllowRedisplay = p.OneOf("allow_redisplay", "always", "limited", "unspecified") ?? before.AllowRedisplay,
            BillingDetails = p.Has("billing_details") ? p.Object("billing_details") : before.BillingDetails,
            ExpMonth = (int)(card?.Whole("exp_month") ?? before.ExpMonth),
            ExpYear = (int)(card?.Whole("exp_year") ?? before.ExpYear),
            Metadata = p.Metadata(before.Metadata),
        };
        card?.Ignore("networks");
        card?.RejectOthers();
        p.Ignore("us_bank_account");
        p.RejectOthers();
        after = Store.PaymentMethods.Put(after);
        world.EmitChange("payment_method.updated", before, after);
        return world.Render.Object(after);
    }

    private JsonObject Attach(StripeCall call)
    {
        string customer = call.Params.Required("customer");
        call.Params.RejectOthers();
        CustomerRow owner = CustomerEndpoints.Find(Store, customer, "customer");
        PaymentMethodRow method = Store.PaymentMethods.Find(call.Id)
            ?? (StripeTestMethods.Named(call.Id) is { } test ? methods.Create(test) : throw StripeProblem.Missing("PaymentMethod", call.Id, "payment_method"));
        (method, StripeFailure? failure) = methods.Attach(method, owner);
        return failure is null ? world.Render.Object(method) : throw new StripeProblem(402, failure.Type, failure.Message)
        {
            Failure = failure,
            PaymentMethod = world.Render.Object(method),
            Keep = true,
        };
    }

    private JsonObject Detach(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Object(methods.Detach(methods.Find(call.Id)));
    }

    private JsonObject GetMandate(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Object(Store.Mandates.Find(call.Id) ?? throw StripeProblem.Missing("mandate", call.Id));
    }
}
