using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>The evidence of a dispute: every field is always present, null until given.</summary>
internal static class DisputeEvidence
{
    /// <summary>Card networks give about three weeks to answer; Stripe's samples show the end of such a day.</summary>
    public const long SecondsToAnswer = 21 * 86_400;

    private static readonly string[] Fields =
    [
        "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal",
        "customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
        "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt",
        "refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
        "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
        "uncategorized_file", "uncategorized_text",
    ];

    public static JsonObject Render(JsonObject? given)
    {
        var json = new JsonObject { ["enhanced_evidence"] = new JsonObject() };
        foreach (string field in Fields)
        {
            json[field] = given?[field]?.DeepClone();
        }

        return json;
    }
}
