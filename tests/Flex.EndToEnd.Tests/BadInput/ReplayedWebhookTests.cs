using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Flex.Local.Runtime.Hosting;
using Stripe;
using Xunit;

namespace Flex.EndToEnd.Tests.BadInput;

/// <summary>On a space of its own, because days pass.</summary>
public sealed class ReplayedWebhookTests(Space space) : IClassFixture<Space>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Rule", "PAY-6")]
    public async Task An_event_that_is_delivered_again_is_taken_again_and_has_one_effect()
    {
        // A bank debit, which takes dollars and days; what Stripe says about its end never arrives, until it is delivered here.
        JsonObject offer = Bodies.Plan(space).With("locationId", space.Boston).With("price", Bodies.Money("200.00", "usd"));
        string plan = (string)(await space.Client.PostAsync("staff", "/api/v1/plans", offer, "replay-plan", Cancel))["id"]!;
        JsonObject bank = new() { ["paymentMethod"] = "pm_usBankAccount_success" };
        await space.Client.PostAsync("staff", $"/api/v1/customers/{space.Bob.Customer}/payment-methods", bank, "replay-bank", Cancel);
        JsonObject drop = new() { ["target"] = "webhooks", ["kind"] = "drop", ["path"] = "payment_intent.succeeded" };
        await space.Client.PostAsync(string.Empty, "/local/faults", drop, "replay-drop", Cancel);
        JsonObject signUp = new() { ["planId"] = plan };
        JsonObject pending = await space.Client.PostAsync(space.Bob.Member, "/api/v1/memberships/sign-up", signUp, "replay-sign-up", Cancel);
        Assert.Equal("pending", (string?)pending["status"]);
        string body = await FirstEventAsync("payment_intent.succeeded");

        await space.Host.AdvanceAsync("PT1S", Cancel);
        HttpStatusCode first = await DeliverAsync(body);
        await space.Host.AdvanceAsync("PT1S", Cancel);
        JsonObject active = await space.Client.GetAsync(space.Bob.Member, $"/api/v1/memberships/{pending["id"]}", Cancel);
        string once = await space.SnapshotAsync(Cancel);
        HttpStatusCode again = await DeliverAsync(body);
        await space.Host.AdvanceAsync("PT1S", Cancel);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first, again));
        Assert.Equal("active", (string?)active["status"]);
        Assert.Equal(once, await space.SnapshotAsync(Cancel));
    }

    /// <summary>Waits, in simulated days, for Stripe to have an event of the type about Bob's debit, and gives its text.</summary>
    private async Task<string> FirstEventAsync(string type)
    {
        for (int day = 0; day < 7; day++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/local/stripe/v1/events?type={type}&limit=1");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", LocalModules.StripeKey);
            using HttpResponseMessage response = await space.Host.Http.SendAsync(request, Cancel);
            JsonNode? latest = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancel))!["data"]!.AsArray().FirstOrDefault();
            if (latest is not null && ((string?)latest["data"]!["object"]!["payment_method_types"]![0]) == "us_bank_account")
            {
                return latest.ToJsonString();
            }

            await space.Host.AdvanceAsync("P1D", Cancel);
        }

        throw new InvalidOperationException($"Stripe has no {type}.");
    }

    private async Task<HttpStatusCode> DeliverAsync(string body)
    {
        long now = space.Host.Local.Runtime.Scheduler.Now.ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/webhooks/stripe")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Stripe-Signature", EventUtility.GenerateSignatureHeader(body, LocalModules.WebhookSecret, now));
        using HttpResponseMessage answer = await space.Host.Http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }
}
