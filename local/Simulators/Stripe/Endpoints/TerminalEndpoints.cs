using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary><c>/v1/terminal</c> and the reader test helpers.</summary>
internal sealed class TerminalEndpoints(StripeWorld world, Terminal terminal)
{
    private StripeStore Store => world.Store;

    public void Map(StripeRoutes routes)
    {
        routes.Map("POST", "/v1/terminal/locations", CreateLocation);
        routes.Map("GET", "/v1/terminal/locations", call => StripePages.Page(world, call, Store.Locations));
        routes.Map("GET", "/v1/terminal/locations/{id}", call => Show(call, FindLocation(call.Id)));
        routes.Map("POST", "/v1/terminal/locations/{id}", UpdateLocation);
        routes.Map("DELETE", "/v1/terminal/locations/{id}", DeleteLocation);
        routes.Map("POST", "/v1/terminal/readers", CreateReader);
        routes.Map("GET", "/v1/terminal/readers", ListReaders);
        routes.Map("GET", "/v1/terminal/readers/{id}", call => Show(call, FindReader(call.Id)));
        routes.Map("POST", "/v1/terminal/readers/{id}", UpdateReader);
        routes.Map("DELETE", "/v1/terminal/readers/{id}", DeleteReader);
        routes.Map("POST", "/v1/terminal/readers/{id}/process_payment_intent", ProcessPayment);
        routes.Map("POST", "/v1/terminal/readers/{id}/process_setup_intent", ProcessSetup);
        routes.Map("POST", "/v1/terminal/readers/{id}/refund_payment", RefundPayment);
        routes.Map("POST", "/v1/terminal/readers/{id}/set_reader_display", SetDisplay);
        routes.Map("POST", "/v1/terminal/readers/{id}/cancel_action", CancelAction);
        routes.Map("POST", "/v1/test_helpers/terminal/readers/{id}/present_payment_method", Present);
    }

    private JsonObject CreateLocation(StripeCall call)
    {
        StripeParams p = call.Params;
        var row = new LocationRow
        {
            Id = world.NewId("tml"),
            Created = world.Seconds,
            DisplayName = p.Required("display_name"),
            Address = Address(p) ?? throw p.Bad("Missing required param: address.", "address", "parameter_missing"),
            Phone = p.Text("phone"),
            Metadata = p.Metadata([]),
        };
        p.Ignore("configuration_overrides");
        p.RejectOthers();
        return world.Render.Object(Store.Locations.Put(row));
    }

    private JsonObject UpdateLocation(StripeCall call)
    {
        LocationRow before = FindLocation(call.Id);
        StripeParams p = call.Params;
        LocationRow after = before with
        {
            DisplayName = p.Text("display_name") ?? before.DisplayName,
            Address = Address(p) ?? before.Address,
            Phone = p.Has("phone") ? p.Text("phone") : before.Phone,
            Metadata = p.Metadata(before.Metadata),
        };
        p.Ignore("configuration_overrides");
        p.RejectOthers();
        return world.Render.Object(Store.Locations.Put(after));
    }

    /// <summary>Deleting a location takes its readers with it.</summary>
    private JsonObject DeleteLocation(StripeCall call)
    {
        call.Params.RejectOthers();
        LocationRow row = FindLocation(call.Id);
        foreach (ReaderRow reader in Store.Readers.NewestFirst(index: "location", key: row.Id).ToList())
        {
            Store.Readers.Delete(reader.Id);
        }

        Store.Locations.Delete(row.Id);
        return Deleted(row.Id, "terminal.location");
    }

