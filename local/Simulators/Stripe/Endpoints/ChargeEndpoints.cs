using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary><c>/v1/charges</c>, <c>/v1/refunds</c> and <c>/v1/disputes</c>.</summary>
internal sealed class ChargeEndpoints(StripeWorld world, Refunds refunds, Disputes disputes)
{
    private StripeStore Store => world.Store;

    public void Map(StripeRoutes routes)
    {
        routes.Map("GET", "/v1/charges", ListCharges);
        routes.Map("GET", "/v1/charges/{id}", GetCharge);
        routes.Map("POST", "/v1/charges/{id}", UpdateCharge);
        routes.Map("GET", "/v1/charges/{id}/refunds", ListRefundsOf);
        routes.Map("POST", "/v1/refunds", CreateRefund);
        routes.Map("GET", "/v1/refunds", ListRefunds);
        routes.Map("GET", "/v1/refunds/{id}", GetRefund);
        routes.Map("POST", "/v1/refunds/{id}", UpdateRefund);
        routes.Map("GET", "/v1/disputes", ListDisputes);
        routes.Map("GET", "/v1/disputes/{id}", GetDispute);
        routes.Map("POST", "/v1/disputes/{id}", AnswerDispute);
        routes.Map("POST", "/v1/disputes/{id}/close", CloseDispute);
    }

    public static ChargeRow Find(StripeStore store, string id, string param = "charge", int status = 404) =>
        store.Charges.Find(id) ?? throw StripeProblem.Missing("charge", id, param, status);

    /// <summary>The charge that a <c>charge</c> or <c>payment_intent</c> parameter names.</summary>
    public static ChargeRow Named(StripeStore store, StripeParams p)
    {
        string? charge = p.Text("charge");
        string? intent = p.Text("payment_intent");
        if (charge is null && intent is null)
        {
            throw p.Bad("One of the following params should be provided for this request: payment_intent or charge.", "payment_intent", "parameter_missing");
        }

        if (charge is not null)
        {
            return Find(store, charge, "charge", status: 404);
        }

        PaymentIntentRow row = PaymentIntentEndpoints.Find(store, intent!, "payment_intent");
        return store.Charges.Find(row.LatestCharge)
            ?? throw StripeProblem.Invalid($"This PaymentIntent ({row.Id}) does not have a successful charge to refund.", "payment_intent");
    }

    private JsonObject GetCharge(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Object(Find(Store, call.Id, "id"));
    }

    private JsonObject UpdateCharge(StripeCall call)
    {
        ChargeRow before = Find(Store, call.Id, "id");
        StripeParams p = call.Params;
        ChargeRow after = before with
        {
            Description = p.Has("description") ? p.Text("description") : before.Description,
            ReceiptEmail = p.Has("receipt_email") ? p.Text("receipt_email") : before.ReceiptEmail,
            FraudDetails = p.Has("fraud_details") ? p.Object("fraud_details") : before.FraudDetails,
            Metadata = p.Metadata(before.Metadata),
        };
        p.Ignore("shipping", "transfer_group");
        p.RejectOthers();
        after = Store.Charges.Put(after);
        world.EmitChange("charge.updated", before, after);
        return world.Render.Object(after);
    }

    private JsonObject ListCharges(StripeCall call)
    {
        (string? index, string? key) = Index(call.Params, "payment_intent", "customer");
        string? customer = call.Params.Text("customer");
        string? group = call.Params.Text("transfer_group");
        return StripePages.Page(world, call, Store.Charges, index, key,
            row => (customer is null || row.Customer == customer) && (group is null || row.TransferGroup == group));
    }

    private JsonObject CreateRefund(StripeCall call)
    {
        StripeParams p = call.Params;
        long? amount = p.Whole("amount");
        string? reason = p.OneOf("reason", "duplicate", "fraudulent", "requested_by_customer");
        Dictionary<string, string> metadata = p.Metadata([]);
        p.Ignore("charge", "payment_intent", "instructions_email");
        p.RejectOthers();
        return world.Render.Object(refunds.Create(Named(Store, p), amount, reason, metadata));
    }

    private JsonObject GetRefund(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Object(Store.Refunds.Find(call.Id) ?? throw StripeProblem.Missing("refund", call.Id));
    }

    private JsonObject UpdateRefund(StripeCall call)
    {
        RefundRow before = Store.Refunds.Find(call.Id) ?? throw StripeProblem.Missing("refund", call.Id);
        Dictionary<string, string> metadata = call.Params.Metadata(before.Metadata);
        call.Params.RejectOthers();
        RefundRow after = Store.Refunds.Put(before with { Metadata = metadata });
        world.EmitChange("refund.updated", before, after);
        return world.Render.Object(after);
    }

    private JsonObject ListRefunds(StripeCall call)
    {
        (string? index, string? key) = Index(call.Params, "charge", "payment_intent");
        string? intent = call.Params.Text("payment_intent");
        return StripePages.Page(world, call, Store.Refunds, index, key, row => intent is null || row.PaymentIntent == intent);
    }

    private JsonObject ListRefundsOf(StripeCall call) => StripePages.Page(world, call, Store.Refunds, "charge", Find(Store, call.Id, "id").Id);

    private JsonObject GetDispute(StripeCall call)
    {
        call.Params.RejectOthers();
        return world.Render.Object(FindDispute(call.Id));
    }

    private JsonObject ListDisputes(StripeCall call)
    {
        (string? index, string? key) = Index(call.Params, "charge", "payment_intent");
        string? intent = call.Params.Text("payment_intent");
        return StripePages.Page(world, call, Store.Disputes, index, key, row => intent is null || row.PaymentIntent == intent);
    }

    private JsonObject AnswerDispute(StripeCall call)
    {
        DisputeRow dispute = FindDispute(call.Id);
        JsonObject? evidence = call.Params.Object("evidence");
        bool submit = call.Params.Flag("submit") ?? true;
        Dictionary<string, string> metadata = call.Params.Metadata(dispute.Metadata);
        call.Params.Ignore("intended_submission_method");
        call.Params.RejectOthers();
        return world.Render.Object(disputes.Answer(dispute, evidence, submit, metadata));
    }

    private JsonObject CloseDispute(StripeCall call)
    {
        DisputeRow dispute = FindDispute(call.Id);
        call.Params.RejectOthers();
        return world.Render.Object(disputes.Close(dispute, won: false));
    }

    private DisputeRow FindDispute(string id) => Store.Disputes.Find(id) ?? throw StripeProblem.Missing("dispute", id);

    /// <summary>The index of the first of these filters that was given.</summary>
    private static (string? Index, string? Key) Index(StripeParams p, params ReadOnlySpan<string> names)
    {
        (string? index, string? key) = (null, null);
        foreach (string name in names)
        {
            if (p.Text(name) is { } value && index is null)
            {
                (index, key) = (name, value);
            }
        }

        return (index, key);
    }
}
