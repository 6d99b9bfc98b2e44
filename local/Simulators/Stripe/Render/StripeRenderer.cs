using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Rows as Stripe's JSON objects. References are ids until <see cref="Expand"/> replaces them.</summary>
internal sealed partial class StripeRenderer(StripeStore store, StripeOptions options)
{
    private const int MaxExpandDepth = 4;

    public JsonObject Object(StripeRow row) => row switch
    {
        CustomerRow customer => Customer(customer),
        PaymentMethodRow method => PaymentMethod(method),
        MandateRow mandate => Mandate(mandate),
        PaymentIntentRow intent => PaymentIntent(intent),
        ChargeRow charge => Charge(charge),
        RefundRow refund => Refund(refund),
        DisputeRow dispute => Dispute(dispute),
        SetupIntentRow setup => SetupIntent(setup),
        SetupAttemptRow attempt => SetupAttempt(attempt),
        ReaderRow reader => Reader(reader),
        LocationRow location => Location(location),
        EndpointRow endpoint => Endpoint(endpoint),
        EventRow happened => Event(happened),
        _ => throw new InvalidOperationException($"{row.GetType().Name} has no JSON form."),
    };

    /// <summary>Replaces the ids at the given paths by their objects; lists are expanded item by item (<c>data.customer</c>).</summary>
    public void Expand(JsonObject answer, IEnumerable<string> paths)
    {
        foreach (string path in paths)
        {
            string[] steps = path.Split('.');
            if (steps.Length > MaxExpandDepth + 1)
            {
                throw StripeProblem.BadParameter($"You cannot expand more than {MaxExpandDepth} levels of a property", "expand", null);
            }

            Expand(answer, steps, path);
        }
    }

    private void Expand(JsonNode? at, ReadOnlySpan<string> steps, string path)
    {
        if (steps.Length == 0 || at is null)
        {
            return;
        }

        if (at is JsonArray items)
        {
            foreach (JsonNode? item in items)
            {
                Expand(item, steps, path);
            }

            return;
        }

        // An object's own id is not a reference, and the SDK's charge has a plain string here.
        if (at is not JsonObject parent || !parent.ContainsKey(steps[0]) || steps[0] == "id" ||
            (steps[0] == "payment_method" && (string?)parent["object"] == "charge"))
        {
            throw StripeProblem.BadParameter($"This property cannot be expanded ({path}).", "expand", null);
        }

        if (parent[steps[0]] is JsonValue value && value.TryGetValue(out string? id))
        {
            parent[steps[0]] = Find(id) ?? throw StripeProblem.BadParameter($"This property cannot be expanded ({path}).", "expand", null);
        }

        Expand(parent[steps[0]], steps[1..], path);
    }

    private JsonObject? Find(string id)
    {
        StripeRow? row = id[..(id.IndexOf('_', StringComparison.Ordinal) + 1)] switch
        {
            "cus_" => store.Customers.Find(id),
            "pm_" => store.PaymentMethods.Find(id),
            "mandate_" => store.Mandates.Find(id),
            "pi_" => store.PaymentIntents.Find(id),
            "ch_" or "py_" => store.Charges.Find(id),
            "re_" or "pyr_" => store.Refunds.Find(id),
            "du_" => store.Disputes.Find(id),
            "seti_" => store.SetupIntents.Find(id),
            "setatt_" => store.SetupAttempts.Find(id),
            "tmr_" => store.Readers.Find(id),
            "tml_" => store.Locations.Find(id),
            _ => null,
        };
        return row is null ? null : Object(row);
    }

    /// <summary>A failure as the error object that intents and reader actions carry.</summary>
    private JsonObject? Error(StripeFailure? failure)
    {
        if (failure is null)
        {
            return null;
        }

        return new JsonObject
        {
            ["advice_code"] = failure.AdviceCode,
            ["charge"] = failure.Charge,
            ["code"] = failure.Code,
            ["decline_code"] = failure.DeclineCode,
            ["doc_url"] = StripeProblem.DocUrl(failure.Code),
            ["message"] = failure.Message,
            ["network_advice_code"] = failure.NetworkAdviceCode,
            ["network_decline_code"] = failure.NetworkDeclineCode,
            ["param"] = failure.Param,
            ["payment_method"] = store.PaymentMethods.Find(failure.PaymentMethod) is { } method ? PaymentMethod(method) : null,
            ["type"] = failure.Type,
        };
    }

    private static JsonObject Billing(JsonObject? given) => new()
    {
        ["address"] = StripeJson.Address(given?["address"] as JsonObject),
        ["email"] = given?["email"]?.DeepClone(),
        ["name"] = given?["name"]?.DeepClone(),
        ["phone"] = given?["phone"]?.DeepClone(),
        ["tax_id"] = given?["tax_id"]?.DeepClone(),
    };

    private static JsonNode? Copy(JsonNode? node) => node?.DeepClone();
}
