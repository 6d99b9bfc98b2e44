using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Payment methods: making them from test names, attaching, detaching, mandates.</summary>
internal sealed class PaymentMethods(StripeWorld world)
{
    private StripeStore Store => world.Store;

    /// <summary>An existing payment method, or a fresh one when the text is one of Stripe's test names.</summary>
    public PaymentMethodRow Resolve(string idOrName, string param) =>
        Store.PaymentMethods.Find(idOrName)
        ?? (StripeTestMethods.Named(idOrName) is { } method ? Create(method) : throw StripeProblem.Missing("PaymentMethod", idOrName, param, status: 400));

    public PaymentMethodRow Find(string idOrName) =>
        Store.PaymentMethods.Find(idOrName) ?? throw StripeProblem.Missing("PaymentMethod", idOrName, "payment_method");

    public PaymentMethodRow Create(StripeTestMethod method, string? type = null) => Store.PaymentMethods.Put(new PaymentMethodRow
    {
        Id = world.NewId("pm"),
        Created = world.Seconds,
        Type = type ?? method.Type,
        Behaviour = method.Name,
    });

    /// <summary>Reads <c>type</c> with its sub-object, as <c>POST /v1/payment_methods</c> and <c>payment_method_data</c> take it.</summary>
    public PaymentMethodRow Create(StripeParams p)
    {
        string type = p.Required("type");
        StripeParams details = p.Nested(type) ?? throw p.Bad($"Missing required param: {p.Full(type)}.", type, "parameter_missing");
        StripeTestMethod method = type switch
        {
            "card" => Card(details),
            "us_bank_account" => Bank(details),
            _ => throw p.Bad($"Invalid {p.Full("type")}: must be one of card, us_bank_account", "type", null),
        };
        PaymentMethodRow row = Create(method) with
        {
            ExpMonth = (int)(details.Whole("exp_month") ?? 12),
            ExpYear = (int)(details.Whole("exp_year") ?? 2034),
            BillingDetails = p.Object("billing_details"),
            AllowRedisplay = p.OneOf("allow_redisplay", "always", "limited", "unspecified") ?? "unspecified",
            Metadata = p.Metadata([]),
        };
        p.Ignore("radar_options");
        details.RejectOthers();
        p.RejectOthers();
        return Store.PaymentMethods.Put(row);
    }

    /// <summary>
    /// Attaches to the customer, and does nothing when it is attached to them already. Returns why the card declined the
    /// attachment: Stripe's declining test cards cannot be attached.
    /// </summary>
    public (PaymentMethodRow Method, StripeFailure? Failure) Attach(PaymentMethodRow method, CustomerRow customer)
    {
        if (method.Customer == customer.Id)
        {
            return (method, null);
        }

        if (method.Customer is not null)
        {
            throw StripeProblem.Invalid("The payment method you provided has already been attached to a customer.");
        }

        if (method.Type == "card_present")
        {
            throw StripeProblem.Invalid("Payment methods of type card_present cannot be attached to a customer; attach the generated_card.");
        }

        RefuseConsumed(method, "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, " +
            "and may not be used again.");
        StripeTestMethod test = StripeTestMethods.Of(method);
        if (test.AttachFails && method.Type == "card")
        {
            return (method, test.Failure! with { PaymentMethod = method.Id });
        }

        method = Store.PaymentMethods.Put(method with { Customer = customer.Id });
        world.Emit("payment_method.attached", method);
        return (method, null);
    }

    public PaymentMethodRow Detach(PaymentMethodRow method)
    {
        string customer = method.Customer
            ?? throw StripeProblem.Invalid("The payment method you provided is not attached to a customer so detachment is impossible.");
        PaymentMethodRow after = Store.PaymentMethods.Put(method with { Customer = null, Consumed = true });
        if (Store.Customers.Find(customer) is { } owner && owner.DefaultPaymentMethod == method.Id)
        {
            Store.Customers.Put(owner with { DefaultPaymentMethod = null });
        }

        world.Emit("payment_method.detached", after, new JsonObject { ["customer"] = customer });
        return after;
    }

