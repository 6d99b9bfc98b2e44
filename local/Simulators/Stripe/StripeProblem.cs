using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Why a payment, a setup or an attachment failed, in the words of Stripe's error object. Stored with what failed.</summary>
internal sealed record StripeFailure(string Code, string Message)
{
    public string Type { get; init; } = "card_error";

    public string? DeclineCode { get; init; }

    public string? AdviceCode { get; init; }

    public string? NetworkAdviceCode { get; init; }

    public string? NetworkDeclineCode { get; init; }

    public string? Param { get; init; }

    public string? Charge { get; init; }

    public string? PaymentMethod { get; init; }
}

/// <summary>
/// An API error answer. <see cref="Keep"/> commits what the request did so far (a decline leaves a failed charge behind);
/// otherwise everything is undone. <see cref="Storable"/> is false for answers given before execution started, which
/// Stripe does not keep under the idempotency key.
/// </summary>
internal sealed class StripeProblem(int status, string type, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Type { get; } = type;

    public string? Code { get; init; }

    public string? Param { get; init; }

    public StripeFailure? Failure { get; init; }

    public JsonObject? PaymentIntent { get; init; }

    public JsonObject? SetupIntent { get; init; }

    public JsonObject? PaymentMethod { get; init; }

    public bool Keep { get; init; }

    public bool Storable { get; init; } = true;

    public string? RateLimitReason { get; init; }

    public static StripeProblem Invalid(string message, string? param = null, string? code = null) =>
        new(400, "invalid_request_error", message) { Param = param, Code = code };

    /// <summary>A request that failed validation: nothing was executed, nothing is kept under its key.</summary>
    public static StripeProblem BadParameter(string message, string? param, string? code) =>
        new(400, "invalid_request_error", message) { Param = param, Code = code, Storable = false };

    public static StripeProblem Missing(string what, string id, string param = "id", int status = 404) =>
        new(status, "invalid_request_error", $"No such {what}: '{id}'") { Param = param, Code = "resource_missing" };

    public static StripeProblem Unauthorized(string message) => new(401, "invalid_request_error", message) { Storable = false };

    public static StripeProblem RateLimited(string reason) => new(429, "invalid_request_error",
        "Request rate limit exceeded. Learn more about rate limits here https://docs.stripe.com/rate-limits.")
    {
        Code = reason == "lock_timeout" ? "lock_timeout" : "rate_limit",
        RateLimitReason = reason == "lock_timeout" ? "resource-specific" : reason,
        Storable = false,
    };

    public static StripeProblem ServerError(int status) => new(status, "api_error", "An unknown error occurred") { Storable = status == 500 };

    public JsonObject ToJson(string requestId)
    {
        var error = new JsonObject();
        string? code = Failure?.Code ?? Code;
        Add("advice_code", Failure?.AdviceCode);
        Add("charge", Failure?.Charge);
        Add("code", code);
        Add("decline_code", Failure?.DeclineCode);
        Add("doc_url", code is null ? null : DocUrl(code));
        Add("message", Message);
        Add("network_advice_code", Failure?.NetworkAdviceCode);
        Add("network_decline_code", Failure?.NetworkDeclineCode);
        Add("param", Failure?.Param ?? Param);
        AddObject("payment_intent", PaymentIntent);
        AddObject("payment_method", PaymentMethod);
        AddObject("setup_intent", SetupIntent);
        Add("request_log_url", $"https://dashboard.stripe.com/test/logs/{requestId}");
        Add("type", Type);
        return new JsonObject { ["error"] = error };

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                error[name] = value;
            }
        }

        void AddObject(string name, JsonObject? value)
        {
            if (value is not null)
            {
                error[name] = value.DeepClone();
            }
        }
    }

    public static string DocUrl(string code) => $"https://docs.stripe.com/error-codes/{code.Replace('_', '-')}";
}
