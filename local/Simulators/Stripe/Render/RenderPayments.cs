using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

internal sealed partial class StripeRenderer
{
    private JsonObject PaymentIntent(PaymentIntentRow row) => new()
    {
        ["id"] = row.Id,
        ["object"] = "payment_intent",
        ["allowed_payment_method_types"] = row.Automatic ? null : StripeJson.Of(row.Types),
        ["amount"] = row.Amount,
        ["amount_capturable"] = row.AmountCapturable,
        ["amount_details"] = new JsonObject { ["tip"] = row.Tip is null ? new JsonObject() : new JsonObject { ["amount"] = row.Tip } },
        ["amount_received"] = row.AmountReceived,
        ["application"] = null,
        ["application_fee_amount"] = null,
        ["automatic_payment_methods"] = row.Automatic ? new JsonObject { ["allow_redirects"] = "always", ["enabled"] = true } : null,
        ["canceled_at"] = row.CanceledAt,
        ["cancellation_reason"] = row.CancellationReason,
        ["capture_method"] = row.CaptureMethod,
        ["client_secret"] = row.Secret,
        ["confirmation_method"] = row.ConfirmationMethod,
        ["created"] = row.Created,
        ["currency"] = row.Currency,
        ["customer"] = row.Customer,
        ["customer_account"] = null,
        ["description"] = row.Description,
        ["excluded_payment_method_types"] = null,
        ["last_payment_error"] = Error(row.LastError),
        ["latest_charge"] = row.LatestCharge,
        ["livemode"] = false,
        ["managed_payments"] = new JsonObject { ["enabled"] = false },
        ["metadata"] = StripeJson.Of(row.Metadata),
        ["next_action"] = row.Status == PaymentStatus.RequiresAction ? NextAction(row.Id, row.ReturnUrl) : null,
        ["on_behalf_of"] = null,
        ["payment_method"] = row.PaymentMethod,
        ["payment_method_configuration_details"] = null,
        ["payment_method_options"] = Copy(row.Options) ?? new JsonObject(),
        ["payment_method_types"] = StripeJson.Of(row.Types),
        ["processing"] = null,
        ["receipt_email"] = row.ReceiptEmail,
        ["review"] = null,
        ["setup_future_usage"] = row.SetupFutureUsage,
        ["shipping"] = Copy(row.Shipping),
        ["source"] = null,
        ["statement_descriptor"] = row.StatementDescriptor,
        ["statement_descriptor_suffix"] = row.StatementDescriptorSuffix,
        ["status"] = row.Status,
        ["transfer_data"] = null,
        ["transfer_group"] = row.TransferGroup,
    };

    private JsonObject NextAction(string intent, string? returnUrl)
    {
        string url = $"{options.PublicUrl}/control/intents/{intent}/authenticate";
        return returnUrl is null
            ? new JsonObject { ["type"] = "use_stripe_sdk", ["use_stripe_sdk"] = new JsonObject { ["type"] = "three_d_secure_redirect", ["stripe_js"] = url } }
            : new JsonObject { ["type"] = "redirect_to_url", ["redirect_to_url"] = new JsonObject { ["return_url"] = returnUrl, ["url"] = url } };
    }

