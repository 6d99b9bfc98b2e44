using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// Sends events to their endpoints. A delivery stays in the journal until it was answered with 2xx, so each arrives at
/// least once; it is repeated with exponential back-off for three days and then dropped.
/// </summary>
internal sealed class StripeDeliveries(StripeWorld world)
{
    private StripeStore Store => world.Store;

    /// <summary>The signed request; null when the event or the endpoint is gone.</summary>
    public HttpRequestMessage? Prepare(WorkRow work)
    {
        if (Store.Events.Find(work.Target) is not { } happened || StripeEndpoints.Find(world, work.Endpoint!) is not { Disabled: false } endpoint)
        {
            return null;
        }

        JsonObject json = StripeRenderer.Event(happened);
        json["api_version"] = endpoint.ApiVersion ?? StripeOptions.DefaultApiVersion;
        string payload = json.ToJsonString(StripeJson.Options);
        var content = new StringContent(payload, Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint.Url) { Content = content };
        request.Headers.TryAddWithoutValidation("Stripe-Signature", Signature(payload, StripeEndpoints.Secrets(endpoint, world.Now), world.Seconds));
        request.Headers.TryAddWithoutValidation("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
        return request;
    }

    /// <summary>Done, or again later, or given up.</summary>
    public void Record(WorkRow work, bool delivered)
    {
        if (Store.Work.Find(work.Id) is null)
        {
            return;
        }

        EventRow? happened = Store.Events.Find(work.Target);
        Instant next = world.Now + Backoff(work.Attempt);
        if (!delivered && happened is not null && StripeEndpoints.Find(world, work.Endpoint!) is not null &&
            next <= Instant.FromUnixTimeSeconds(happened.Created) + world.Options.WebhookGiveUpAfter)
        {
            Store.Work.Put(work with { Attempt = work.Attempt + 1, Due = next });
            return;
        }

        Store.Work.Delete(work.Id);
        if (happened is not null)
        {
            Store.Events.Put(happened with { Pending = happened.Pending - 1 });
        }
    }

    /// <summary><c>t=…,v1=…</c> with one HMAC-SHA256 of <c>t.payload</c> per secret.</summary>
    public static string Signature(string payload, IEnumerable<string> secrets, long seconds)
    {
        string at = seconds.ToString(CultureInfo.InvariantCulture);
        byte[] signed = Encoding.UTF8.GetBytes($"{at}.{payload}");
        var header = new StringBuilder($"t={at}");
        foreach (string secret in secrets)
        {
            header.Append(",v1=").Append(Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed)));
        }

        return header.ToString();
    }

    private Duration Backoff(int attempt)
    {
        Duration pause = world.Options.WebhookFirstBackoff;
        for (int i = 0; i < attempt && pause < world.Options.WebhookMaxBackoff; i++)
        {
            pause += pause;
        }

        return Duration.Min(pause, world.Options.WebhookMaxBackoff);
    }
}
