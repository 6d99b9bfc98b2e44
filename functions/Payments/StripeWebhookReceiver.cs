using Flex.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Flex.Payments;

/// <summary>The webhook over HTTP: the raw body, bounded, and Stripe's signature header; 200 without a body.</summary>
public sealed class StripeWebhookReceiver(StripeWebhook webhook)
{
    public const string SignatureHeader = "Stripe-Signature";

    public async Task<IResult> ReceiveAsync(HttpRequest request, CancellationToken cancellation)
    {
        string requestId = request.HttpContext.CorrelationId();
        try
        {
            byte[] body = await RequestBody.ReadBytesAsync(request, StripeWebhook.MaxBytes, cancellation);
            Error? refused = await webhook.ReceiveAsync(body, request.Headers[SignatureHeader].ToString(), cancellation);
            return refused is null ? Results.Ok() : Problem.Of(refused, requestId);
        }
        catch (RefusalException tooLarge)
        {
            return Problem.Of(tooLarge.Error, requestId);
        }
    }
}