    private JsonObject Charge(ChargeRow row)
    {
        PaymentMethodRow method = store.PaymentMethods.Get(row.PaymentMethod);
        StripeRow[] refunds = [.. store.Refunds.NewestFirst(index: "charge", key: row.Id).Take(10)];
        return new JsonObject
        {
            ["id"] = row.Id,
            ["object"] = "charge",
            ["amount"] = row.Amount,
            ["amount_captured"] = row.AmountCaptured,
            ["amount_refunded"] = row.AmountRefunded,
            ["application"] = null,
            ["application_fee"] = null,
            ["application_fee_amount"] = null,
            ["balance_transaction"] = null,
            ["billing_details"] = Billing(method.BillingDetails),
            ["calculated_statement_descriptor"] = row.StatementDescriptor,
            ["captured"] = row.Captured,
            ["created"] = row.Created,
            ["currency"] = row.Currency,
            ["customer"] = row.Customer,
            ["description"] = row.Description,
            ["disputed"] = row.Disputed,
            ["failure_balance_transaction"] = null,
            ["failure_code"] = row.Failure?.Code,
            ["failure_message"] = row.Failure?.Message,
            ["fraud_details"] = Copy(row.FraudDetails) ?? new JsonObject(),
            ["livemode"] = false,
            ["metadata"] = StripeJson.Of(row.Metadata),
            ["on_behalf_of"] = null,
            ["outcome"] = Outcome(row),
            ["paid"] = row.Status is "succeeded" or "pending",
            ["payment_intent"] = row.PaymentIntent,
            ["payment_method"] = row.PaymentMethod,
            ["payment_method_details"] = Details(row, method),
            ["receipt_email"] = row.ReceiptEmail,
            ["receipt_number"] = null,
            ["receipt_url"] = row.Status == "succeeded" ? $"{options.PublicUrl}/receipts/{row.Id}" : null,
            ["refunded"] = row.AmountRefunded > 0 && row.AmountRefunded == row.Amount,
            ["refunds"] = StripeJson.List($"/v1/charges/{row.Id}/refunds", refunds.Select(Object), hasMore: false),
            ["review"] = null,
            ["shipping"] = Copy(row.Shipping),
            ["source"] = null,
            ["source_transfer"] = null,
            ["statement_descriptor"] = row.StatementDescriptor,
            ["statement_descriptor_suffix"] = row.StatementDescriptorSuffix,
            ["status"] = row.Status,
            ["transfer_data"] = null,
            ["transfer_group"] = row.TransferGroup,
        };
    }

    private static JsonObject Outcome(ChargeRow row) => new()
    {
        ["advice_code"] = row.Failure?.AdviceCode,
        ["network_advice_code"] = row.Failure?.NetworkAdviceCode,
        ["network_decline_code"] = row.Failure?.NetworkDeclineCode,
        ["network_status"] = row.Failure is null ? "approved_by_network" : "declined_by_network",
        ["reason"] = row.Failure?.DeclineCode,
        ["risk_level"] = "normal",
        ["seller_message"] = row.Failure is null ? "Payment complete." : "The bank did not complete this payment.",
        ["type"] = row.Failure is null ? "authorized" : "issuer_declined",
    };

    private static JsonObject Details(ChargeRow row, PaymentMethodRow method)
    {
        var details = new JsonObject { ["type"] = method.Type };
        details[method.Type] = method.Type switch
        {
            "us_bank_account" => BankDetails(row, method),
            "card_present" => CardPresentDetails(row, method),
            _ => CardDetails(row, method),
        };
        return details;
    }

    private static JsonObject CardDetails(ChargeRow row, PaymentMethodRow method)
    {
        StripeTestMethod card = StripeTestMethods.Of(method);
        return new JsonObject
        {
            ["amount_authorized"] = row.Status == "succeeded" ? row.Amount : null,
            ["authorization_code"] = null,
            ["brand"] = card.Brand,
            ["checks"] = Checks(),
            ["country"] = card.Country,
            ["exp_month"] = method.ExpMonth,
            ["exp_year"] = method.ExpYear,
            ["extended_authorization"] = new JsonObject { ["status"] = "disabled" },
            ["fingerprint"] = Fingerprint(card),
            ["funding"] = card.Funding,
            ["incremental_authorization"] = new JsonObject { ["status"] = "unavailable" },
            ["installments"] = null,
            ["last4"] = method.Last4 ?? card.Last4,
            ["mandate"] = row.Mandate,
            ["multicapture"] = new JsonObject { ["status"] = "unavailable" },
            ["network"] = card.Brand,
            ["network_token"] = new JsonObject { ["used"] = false },
            ["network_transaction_id"] = null,
            ["overcapture"] = new JsonObject { ["maximum_amount_capturable"] = row.Amount, ["status"] = "unavailable" },
            ["regulated_status"] = "unregulated",
            ["three_d_secure"] = !row.Authenticated ? null : ThreeDSecure(),
            ["transaction_link_id"] = null,
            ["wallet"] = null,
        };
    }

    private static JsonObject ThreeDSecure() => new()
    {
        ["authentication_flow"] = "challenge",
        ["electronic_commerce_indicator"] = "05",
        ["exemption_indicator"] = null,
        ["result"] = "authenticated",
        ["result_reason"] = null,
        ["transaction_id"] = null,
        ["version"] = "2.2.0",
    };

