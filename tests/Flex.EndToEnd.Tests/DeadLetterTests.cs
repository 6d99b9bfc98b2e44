using System.Net;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Flex.Local.Runtime.Hosting;
using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;
using Stripe;
using Xunit;

namespace Flex.EndToEnd.Tests;

public sealed class DeadLetterTests(Space space) : IClassFixture<Space>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_nobody_understands_ends_as_a_dead_letter_with_its_reason_also_after_a_replay()
    {
        IMessagePublisher publisher = space.Host.Local.Runtime.Services.GetRequiredService<IMessagePublisher>();
        await publisher.PublishAsync(Queues.Billing, new Envelope("poison-1", "parcel.lost.v1", "{}", null), null, Cancel);

        await space.Host.AdvanceAsync("PT1S", Cancel);
        JsonObject dead = await SingleAsync(Queues.Billing);
        HttpStatusCode replayed = await ReplayAsync(Queues.Billing, "poison-1");
        JsonArray meanwhile = await ListAsync(Queues.Billing);
        await space.Host.AdvanceAsync("PT1S", Cancel);
        JsonObject again = await SingleAsync(Queues.Billing);

        Assert.Equal(("poison-1", "parcel.lost.v1"), ((string?)dead["id"], (string?)dead["subject"]));
        Assert.Equal("unknown_subject: Nobody handles 'parcel.lost.v1' on queue 'billing'.", (string?)dead["reason"]);
        Assert.Equal(1, (int)dead["deliveryCount"]!);
        Assert.Equal(HttpStatusCode.NoContent, replayed);
        Assert.Empty(meanwhile);
        Assert.Equal((string?)dead["reason"], (string?)again["reason"]);
    }

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task A_message_that_failed_for_a_while_has_its_effect_when_it_is_replayed()
    {
        const string Body = """
            {"id":"evt_late","object":"event","type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_late","object":"payment_intent"}}}
            """;
        JsonObject fault = await space.Client.PostAsync(
            string.Empty,
            "/local/faults",
            new JsonObject
            {
                ["target"] = "stripe",
                ["kind"] = "status",
                ["status"] = 401,
                ["method"] = "GET",
                ["path"] = "/v1/payment_intents/pi_late",
                ["times"] = null,
            },
            "late-fault",
            Cancel);
        using var delivery = new HttpRequestMessage(HttpMethod.Post, "/api/v1/webhooks/stripe") { Content = new StringContent(Body) };
        long now = space.Host.Local.Runtime.Scheduler.Now.ToUnixTimeSeconds();
        delivery.Headers.Add("Stripe-Signature", EventUtility.GenerateSignatureHeader(Body, LocalModules.WebhookSecret, now));
        using HttpResponseMessage taken = await space.Host.Http.SendAsync(delivery, Cancel);
        await space.Host.AdvanceAsync("PT2H", Cancel);
        JsonObject dead = await SingleAsync(Queues.StripeEvents);

        await space.Client.OkAsync(string.Empty, HttpMethod.Delete, $"/local/faults/{fault["id"]}", null, null, null, Cancel);
        HttpStatusCode replayed = await ReplayAsync(Queues.StripeEvents, "evt_late");
        await space.Host.AdvanceAsync("PT1S", Cancel);

        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        Assert.Equal("evt_late", (string?)dead["id"]);
        Assert.Matches("^[A-Za-z]+Exception: ", (string?)dead["reason"]);
        Assert.Equal(Queues.MaxFailures, (int)dead["deliveryCount"]!);
        Assert.Equal(HttpStatusCode.NoContent, replayed);
        Assert.Empty(await ListAsync(Queues.StripeEvents));
        Assert.Equal(0, await WaitingAsync(Queues.StripeEvents));
    }

    private async Task<JsonObject> SingleAsync(string queue) => Assert.Single(await ListAsync(queue))!.AsObject();

    private async Task<JsonArray> ListAsync(string queue) =>
        (await space.Client.GetAsync("staff", $"/api/v1/dead-letters?queue={queue}", Cancel))["results"]!.AsArray();

    private async Task<HttpStatusCode> ReplayAsync(string queue, string id) =>
        (await space.Client.SendAsync("staff", HttpMethod.Post, $"/api/v1/dead-letters/{queue}/{id}/replay", null, null, null, Cancel)).Status;

    private async Task<int> WaitingAsync(string queue)
    {
        JsonArray queues = JsonNode.Parse(await space.Host.Http.GetStringAsync("/local/queues", Cancel))!.AsArray();
        JsonNode status = queues.Single(q => (string?)q!["queue"] == queue)!;
        return (int)status["active"]! + (int)status["scheduled"]! + (int)status["delivering"]!;
    }
}
