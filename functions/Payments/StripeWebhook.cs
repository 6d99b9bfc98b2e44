using System.Text;
using System.Text.Json;
using Flex.Platform.Messaging;
using NodaTime;
using Stripe;

namespace Flex.Payments;

/// <summary>An event as it travels on the queue: a hint that an object has changed, and the raw text for the record.</summary>
/// <param name="CreatedAt">When Stripe made it; null if it does not say.</param>
public sealed record StripeEventReceived(string Id, string Type, string ObjectId, string Payload, Instant? CreatedAt = null)
{
    public const string Subject = "stripe.event.v1";
}

/// <summary>
/// The intake of Stripe's webhooks: checks the signature over the raw bytes, publishes, answers. No storage call; whoever consumes the queue
/// fetches the object itself, so an event's order and API version do not matter.
/// </summary>
public sealed class StripeWebhook(StripeSettings settings, IMessagePublisher publisher, TimeProvider time)
{
    /// <summary>Stripe's events are far smaller.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>Seconds a signature may be old. Source: docs.stripe.com/webhooks#verify-official-libraries</summary>
    private const long Tolerance = 300;

    /// <summary>The year 9999.</summary>
    private const long MaxUnixSeconds = 253_402_300_799;

    /// <summary>Null when the event is accepted; else 400 <c>invalid_signature</c> or <c>malformed_request</c>.</summary>
    /// <exception cref="TransientFaultException">Not published: Stripe will send it again.</exception>
    public async Task<Error?> ReceiveAsync(byte[] body, string? signature, CancellationToken cancellation)
    {
        string payload = Encoding.UTF8.GetString(body);
        if (!IsSigned(payload, signature))
        {
            PaymentMetrics.CountWebhook(WebhookOutcome.Refused);
            return new Error(ErrorKind.Malformed, ErrorCodes.InvalidSignature, "The signature is missing, wrong or too old.");
        }

        if (Parse(payload) is not { } received)
        {
            PaymentMetrics.CountWebhook(WebhookOutcome.Refused);
            return new Error(ErrorKind.Malformed, ErrorCodes.MalformedRequest, "The body is not an event.");
        }

        if (received.Livemode != settings.Livemode)
        {
            PaymentMetrics.CountWebhook(WebhookOutcome.Ignored);
            return null;
        }

        await PublishAsync(received.Event, cancellation);
        return null;
    }

    private async Task PublishAsync(StripeEventReceived received, CancellationToken cancellation)
    {
        var outcome = WebhookOutcome.Unpublished;
        try
        {
            await publisher.PublishAsync(
                Queues.StripeEvents,
                new Envelope(received.Id, StripeEventReceived.Subject, Platform.StorageJson.Write(received), CorrelationScope.Current),
                null,
                cancellation);
            outcome = WebhookOutcome.Accepted;
        }
        finally
        {
            PaymentMetrics.CountWebhook(outcome);
        }
    }

    private bool IsSigned(string payload, string? signature) =>
        signature is { Length: > 0 }
        && new[] { settings.WebhookSecret, settings.WebhookSecretNext }.Where(s => s.Length > 0).Any(secret => IsSigned(payload, signature, secret));

    private bool IsSigned(string payload, string signature, string secret)
    {
        try
        {
            EventUtility.ValidateSignature(payload, signature, secret, Tolerance, time.GetUtcNow().ToUnixTimeSeconds());
            return true;
        }
        catch (Exception refused) when (refused is StripeException or FormatException or OverflowException or ArgumentException or IndexOutOfRangeException
            or KeyNotFoundException or InvalidOperationException)
        {
            // The library throws what it meets in a header that is no signature at all.
            return false;
        }
    }

    /// <summary>Read by hand: the library refuses events of other API versions and fails on one without a version.</summary>
    private static (StripeEventReceived Event, bool Livemode)? Parse(string payload)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(payload);
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object
                && Text(root, "id") is { } id
                && Text(root, "type") is { } type
                && root.TryGetProperty("data", out JsonElement data) && data.ValueKind == JsonValueKind.Object
                && data.TryGetProperty("object", out JsonElement subject) && subject.ValueKind == JsonValueKind.Object
                && id.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
                    ? (new StripeEventReceived(id, type, Text(subject, "id") ?? string.Empty, payload, CreatedAt(root)),
                        root.TryGetProperty("livemode", out JsonElement live) && live.ValueKind == JsonValueKind.True)
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Seconds since 1970; what is no such time within NodaTime's range is no time.</summary>
    private static Instant? CreatedAt(JsonElement root) =>
        root.TryGetProperty("created", out JsonElement created) && created.ValueKind == JsonValueKind.Number && created.TryGetInt64(out long seconds)
        && seconds is >= 0 and <= MaxUnixSeconds
            ? Instant.FromUnixTimeSeconds(seconds)
            : null;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= 255 } text
            ? text
            : null;
}
