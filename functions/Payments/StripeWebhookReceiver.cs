using Flex.Platform.Http;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;

namespace Flex.Payments;

/// <summary>
/// The webhook over HTTP: the raw body, bounded, and Stripe's signature header; 200 without a body. Bad signatures count as refused
/// calls of their address; what Stripe has signed is never limited, however much of it comes at once.
/// </summary>
public sealed class StripeWebhookReceiver(StripeWebhook webhook, CallLimits limits)
{
    public const string SignatureHeader = "Stripe-Signature";

    public async Task<IResult> ReceiveAsync(HttpRequest request, CancellationToken cancellation)
    {
        string requestId = request.HttpContext.CorrelationId();
        try
        {
            byte[] body = await RequestBody.ReadBytesAsync(request, StripeWebhook.MaxBytes, cancellation);
            Error? refused = await webhook.ReceiveAsync(body, request.Headers[SignatureHeader].ToString(), cancellation);
            return refused switch
            {
                null => Results.Ok(),
                { Code: ErrorCodes.InvalidSignature } => Problem.Of(limits.Refuse(request.HttpContext, refused), requestId),
                _ => Problem.Of(refused, requestId),
            };
        }
        catch (RefusalException tooLarge)
        {
            return Problem.Of(tooLarge.Error, requestId);
        }
    }
}