    private JsonObject CreateReader(StripeCall call)
    {
        StripeParams p = call.Params;
        string code = p.Required("registration_code");
        string? location = p.Text("location");
        string device = code switch
        {
            "simulated-wpe" => "simulated_wisepos_e",
            "simulated-s700" => "simulated_stripe_s700",
            "simulated-s710" => "simulated_stripe_s710",
            _ => throw StripeProblem.Invalid($"The registration code '{code}' is not valid; use a simulated one in test mode.", "registration_code"),
        };
        string id = world.NewId("tmr");
        var row = new ReaderRow
        {
            Id = id,
            Created = world.Seconds,
            DeviceType = device,
            Label = p.Text("label") ?? $"simulated-{id[^6..]}",
            Location = location ?? throw p.Bad("Missing required param: location.", "location", "parameter_missing"),
            SerialNumber = id[4..],
            Metadata = p.Metadata([]),
            LastSeen = world.Now,
        };
        p.RejectOthers();
        _ = Store.Locations.Find(location) ?? throw StripeProblem.Missing("location", location, "location", status: 400);
        return world.Render.Object(Store.Readers.Put(row));
    }

    private JsonObject UpdateReader(StripeCall call)
    {
        ReaderRow before = FindReader(call.Id);
        ReaderRow after = before with { Label = call.Params.Text("label") ?? before.Label, Metadata = call.Params.Metadata(before.Metadata) };
        call.Params.RejectOthers();
        return world.Render.Object(Store.Readers.Put(after));
    }

    private JsonObject DeleteReader(StripeCall call)
    {
        call.Params.RejectOthers();
        ReaderRow row = FindReader(call.Id);
        Store.Readers.Delete(row.Id);
        JsonObject json = Deleted(row.Id, "terminal.reader");
        json["device_type"] = row.DeviceType;
        json["serial_number"] = row.SerialNumber;
        return json;
    }

    private JsonObject ListReaders(StripeCall call)
    {
        StripeParams p = call.Params;
        string? device = p.Text("device_type");
        string? location = p.Text("location");
        string? serial = p.Text("serial_number");
        string? status = p.Text("status");
        return StripePages.Page(world, call, Store.Readers, location is null ? null : "location", location,
            row => (device is null || row.DeviceType == device) && (serial is null || row.SerialNumber == serial) && (status is null || row.Status == status));
    }

    private JsonObject ProcessPayment(StripeCall call)
    {
        ReaderRow reader = FindReader(call.Id);
        string id = call.Params.Required("payment_intent");
        JsonObject? config = call.Params.Object("process_config");
        call.Params.RejectOthers();
        PaymentIntentRow intent = PaymentIntentEndpoints.Find(Store, id, "payment_intent", status: 400);
        if (intent.Status is not (PaymentStatus.RequiresPaymentMethod or PaymentStatus.RequiresConfirmation) || !intent.Types.Contains("card_present"))
        {
            throw StripeProblem.Invalid($"The PaymentIntent must have a status of requires_payment_method and accept card_present " +
                $"to be processed on a reader; it is {intent.Status}.", "payment_intent", "intent_invalid_state");
        }

        var detail = new JsonObject { ["payment_intent"] = id, ["process_config"] = config };
        return world.Render.Object(terminal.Start(reader, "process_payment_intent", detail, id));
    }

    private JsonObject ProcessSetup(StripeCall call)
    {
        ReaderRow reader = FindReader(call.Id);
        string id = call.Params.Required("setup_intent");
        string redisplay = call.Params.Required("allow_redisplay");
        call.Params.OneOf("allow_redisplay", "always", "limited", "unspecified");
        JsonObject? config = call.Params.Object("process_config");
        call.Params.RejectOthers();
        SetupIntentRow setup = SetupIntentEndpoints.Find(Store, id, "setup_intent", status: 400);
        if (setup.Status != PaymentStatus.RequiresPaymentMethod || !setup.Types.Contains("card_present"))
        {
            throw StripeProblem.Invalid($"The SetupIntent must have a status of requires_payment_method and accept card_present; it is {setup.Status}.",
                "setup_intent", "intent_invalid_state");
        }

        var detail = new JsonObject { ["generated_card"] = null, ["process_config"] = config, ["setup_intent"] = id, ["allow_redisplay"] = redisplay };
        return world.Render.Object(terminal.Start(reader, "process_setup_intent", detail, id));
    }