    private static JsonObject CardPresentDetails(ChargeRow row, PaymentMethodRow method)
    {
        JsonObject json = CardPresent(method);
        json["amount_authorized"] = row.Amount;
        json["capture_before"] = row.Created + Payments.InPersonHoldSeconds;
        json["emv_auth_data"] = null;
        json["generated_card"] = row.GeneratedCard;
        json["incremental_authorization_supported"] = false;
        json["location"] = row.Location;
        json["network"] = StripeTestMethods.Of(method).Brand;
        json["network_transaction_id"] = null;
        json["overcapture_supported"] = false;
        json["reader"] = row.Reader;
        json["receipt"] = null;
        return json;
    }

    private static JsonObject BankDetails(ChargeRow row, PaymentMethodRow method)
    {
        JsonObject json = Bank(method);
        json.Remove("financial_connections_account");
        json.Remove("networks");
        json.Remove("status_details");
        json["mandate"] = row.Mandate;
        json["payment_reference"] = null;
        return json;
    }

    private JsonObject Refund(RefundRow row)
    {
        PaymentMethodRow method = store.PaymentMethods.Get(store.Charges.Get(row.Charge).PaymentMethod);
        var json = new JsonObject
        {
            ["id"] = row.Id,
            ["object"] = "refund",
            ["amount"] = row.Amount,
            ["balance_transaction"] = null,
            ["charge"] = row.Charge,
            ["created"] = row.Created,
            ["currency"] = row.Currency,
            ["customer"] = store.Charges.Get(row.Charge).Customer,
            ["customer_account"] = null,
            ["destination_details"] = new JsonObject
            {
                [method.Type == "us_bank_account" ? "us_bank_transfer" : "card"] = method.Type == "us_bank_account" ? new JsonObject()
                    : new JsonObject { ["reference"] = null, ["reference_status"] = "pending", ["type"] = "refund" },
                ["type"] = method.Type == "us_bank_account" ? "us_bank_transfer" : "card",
            },
            ["metadata"] = StripeJson.Of(row.Metadata),
            ["payment_intent"] = row.PaymentIntent,
            ["payment_method"] = method.Id,
            ["reason"] = row.Reason,
            ["receipt_number"] = null,
            ["source_transfer_reversal"] = null,
            ["status"] = row.Status,
            ["transfer_reversal"] = null,
        };
        if (row.FailureReason is not null)
        {
            json["failure_balance_transaction"] = null;
            json["failure_reason"] = row.FailureReason;
        }

        return json;
    }

    private JsonObject Dispute(DisputeRow row)
    {
        PaymentMethodRow method = store.PaymentMethods.Get(store.Charges.Get(row.Charge).PaymentMethod);
        string network = StripeTestMethods.Of(method).Brand;
        bool inquiry = row.Status.StartsWith("warning", StringComparison.Ordinal);
        return new JsonObject
        {
            ["id"] = row.Id,
            ["object"] = "dispute",
            ["amount"] = row.Amount,
            ["balance_transactions"] = new JsonArray(),
            ["charge"] = row.Charge,
            ["created"] = row.Created,
            ["currency"] = row.Currency,
            ["enhanced_eligibility_types"] = new JsonArray(),
            ["evidence"] = DisputeEvidence.Render(row.Evidence),
            ["evidence_details"] = new JsonObject
            {
                ["due_by"] = row.Created + DisputeEvidence.SecondsToAnswer,
                ["enhanced_eligibility"] = new JsonObject(),
                ["has_evidence"] = row.Evidence is { Count: > 0 },
                ["past_due"] = false,
                ["submission_count"] = row.Submissions,
            },
            ["is_charge_refundable"] = inquiry,
            ["livemode"] = false,
            ["metadata"] = StripeJson.Of(row.Metadata),
            ["payment_intent"] = row.PaymentIntent,
            ["payment_method_details"] = method.Type == "us_bank_account"
                ? new JsonObject { ["type"] = "us_bank_account", ["us_bank_account"] = new JsonObject() }
                : new JsonObject
                {
                    ["card"] = new JsonObject
                    {
                        ["brand"] = network,
                        ["case_type"] = inquiry ? "inquiry" : "chargeback",
                        ["network"] = network,
                        ["network_reason_code"] = row.Reason == "fraudulent" ? "10.4" : "13.1",
                    },
                    ["type"] = "card",
                },
            ["reason"] = row.Reason,
            ["status"] = row.Status,
        };
    }
}
