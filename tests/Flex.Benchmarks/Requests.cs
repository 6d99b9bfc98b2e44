using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flex.Local.Simulators.Stripe;
using NodaTime;
using NodaTime.Text;
using Stripe;

namespace Flex.Benchmarks;

/// <summary>The requests that are measured, made with as little work at the client as possible.</summary>
internal static class Requests
{
    public static HttpRequestMessage Booking(string token, string room, string member, Instant start, Duration length)
    {
        string body = JsonSerializer.Serialize(new
        {
            resourceId = room,
            memberId = member,
            start = InstantPattern.General.Format(start),
            end = InstantPattern.General.Format(start + length),
        });
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/bookings") { Content = Json(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Add("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"{room}-{start.ToUnixTimeSeconds()}"));
        return request;
    }

    /// <summary>An hour a week from a start on, at a location in UTC.</summary>
    public static HttpRequestMessage Series(string token, string room, string member, Instant start, int weeks)
    {
        LocalDateTime local = start.InUtc().LocalDateTime;
        string body = JsonSerializer.Serialize(new
        {
            resourceId = room,
            memberId = member,
            localStart = LocalDateTimePattern.GeneralIso.Format(local),
            localEnd = LocalDateTimePattern.GeneralIso.Format(local.PlusHours(1)),
            recurrence = new { frequency = "weekly", count = weeks },
        });
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/recurring-bookings") { Content = Json(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Add("Idempotency-Key", $"{room}-series");
        return request;
    }

    public static HttpRequestMessage Get(string token, string path) =>
        new(HttpMethod.Get, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };

    /// <summary>An event of a kind that is published like every other and then needs no work.</summary>
    public static HttpRequestMessage Webhook(string id, string secret, Instant now)
    {
        string body = JsonSerializer.Serialize(new
        {
            id,
            @object = "event",
            api_version = StripeOptions.DefaultApiVersion,
            livemode = false,
            type = "customer.updated",
            data = new { @object = new { id = "cus_bench", @object = "customer", description = new string('x', 1000) } },
        });
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/webhooks/stripe") { Content = Json(body) };
        request.Headers.TryAddWithoutValidation("Stripe-Signature", EventUtility.GenerateSignatureHeader(body, secret, now.ToUnixTimeSeconds()));
        return request;
    }

    public static async Task<string> TokenAsync(HttpClient http, CancellationToken cancellation)
    {
        using HttpResponseMessage answer = await http.PostAsync("/local/token", Json("""{"role":"staff"}"""), cancellation);
        answer.EnsureSuccessStatusCode();
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellation))!["token"]!;
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
