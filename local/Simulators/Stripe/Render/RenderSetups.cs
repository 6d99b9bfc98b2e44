using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

internal sealed partial class StripeRenderer
{
    private JsonObject SetupIntent(SetupIntentRow row) => new()
    {
        ["id"] = row.Id,
        ["object"] = "setup_intent",
        ["allowed_payment_method_types"] = row.Automatic ? null : StripeJson.Of(row.Types),
        ["application"] = null,
        ["automatic_payment_methods"] = row.Automatic ? new JsonObject { ["allow_redirects"] = "always", ["enabled"] = true } : null,
        ["cancellation_reason"] = row.CancellationReason,
        ["client_secret"] = row.Secret,
        ["created"] = row.Created,
        ["customer"] = row.Customer,
        ["customer_account"] = null,
        ["description"] = row.Description,
        ["excluded_payment_method_types"] = null,
        ["flow_directions"] = null,
        ["last_setup_error"] = Error(row.LastError),
        ["latest_attempt"] = row.LatestAttempt,
        ["livemode"] = false,
        ["mandate"] = row.Mandate,
        ["metadata"] = StripeJson.Of(row.Metadata),
        ["next_action"] = row.Status == PaymentStatus.RequiresAction ? NextAction(row.Id, row.ReturnUrl) : null,
        ["on_behalf_of"] = null,
        ["payment_method"] = row.PaymentMethod,
        ["payment_method_configuration_details"] = null,
        ["payment_method_options"] = Copy(row.Options) ?? new JsonObject(),
        ["payment_method_types"] = StripeJson.Of(row.Types),
        ["single_use_mandate"] = null,
        ["status"] = row.Status,
        ["usage"] = row.Usage,
    };

    private JsonObject SetupAttempt(SetupAttemptRow row)
    {
        PaymentMethodRow method = store.PaymentMethods.Get(row.PaymentMethod);
        return new JsonObject
        {
            ["id"] = row.Id,
            ["object"] = "setup_attempt",
            ["application"] = null,
            ["created"] = row.Created,
            ["customer"] = row.Customer,
            ["customer_account"] = null,
            ["flow_directions"] = null,
            ["livemode"] = false,
            ["on_behalf_of"] = null,
            ["payment_method"] = row.PaymentMethod,
            ["payment_method_details"] = AttemptDetails(row, method),
            ["setup_error"] = Error(row.Error),
            ["setup_intent"] = row.SetupIntent,
            ["status"] = row.Status,
            ["usage"] = row.Usage,
        };
    }

    private static JsonObject AttemptDetails(SetupAttemptRow row, PaymentMethodRow method)
    {
        var details = new JsonObject { ["type"] = method.Type };
        StripeTestMethod card = StripeTestMethods.Of(method);
        details[method.Type] = method.Type switch
        {
            "us_bank_account" => new JsonObject(),
            "card_present" => new JsonObject { ["generated_card"] = row.GeneratedCard, ["offline"] = null },
            _ => new JsonObject
            {
                ["brand"] = card.Brand,
                ["checks"] = Checks(),
                ["country"] = card.Country,
                ["exp_month"] = method.ExpMonth,
                ["exp_year"] = method.ExpYear,
                ["fingerprint"] = Fingerprint(card),
                ["funding"] = card.Funding,
                ["last4"] = card.Last4,
                ["network"] = card.Brand,
                ["three_d_secure"] = card.Authentication == StripeAuthentication.Never ? null : ThreeDSecure(),
                ["wallet"] = null,
            },
        };
        return details;
    }
}
