using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

internal sealed partial class StripeRenderer
{
    public const string AccountId = "acct_1LocalSimulated";

    private static readonly string[] ActiveCapabilities =
        ["card_payments", "transfers", "us_bank_account_ach_payments"];

    public static JsonObject Event(EventRow row)
    {
        var data = new JsonObject { ["object"] = JsonNode.Parse(row.Snapshot) };
        if (row.Previous is not null)
        {
            data["previous_attributes"] = JsonNode.Parse(row.Previous);
        }

        return new JsonObject
        {
            ["id"] = row.Id,
            ["object"] = "event",
            ["api_version"] = StripeOptions.DefaultApiVersion,
            ["created"] = row.Created,
            ["data"] = data,
            ["livemode"] = false,
            ["pending_webhooks"] = row.Pending,
            ["request"] = new JsonObject { ["id"] = row.RequestId, ["idempotency_key"] = row.IdempotencyKey },
            ["type"] = row.Type,
        };
    }

    private static JsonObject Endpoint(EndpointRow row) => new()
    {
        ["id"] = row.Id,
        ["object"] = "webhook_endpoint",
        ["api_version"] = row.ApiVersion,
        ["application"] = null,
        ["created"] = row.Created,
        ["description"] = row.Description,
        ["enabled_events"] = StripeJson.Of(row.EnabledEvents),
        ["livemode"] = false,
        ["metadata"] = StripeJson.Of(row.Metadata),
        ["status"] = row.Disabled ? "disabled" : "enabled",
        ["url"] = row.Url,
    };

    /// <summary>The account, ready to take payments.</summary>
    public JsonObject Account()
    {
        var capabilities = new JsonObject();
        foreach (string capability in ActiveCapabilities)
        {
            capabilities[capability] = "active";
        }

        return new JsonObject
        {
            ["id"] = AccountId,
            ["object"] = "account",
            ["business_profile"] = new JsonObject { ["name"] = "Flex (simulated)", ["mcc"] = null, ["url"] = null, ["support_email"] = null },
            ["business_type"] = "company",
            ["capabilities"] = capabilities,
            ["charges_enabled"] = true,
            ["country"] = options.Country,
            ["created"] = 1704067200,
            ["default_currency"] = options.DefaultCurrency,
            ["details_submitted"] = true,
            ["email"] = null,
            ["metadata"] = new JsonObject(),
            ["payouts_enabled"] = true,
            ["requirements"] = Requirements(),
            ["settings"] = new JsonObject
            {
                ["dashboard"] = new JsonObject { ["display_name"] = "Flex (simulated)", ["timezone"] = "Etc/UTC" },
                ["payments"] = new JsonObject { ["statement_descriptor"] = "FLEX" },
            },
            ["type"] = "standard",
        };
    }

    private static JsonObject Requirements() => new()
    {
        ["alternatives"] = new JsonArray(),
        ["current_deadline"] = null,
        ["currently_due"] = new JsonArray(),
        ["disabled_reason"] = null,
        ["errors"] = new JsonArray(),
        ["eventually_due"] = new JsonArray(),
        ["past_due"] = new JsonArray(),
        ["pending_verification"] = new JsonArray(),
    };
}
