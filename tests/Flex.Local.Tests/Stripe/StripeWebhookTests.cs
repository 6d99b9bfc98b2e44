using System.Net;
using System.Text.Json.Nodes;
using Flex.Kernel;
using Flex.Local.Simulators.Stripe;
using NodaTime;
using Stripe;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;

namespace Flex.Local.Tests.Stripe;

public sealed class StripeWebhookTests : IDisposable
{
    private readonly StripeTestWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task The_sdk_accepts_the_signature_at_the_simulated_time()
    {
        await world.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "Åsa <ö>" }, cancellationToken: Cancel);
        await world.Settle();

        ReceivedWebhook webhook = Assert.Single(world.Receiver.Received);
        long now = world.Time.Now().ToUnixTimeSeconds();
        Event accepted = EventUtility.ConstructEvent(webhook.Body, webhook.Signature, StripeTestWorld.Secret, 300, now);

        Assert.Equal("customer.created", accepted.Type);
        Assert.Equal("2026-10-28.endive", accepted.ApiVersion);
        Assert.Equal("Åsa <ö>", ((Customer)accepted.Data.Object).Name);
        Assert.Equal(new Uri("http://flex.test/webhooks/stripe"), webhook.Url);
        Assert.Throws<StripeException>(() => EventUtility.ConstructEvent(webhook.Body, webhook.Signature, "whsec_other", 300, now));
        Assert.Throws<StripeException>(() => EventUtility.ConstructEvent(webhook.Body + " ", webhook.Signature, StripeTestWorld.Secret, 300, now));
    }

    [Fact]
    public async Task A_failed_delivery_is_repeated_with_growing_pauses_and_a_fresh_signature_until_it_is_accepted()
    {
        var at = new List<Duration>();
        world.Receiver.Status = _ =>
        {
            at.Add(world.Time.Now() - world.Start);
            return at.Count < 5 ? HttpStatusCode.InternalServerError : HttpStatusCode.OK;
        };
        Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);

        await world.Advance(Duration.FromDays(4));

        Assert.Equal([0, 1, 3, 7, 15], at.Select(since => since.TotalMinutes));
        Assert.Single(world.Receiver.Received.Select(webhook => webhook.Event.Id).Distinct());
        Assert.Equal(5, world.Receiver.Received.Select(webhook => webhook.Signature).Distinct().Count());
        Assert.Null(world.Simulator.Work.NextDue);
        Event stored = await world.V1.Events.GetAsync(world.Receiver.Received[0].Event.Id, cancellationToken: Cancel);
        Assert.Equal((0L, customer.Id), (stored.PendingWebhooks, ((Customer)stored.Data.Object).Id));
    }

    [Fact]
    public async Task A_delivery_is_given_up_after_three_days_and_the_event_can_still_be_read()
    {
        world.Receiver.Status = static _ => HttpStatusCode.ServiceUnavailable;
        await world.V1.Customers.CreateAsync(new CustomerCreateOptions(), cancellationToken: Cancel);

        await world.Advance(Duration.FromDays(10));

        Assert.Null(world.Simulator.Work.NextDue);
        Assert.InRange(world.Receiver.Received.Count, 10, 40);
        Assert.Equal("customer.created", Assert.Single(await world.V1.Events.ListAsync(new EventListOptions { Type = "customer.created" },
            cancellationToken: Cancel)).Type);
        await world.Advance(Duration.FromDays(21));
        Assert.Empty(await world.V1.Events.ListAsync(cancellationToken: Cancel));
    }

    [Fact]
    public async Task Deliveries_can_be_duplicated_reordered_and_lost()
    {
        world.Simulator.Faults = new ScriptedFaults
        {
            Delivery = delivery => delivery.EventType switch
            {
                "customer.created" => [Duration.FromSeconds(30)],
                "payment_method.attached" => [Duration.Zero, Duration.FromSeconds(10)],
                _ => [],
            },
        };

        (Customer customer, PaymentMethod method) = await world.CustomerWith("pm_card_visa");
        await world.Charge(customer, method);
        await world.Advance(Duration.FromMinutes(1));

        Assert.Equal(["payment_method.attached", "payment_method.attached", "customer.created"], world.Receiver.Types);
        Assert.Contains("payment_intent.succeeded", (await world.V1.Events.ListAsync(cancellationToken: Cancel)).Select(happened => happened.Type));
    }

    [Fact]
    public async Task An_endpoint_made_through_the_api_gets_what_it_asked_for_and_two_signatures_during_a_roll()
    {
        WebhookEndpoint endpoint = await world.V1.WebhookEndpoints.CreateAsync(new WebhookEndpointCreateOptions
        {
            Url = "http://other.test/hook",
            EnabledEvents = ["customer.deleted"],
            ApiVersion = "2026-10-28.endive",
        }, cancellationToken: Cancel);
        string old = endpoint.Secret;
        string rolled = (string)JsonNode.Parse(world.Control($"webhook_endpoints/{endpoint.Id}/roll_secret", "overlap_hours=1").Body)!["secret"]!;
        Assert.NotEqual(old, rolled);

        await Deleted();
        ReceivedWebhook during = Assert.Single(world.Receiver.Received, webhook => webhook.Url.Host == "other.test");
        await world.Advance(Duration.FromHours(1));
        await Deleted();
        ReceivedWebhook after = world.Receiver.Received.Last(webhook => webhook.Url.Host == "other.test");

        Assert.True(Accepts(during, old) && Accepts(during, rolled));
        Assert.False(Accepts(after, old));
        Assert.True(Accepts(after, rolled));
        Assert.Null((await world.V1.WebhookEndpoints.GetAsync(endpoint.Id, cancellationToken: Cancel)).Secret);
        Assert.Equal(2, (await world.V1.WebhookEndpoints.ListAsync(cancellationToken: Cancel)).Count());
        await world.V1.WebhookEndpoints.DeleteAsync(endpoint.Id, cancellationToken: Cancel);
        Assert.Equal("we_flex", Assert.Single(await world.V1.WebhookEndpoints.ListAsync(cancellationToken: Cancel)).Id);

        async Task Deleted()
        {
            Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions());
            await world.V1.Customers.DeleteAsync(customer.Id);
            await world.Settle();
        }

        bool Accepts(ReceivedWebhook webhook, string secret)
        {
            try
            {
                EventUtility.ConstructEvent(webhook.Body, webhook.Signature, secret, 300, webhook.Event.Created.ToInstantSeconds());
                return true;
            }
            catch (StripeException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task An_event_names_its_request_and_the_changed_fields_and_can_be_sent_again()
    {
        Customer customer = await world.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "Ada" }, cancellationToken: Cancel);
        Customer updated = await world.V1.Customers.UpdateAsync(customer.Id, new CustomerUpdateOptions { Name = "Grace" },
            new RequestOptions { IdempotencyKey = "k9" }, Cancel);
        await world.Settle();

        ReceivedWebhook webhook = world.Receiver.Received.Last();
        var json = JsonNode.Parse(webhook.Body)!;
        Assert.Equal("customer.updated", webhook.Event.Type);
        Assert.Equal((updated.StripeResponse.RequestId, "k9"), (webhook.Event.Request.Id, webhook.Event.Request.IdempotencyKey));
        Assert.Equal("""{"name":"Ada"}""", json["data"]!["previous_attributes"]!.ToJsonString());
        world.Control($"events/{webhook.Event.Id}/resend");
        await world.Settle();
        Assert.Equal(webhook.Event.Id, world.Receiver.Received.Last().Event.Id);
        Assert.Equal(3, world.Receiver.Received.Count);
    }
}

internal static class Seconds
{
    public static long ToInstantSeconds(this DateTime utc) => new DateTimeOffset(utc, TimeSpan.Zero).ToUnixTimeSeconds();
}