    /// <summary>Refuses a method that belongs to someone else than the intent's customer, or that is used up.</summary>
    public static void RefuseForeign(PaymentMethodRow method, string? customer)
    {
        if (method.Customer is not null && customer is null)
        {
            throw StripeProblem.Invalid($"The payment method supplied ({method.Id}) belongs to a Customer. Please include the Customer in the " +
                "`customer` parameter on the PaymentIntent.", "payment_method");
        }

        if (method.Customer is not null && method.Customer != customer)
        {
            throw StripeProblem.Invalid($"The customer does not have a payment method with the ID {method.Id}. The payment method must be " +
                "attached to the customer.", "payment_method");
        }

        RefuseConsumed(method, "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was detached " +
            "from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.");
    }

    public void Consume(PaymentMethodRow method)
    {
        if (method.Customer is null && !method.Consumed)
        {
            Store.PaymentMethods.Put(method with { Consumed = true });
        }
    }

    public MandateRow CreateMandate(PaymentMethodRow method, JsonObject acceptance, bool singleUse)
    {
        if (acceptance["type"] is null)
        {
            throw StripeProblem.BadParameter("Missing required param: mandate_data[customer_acceptance][type].",
                "mandate_data[customer_acceptance][type]", "parameter_missing");
        }

        var copy = (JsonObject)acceptance.DeepClone();
        copy["accepted_at"] = world.Seconds;
        MandateRow mandate = Store.Mandates.Put(new MandateRow
        {
            Id = world.NewId("mandate"),
            Created = world.Seconds,
            PaymentMethod = method.Id,
            CustomerAcceptance = copy,
            SingleUse = singleUse,
        });
        world.Emit("mandate.updated", mandate);
        return mandate;
    }

    /// <summary>The mandate under which the account may be debited again; null when none was given.</summary>
    public MandateRow? ActiveMandate(string method) =>
        Store.Mandates.NewestFirst(index: "payment_method", key: method).FirstOrDefault(mandate => mandate is { Status: "active", SingleUse: false });

    /// <summary>A bank return that ends the debit permission: the account is blocked and its mandates become inactive.</summary>
    public void Block(PaymentMethodRow method, string returnCode)
    {
        PaymentMethodRow after = Store.PaymentMethods.Put(method with { BlockedBy = returnCode });
        world.EmitChange("payment_method.automatically_updated", method, after);
        foreach (MandateRow mandate in Store.Mandates.NewestFirst(index: "payment_method", key: method.Id).ToList())
        {
            if (mandate.Status == "active")
            {
                MandateRow inactive = Store.Mandates.Put(mandate with { Status = "inactive" });
                world.EmitChange("mandate.updated", mandate, inactive);
            }
        }
    }

    private static StripeTestMethod Card(StripeParams details)
    {
        details.Ignore("cvc", "networks", "exp_month", "exp_year");
        if (details.Text("token") is { } token)
        {
            return StripeTestMethods.Token(token) ?? throw StripeProblem.Missing("token", token, "card[token]", status: 400);
        }

        string number = details.Required("number");
        var incorrect = new StripeFailure("incorrect_number", "Your card number is incorrect.") { Param = "number" };
        return StripeTestMethods.Numbered(number) is { Type: "card" } method ? method
            : throw new StripeProblem(402, incorrect.Type, incorrect.Message) { Failure = incorrect };
    }

    private static StripeTestMethod Bank(StripeParams details)
    {
        details.Ignore("account_holder_type", "account_type", "routing_number", "financial_connections_account");
        string number = details.Required("account_number");
        return StripeTestMethods.Numbered(number) is { Type: "us_bank_account" } method ? method
            : throw StripeProblem.Invalid("Must only use test bank account numbers when making transfers or debits in test mode",
                "us_bank_account[account_number]");
    }

    private static void RefuseConsumed(PaymentMethodRow method, string message)
    {
        if (method.Consumed)
        {
            throw StripeProblem.Invalid(message, "payment_method");
        }
    }
}
