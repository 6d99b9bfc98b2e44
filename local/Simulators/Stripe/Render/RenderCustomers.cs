using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

internal sealed partial class StripeRenderer
{
    private static JsonObject Customer(CustomerRow row) => row.Deleted
        ? new JsonObject { ["id"] = row.Id, ["object"] = "customer", ["deleted"] = true }
        : new JsonObject
        {
            ["id"] = row.Id,
            ["object"] = "customer",
            ["address"] = row.Address is null ? null : StripeJson.Address(row.Address),
            ["balance"] = 0,
            ["created"] = row.Created,
            ["currency"] = null,
            ["customer_account"] = null,
            ["default_source"] = null,
            ["delinquent"] = false,
            ["description"] = row.Description,
            ["discount"] = null,
            ["email"] = row.Email,
            ["invoice_prefix"] = row.Id[^8..].ToUpperInvariant(),
            ["invoice_settings"] = new JsonObject
            {
                ["custom_fields"] = null,
                ["default_payment_method"] = row.DefaultPaymentMethod,
                ["footer"] = null,
                ["rendering_options"] = null,
            },
            ["livemode"] = false,
            ["metadata"] = StripeJson.Of(row.Metadata),
            ["name"] = row.Name,
            ["next_invoice_sequence"] = 1,
            ["phone"] = row.Phone,
            ["preferred_locales"] = StripeJson.Of(row.PreferredLocales),
            ["shipping"] = Copy(row.Shipping),
            ["tax_exempt"] = row.TaxExempt,
            ["test_clock"] = null,
        };

    private JsonObject PaymentMethod(PaymentMethodRow row)
    {
        var json = new JsonObject
        {
            ["id"] = row.Id,
            ["object"] = "payment_method",
            ["allow_redisplay"] = row.AllowRedisplay,
            ["billing_details"] = Billing(row.BillingDetails),
            ["created"] = row.Created,
            ["customer"] = row.Customer,
            ["customer_account"] = null,
            ["livemode"] = false,
            ["metadata"] = StripeJson.Of(row.Metadata),
            ["type"] = row.Type,
        };
        json[row.Type] = row.Type switch
        {
            "us_bank_account" => Bank(row),
            "card_present" => CardPresent(row),
            _ => Card(row),
        };
        return json;
    }

    private JsonObject Card(PaymentMethodRow row)
    {
        StripeTestMethod card = StripeTestMethods.Of(row);
        return new JsonObject
        {
            ["brand"] = card.Brand,
            ["checks"] = Checks(),
            ["country"] = card.Country,
            ["display_brand"] = card.Brand,
            ["exp_month"] = row.ExpMonth,
            ["exp_year"] = row.ExpYear,
            ["fingerprint"] = Fingerprint(card),
            ["funding"] = card.Funding,
            ["generated_from"] = GeneratedFrom(row),
            ["last4"] = row.Last4 ?? card.Last4,
            ["networks"] = new JsonObject { ["available"] = new JsonArray(card.Brand), ["preferred"] = null },
            ["regulated_status"] = "unregulated",
            ["three_d_secure_usage"] = new JsonObject { ["supported"] = true },
            ["wallet"] = null,
        };
    }

    private static JsonObject Checks() => new()
    {
        ["address_line1_check"] = null,
        ["address_postal_code_check"] = null,
        ["cvc_check"] = "pass",
    };

    private JsonObject? GeneratedFrom(PaymentMethodRow row)
    {
        if (row.GeneratedFromCharge is null && row.GeneratedFromAttempt is null)
        {
            return null;
        }

        PaymentMethodRow? presented = row.GeneratedFromCharge is { } charge
            ? store.PaymentMethods.Find(store.Charges.Get(charge).PaymentMethod)
            : store.PaymentMethods.Find(store.SetupAttempts.Get(row.GeneratedFromAttempt!).PaymentMethod);
        return new JsonObject
        {
            ["charge"] = row.GeneratedFromCharge,
            ["payment_method_details"] = presented is null ? null
                : new JsonObject { ["card_present"] = CardPresent(presented), ["type"] = "card_present" },
            ["setup_attempt"] = row.GeneratedFromAttempt,
        };
    }

    private static JsonObject CardPresent(PaymentMethodRow row)
    {
        StripeTestMethod card = StripeTestMethods.Of(row);
        return new JsonObject
        {
            ["brand"] = card.Brand,
            ["brand_product"] = null,
            ["cardholder_name"] = null,
            ["country"] = card.Country,
            ["exp_month"] = row.ExpMonth,
            ["exp_year"] = row.ExpYear,
            ["fingerprint"] = Fingerprint(card),
            ["funding"] = card.Funding,
            ["last4"] = card.Last4,
            ["networks"] = new JsonObject { ["available"] = new JsonArray(card.Brand), ["preferred"] = null },
            ["offline"] = null,
            ["preferred_locales"] = new JsonArray("en"),
            ["read_method"] = "contactless_emv",
            ["wallet"] = null,
        };
    }

    private static JsonObject Bank(PaymentMethodRow row)
    {
        StripeTestMethod bank = StripeTestMethods.Of(row);
        return new JsonObject
        {
            ["account_holder_type"] = "individual",
            ["account_type"] = "checking",
            ["bank_name"] = "STRIPE TEST BANK",
            ["financial_connections_account"] = null,
            ["fingerprint"] = Fingerprint(bank),
            ["last4"] = bank.Last4,
            ["networks"] = new JsonObject { ["preferred"] = "ach", ["supported"] = new JsonArray("ach") },
            ["routing_number"] = "110000000",
            ["status_details"] = row.BlockedBy is null ? null : new JsonObject
            {
                ["blocked"] = new JsonObject
                {
                    ["network_code"] = row.BlockedBy,
                    ["reason"] = row.BlockedBy switch
                    {
                        "R02" => "bank_account_closed",
                        "R10" => "debit_not_authorized",
                        _ => "bank_account_unusable",
                    },
                },
            },
        };
    }

    private static JsonObject Mandate(MandateRow row)
    {
        var details = new JsonObject { ["type"] = "us_bank_account", ["us_bank_account"] = new JsonObject() };
        var json = new JsonObject
        {
            ["id"] = row.Id,
            ["object"] = "mandate",
            ["customer_acceptance"] = Copy(row.CustomerAcceptance),
            ["livemode"] = false,
            ["multi_use"] = row.SingleUse ? null : new JsonObject(),
            ["payment_method"] = row.PaymentMethod,
            ["payment_method_details"] = details,
            ["status"] = row.Status,
            ["type"] = row.SingleUse ? "single_use" : "multi_use",
        };
        if (row.SingleUse)
        {
            json["single_use"] = new JsonObject();
        }

        return json;
    }

    /// <summary>The same number always has the same fingerprint, so duplicates of a card can be recognised.</summary>
    private static string Fingerprint(StripeTestMethod method) =>
        StripeIds.Make("fp", 0, long.Parse(method.Number[^12..], System.Globalization.CultureInfo.InvariantCulture))[3..19];
}