    private JsonObject RefundPayment(StripeCall call)
    {
        ReaderRow reader = FindReader(call.Id);
        StripeParams p = call.Params;
        long? amount = p.Whole("amount");
        Dictionary<string, string> metadata = p.Metadata([]);
        p.Ignore("charge", "payment_intent", "refund_payment_config");
        p.RejectOthers();
        ChargeRow charge = ChargeEndpoints.Named(Store, p);
        var detail = new JsonObject
        {
            ["amount"] = amount,
            ["charge"] = charge.Id,
            ["metadata"] = StripeJson.Of(metadata),
            ["payment_intent"] = charge.PaymentIntent,
            ["reason"] = null,
        };
        return world.Render.Object(terminal.Start(reader, "refund_payment", detail, charge.Id));
    }

    private JsonObject SetDisplay(StripeCall call)
    {
        ReaderRow reader = FindReader(call.Id);
        StripeParams p = call.Params;
        string type = p.Required("type");
        p.OneOf("type", "cart");
        StripeParams cart = p.Nested("cart") ?? throw p.Bad("Missing required param: cart.", "cart", "parameter_missing");
        long total = cart.RequiredWhole("total");
        string currency = cart.Required("currency");
        long? tax = cart.Whole("tax");
        JsonObject? items = cart.Object("line_items");
        cart.RejectOthers();
        p.RejectOthers();
        var lines = new JsonArray();
        foreach ((_, JsonNode? item) in items ?? [])
        {
            lines.Add(new JsonObject
            {
                ["amount"] = long.Parse((string?)item?["amount"] ?? "0", System.Globalization.CultureInfo.InvariantCulture),
                ["description"] = item?["description"]?.DeepClone(),
                ["quantity"] = long.Parse((string?)item?["quantity"] ?? "1", System.Globalization.CultureInfo.InvariantCulture),
            });
        }

        var detail = new JsonObject
        {
            ["cart"] = new JsonObject { ["currency"] = currency, ["line_items"] = lines, ["tax"] = tax, ["total"] = total },
            ["type"] = type,
        };
        return world.Render.Object(terminal.Start(reader, "set_reader_display", detail, null));
    }

    private JsonObject CancelAction(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Object(terminal.Cancel(FindReader(call.Id)));
    }

    private JsonObject Present(StripeCall call)
    {
        ReaderRow reader = FindReader(call.Id);
        StripeParams p = call.Params;
        p.OneOf("type", "card_present", "card", "interac_present");
        long? tip = p.Whole("amount_tip");
        StripeParams? card = p.Nested("card_present") ?? p.Nested("card");
        string? number = card?.Text("number");
        card?.Ignore("cvc", "exp_month", "exp_year");
        card?.RejectOthers();
        p.Ignore("interac_present", "card");
        p.RejectOthers();
        StripeTestMethod method = number is null ? StripeTestMethods.Named("pm_card_visa")!
            : StripeTestMethods.Numbered(number) is { Type: "card" } known ? known
            : throw StripeProblem.Invalid($"The number {number} is not a test card.", "card_present[number]");
        return world.Render.Object(terminal.Present(reader, method, tip));
    }

    private JsonObject Show(StripeCall call, StripeRow row)
    {
        call.Params.RejectOthers();
        return world.Render.Object(row);
    }

    private ReaderRow FindReader(string id) => Store.Readers.Find(id) ?? throw StripeProblem.Missing("terminal.reader", id, "reader");

    private LocationRow FindLocation(string id) => Store.Locations.Find(id) ?? throw StripeProblem.Missing("location", id, "location");

    private static JsonObject? Address(StripeParams p)
    {
        StripeParams? address = p.Nested("address");
        _ = address?.Required("country");
        return p.Object("address");
    }

    private static JsonObject Deleted(string id, string type) => new() { ["id"] = id, ["object"] = type, ["deleted"] = true };
}
