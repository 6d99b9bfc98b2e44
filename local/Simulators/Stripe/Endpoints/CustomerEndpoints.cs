using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary><c>/v1/customers</c>.</summary>
internal sealed class CustomerEndpoints(StripeWorld world, PaymentMethods methods)
{
    private StripeStore Store => world.Store;

    public void Map(StripeRoutes routes)
    {
        routes.Map("POST", "/v1/customers", Create);
        routes.Map("GET", "/v1/customers", List);
        routes.Map("GET", "/v1/customers/{id}", Get);
        routes.Map("POST", "/v1/customers/{id}", Update);
        routes.Map("DELETE", "/v1/customers/{id}", Delete);
        routes.Map("GET", "/v1/customers/{id}/payment_methods", ListMethods);
        routes.Map("GET", "/v1/customers/{id}/payment_methods/{method}", GetMethod);
    }

    /// <summary>A customer that exists and is not deleted.</summary>
    public static CustomerRow Find(StripeStore store, string id, string param = "id") =>
        store.Customers.Find(id) is { Deleted: false } row ? row
            : throw StripeProblem.Missing("customer", id, param, status: param == "id" ? 404 : 400);

    private JsonObject Create(StripeCall call)
    {
        var row = new CustomerRow { Id = world.NewId("cus"), Created = world.Seconds };
        string? method = call.Params.Text("payment_method");
        string? chosen = Read(call.Params, ref row);
        row = Store.Customers.Put(row);
        world.Emit("customer.created", row);
        if (method is not null)
        {
            (PaymentMethodRow attached, StripeFailure? failure) = methods.Attach(methods.Resolve(method, "payment_method"), row);
            Refuse(failure);
            chosen = chosen == method ? attached.Id : chosen;
        }

        return world.Render.Object(SetDefault(row, chosen));
    }

    private JsonObject Update(StripeCall call)
    {
        CustomerRow before = Find(Store, call.Id);
        CustomerRow row = before;
        string? chosen = Read(call.Params, ref row);
        row = SetDefault(Store.Customers.Put(row), chosen);
        world.EmitChange("customer.updated", before, row);
        return world.Render.Object(row);
    }

    private JsonObject Get(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Object(Store.Customers.Find(call.Id) ?? throw StripeProblem.Missing("customer", call.Id));
    }

    private JsonObject List(StripeCall call)
    {
        string? email = call.Params.Text("email");
        call.Params.Ignore("test_clock");
        return StripePages.Page(world, call, Store.Customers, where: row => !row.Deleted && (email is null || row.Email == email));
    }

    private JsonObject Delete(StripeCall call)
    {
        CustomerRow row = Find(Store, call.Id);
        foreach (PaymentMethodRow method in Store.PaymentMethods.NewestFirst(index: "customer", key: row.Id).ToList())
        {
            Store.PaymentMethods.Put(method with { Customer = null, Consumed = true });
        }

        world.Emit("customer.deleted", row);
        return world.Render.Object(Store.Customers.Put(row with { Deleted = true }));
    }

    private JsonObject ListMethods(StripeCall call)
    {
        CustomerRow row = Find(Store, call.Id);
        string? type = call.Params.Text("type");
        string? redisplay = call.Params.Text("allow_redisplay");
        return StripePages.Page(world, call, Store.PaymentMethods, "customer", row.Id,
            method => (type is null || method.Type == type) && (redisplay is null || method.AllowRedisplay == redisplay));
    }

    private JsonObject GetMethod(StripeCall call)
    {
        CustomerRow row = Find(Store, call.Id);
        call.Params.RejectOthers();
        string id = call.Route["method"];
        return Store.PaymentMethods.Find(id) is { } method && method.Customer == row.Id ? world.Render.Object(method)
            : throw StripeProblem.Missing("payment_method", id, "payment_method");
    }

    /// <summary>Reads what create and update share; returns the default payment method asked for.</summary>
    private static string? Read(StripeParams p, ref CustomerRow row)
    {
        StripeParams? invoices = p.Nested("invoice_settings");
        string? chosen = invoices?.Text("default_payment_method");
        invoices?.Ignore("custom_fields", "footer", "rendering_options");
        invoices?.RejectOthers();
        row = row with
        {
            Name = p.Has("name") ? p.Text("name") : row.Name,
            Email = p.Has("email") ? p.Text("email") : row.Email,
            Phone = p.Has("phone") ? p.Text("phone") : row.Phone,
            Description = p.Has("description") ? p.Text("description") : row.Description,
            Address = p.Has("address") ? p.Object("address") : row.Address,
            Shipping = p.Has("shipping") ? p.Object("shipping") : row.Shipping,
            PreferredLocales = p.List("preferred_locales") ?? row.PreferredLocales,
            TaxExempt = p.OneOf("tax_exempt", "none", "exempt", "reverse") ?? row.TaxExempt,
            Metadata = p.Metadata(row.Metadata),
        };
        p.Ignore("balance", "business_name", "cash_balance", "individual_name", "invoice_prefix", "next_invoice_sequence", "tax", "tax_id_data", "validate");
        p.RejectOthers();
        return chosen;
    }

    private CustomerRow SetDefault(CustomerRow row, string? method)
    {
        if (method is null)
        {
            return row;
        }

        return Store.PaymentMethods.Find(method)?.Customer == row.Id
            ? Store.Customers.Put(row with { DefaultPaymentMethod = method })
            : throw StripeProblem.Invalid($"The customer does not have a payment method with the ID {method}. " +
                "The payment method must be attached to the customer.",
                "invoice_settings[default_payment_method]", "resource_missing");
    }

    private static void Refuse(StripeFailure? failure)
    {
        if (failure is not null)
        {
            throw new StripeProblem(402, failure.Type, failure.Message) { Failure = failure };
        }
    }
}
