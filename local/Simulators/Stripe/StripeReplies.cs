namespace Flex.Local.Simulators.Stripe;

/// <summary>Answers with the headers every answer carries.</summary>
internal static class StripeReplies
{
    public static StripeReply Of(StripeRequest request, string requestId, StripeProblem problem)
    {
        StripeReply reply = Of(request, requestId, problem.Status, problem.ToJson(requestId).ToJsonString(StripeJson.Options));
        return problem.RateLimitReason is not { } reason ? reply
            : reply with { Headers = With(reply.Headers, ("Stripe-Rate-Limited-Reason", reason)) };
    }

    public static StripeReply Of(StripeRequest request, string requestId, int status, string body)
    {
        var headers = new Dictionary<string, string>
        {
            ["Request-Id"] = requestId,
            ["Stripe-Version"] = request.Header("Stripe-Version") ?? StripeOptions.DefaultApiVersion,
        };
        if (StripeIdempotency.KeyOf(request) is { } key)
        {
            headers["Idempotency-Key"] = key;
        }

        return new StripeReply(status, body, headers);
    }

    public static StripeReply Lost(string requestId) =>
        new(0, string.Empty, new Dictionary<string, string> { ["Request-Id"] = requestId }, Lost: true);

    public static Dictionary<string, string> With(IReadOnlyDictionary<string, string> headers, params ReadOnlySpan<(string Name, string Value)> more)
    {
        var result = new Dictionary<string, string>(headers);
        foreach ((string name, string value) in more)
        {
            result[name] = value;
        }

        return result;
    }
}
