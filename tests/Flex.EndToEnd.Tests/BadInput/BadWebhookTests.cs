using System.Net;
using System.Text;
using Flex.EndToEnd.Tests.Support;
using Flex.Local.Runtime.Hosting;
using Stripe;
using Xunit;

namespace Flex.EndToEnd.Tests.BadInput;

[Collection(nameof(Space))]
public sealed class BadWebhookTests(Space space)
{
    private const string Event = """
        {"id":"evt_bad","object":"event","type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_bad","object":"payment_intent"}}}
        """;

    private static readonly Dictionary<string, Func<long, string?>> Forged = new()
    {
        ["no signature"] = _ => null,
        ["an empty signature"] = _ => string.Empty,
        ["a header of no form"] = _ => "nonsense",
        ["a header with no signature in it"] = now => $"t={now}",
        ["a time that is no number"] = _ => "t=yesterday,v1=00",
        ["signed with another secret"] = now => EventUtility.GenerateSignatureHeader(Event, "whsec_other", now),
        ["signed for another body"] = now => EventUtility.GenerateSignatureHeader(Event + " ", LocalModules.WebhookSecret, now),
        ["signed 301 seconds ago"] = now => EventUtility.GenerateSignatureHeader(Event, LocalModules.WebhookSecret, now - 301),
        ["with a fresh time put in"] = now => Redated(EventUtility.GenerateSignatureHeader(Event, LocalModules.WebhookSecret, now - 301), now),
    };

    public static TheoryData<string> ForgedNames => [.. Forged.Keys];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private long Now => space.Host.Local.Runtime.Scheduler.Now.ToUnixTimeSeconds();

    [Theory]
    [MemberData(nameof(ForgedNames))]
    public async Task A_forged_or_stale_signature_is_refused_and_nothing_is_queued(string name)
    {
        string before = await StateAsync();

        Refusal refusal = await RefusedAsync(Event, Forged[name](Now));

        Assert.Equal((400, "invalid_signature"), (refusal.Status, refusal.Code));
        Assert.Equal(before, await StateAsync());
    }

    [Theory]
    [InlineData("not JSON", 400, "malformed_request")]
    [InlineData("[]", 400, "malformed_request")]
    [InlineData("{}", 400, "malformed_request")]
    [InlineData("""{"id":5,"type":"payment_intent.succeeded","data":{"object":{}}}""", 400, "malformed_request")]
    [InlineData("""{"id":"evt_1","type":"payment_intent.succeeded","data":[]}""", 400, "malformed_request")]
    [InlineData("""{"id":"evt/../1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}""", 400, "malformed_request")]
    public async Task A_signed_body_that_is_no_event_is_refused_and_nothing_is_queued(string body, int status, string code)
    {
        string before = await StateAsync();

        Refusal refusal = await RefusedAsync(body, Signed(body));

        Assert.Equal((status, code), (refusal.Status, refusal.Code));
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task An_event_of_300_kB_is_refused_and_nothing_is_queued()
    {
        string before = await StateAsync();
        string body = Event + new string(' ', 300_000);

        Refusal refusal = await RefusedAsync(body, Signed(body));

        Assert.Equal((413, "body_too_large"), (refusal.Status, refusal.Code));
        Assert.Equal(before, await StateAsync());
    }

    [Theory]
    [InlineData("\"livemode\":false", "\"livemode\":true")]
    [InlineData("payment_intent.succeeded", "payout.paid")]
    [InlineData("evt_bad", "evt_foreign")]
    public async Task A_signed_event_that_is_none_of_ours_is_taken_and_changes_nothing(string part, string instead)
    {
        string body = Event.Replace(part, instead, StringComparison.Ordinal);
        string before = await space.SnapshotAsync(Cancel);

        Assert.Equal(HttpStatusCode.OK, await DeliverAsync(body, Signed(body)));

        await space.Host.AdvanceAsync("PT1S", Cancel);
        Assert.Equal(before, await space.SnapshotAsync(Cancel));
    }

    private string Signed(string body) => EventUtility.GenerateSignatureHeader(body, LocalModules.WebhookSecret, Now);

    private async Task<HttpStatusCode> DeliverAsync(string body, string? signature)
    {
        using HttpRequestMessage request = Delivery(body, signature);
        using HttpResponseMessage answer = await space.Host.Http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    private async Task<Refusal> RefusedAsync(string body, string? signature)
    {
        using HttpRequestMessage request = Delivery(body, signature);
        return await space.SendAsync(request, Cancel);
    }

    private static HttpRequestMessage Delivery(string body, string? signature)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/webhooks/stripe")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (signature is not null)
        {
            request.Headers.TryAddWithoutValidation("Stripe-Signature", signature);
        }

        return request;
    }

    private static string Redated(string header, long now) => $"t={now}{header[header.IndexOf(',', StringComparison.Ordinal)..]}";

    private async Task<string> StateAsync() => await space.Host.Http.GetStringAsync("/local/queues", Cancel) + await space.SnapshotAsync(Cancel);
}
