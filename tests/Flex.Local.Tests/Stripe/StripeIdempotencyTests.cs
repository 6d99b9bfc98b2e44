using System.Text.Json.Nodes;
using Flex.Local.Runtime.Faults;
using Flex.Local.Simulators.Stripe;
using NodaTime;
using Stripe;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;

namespace Flex.Local.Tests.Stripe;

public sealed class StripeIdempotencyTests : IDisposable
{
    private const string Charge = "amount=700&currency=usd&payment_method=pm_card_visa&confirm=true";
    private readonly StripeTestWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public void A_repeated_key_replays_the_first_result()
    {
        StripeReply first = world.Post("/v1/payment_intents", Charge, "k1");
        StripeReply second = world.Post("/v1/payment_intents", "currency=usd&confirm=true&amount=700&payment_method=pm_card_visa", "k1");

        Assert.Equal(first.Body, second.Body);
        Assert.False(first.Headers.ContainsKey("Idempotent-Replayed"));
        Assert.Equal("true", second.Headers["Idempotent-Replayed"]);
        Assert.Equal(first.Headers["Request-Id"], second.Headers["Original-Request"]);
        Assert.Single(world.Simulator.Audit().Charges);
    }

    [Fact]
    public void Another_body_or_another_endpoint_with_the_same_key_is_refused()
    {
        world.Post("/v1/payment_intents", Charge, "k1");

        StripeReply body = world.Post("/v1/payment_intents", Charge.Replace("700", "701", StringComparison.Ordinal), "k1");
        StripeReply endpoint = world.Post("/v1/customers", "name=Ada", "k1");

        Assert.Equal((400, "idempotency_error"), (body.Status, Error(body, "type")));
        Assert.Equal((400, "idempotency_error"), (endpoint.Status, Error(endpoint, "type")));
        Assert.Single(world.Simulator.Audit().PaymentIntents);
    }

    [Fact]
    public void A_decline_is_replayed_but_a_validation_error_is_not_kept()
    {
        StripeReply declined = world.Post("/v1/payment_intents", Charge.Replace("visa", "chargeDeclined", StringComparison.Ordinal), "k1");
        StripeReply again = world.Post("/v1/payment_intents", Charge.Replace("visa", "chargeDeclined", StringComparison.Ordinal), "k1");
        StripeReply invalid = world.Post("/v1/payment_intents", "currency=usd", "k2");
        StripeReply corrected = world.Post("/v1/payment_intents", Charge, "k2");

        Assert.Equal((402, declined.Body), (again.Status, again.Body));
        Assert.Equal((400, "parameter_missing"), (invalid.Status, Error(invalid, "code")));
        Assert.Equal(200, corrected.Status);
    }

    [Fact]
    public async Task After_24_hours_the_same_key_really_charges_again()
    {
        world.Post("/v1/payment_intents", Charge, "k1");
        await world.Advance(Duration.FromHours(24) - Duration.FromSeconds(1));
        world.Post("/v1/payment_intents", Charge, "k1");
        Assert.Single(world.Simulator.Audit().Charges);

        await world.Advance(Duration.FromSeconds(1));
        world.Post("/v1/payment_intents", Charge, "k1");

        Assert.Equal(2, world.Simulator.Audit().Charges.Count);
    }

    [Theory]
    [InlineData(StripeFaultKind.ServerErrorBeforeEffect, 0)]
    [InlineData(StripeFaultKind.ServerErrorAfterEffect, 1)]
    public void A_500_is_kept_and_replayed(StripeFaultKind kind, int charges)
    {
        world.Simulator.Faults = new ScriptedFaults(new StripeFault(kind));

        StripeReply first = world.Post("/v1/payment_intents", Charge, "k1");
        StripeReply second = world.Post("/v1/payment_intents", Charge, "k1");

        Assert.Equal((500, 500, "api_error"), (first.Status, second.Status, Error(second, "type")));
        Assert.Equal(charges, world.Simulator.Audit().Charges.Count);
    }

    [Fact]
    public void A_503_from_before_the_application_is_not_kept()
    {
        world.Simulator.Faults = new ScriptedFaults(new StripeFault(StripeFaultKind.ServerErrorBeforeEffect, Status: 503));

        Assert.Equal(503, world.Post("/v1/payment_intents", Charge, "k1").Status);
        Assert.Equal(200, world.Post("/v1/payment_intents", Charge, "k1").Status);
        Assert.Single(world.Simulator.Audit().Charges);
    }

    [Fact]
    public void The_hosts_fault_rules_reach_the_simulator_once_each()
    {
        var registry = new FaultRegistry();
        world.Simulator.Faults = new StripeRegistryFaults(registry);
        registry.Add(new FaultRule("stripe", FaultKind.Status, "POST", "/payment_intents", Status: 429));
        registry.Add(new FaultRule("stripe", FaultKind.TimeoutAfterEffect, "POST", "/payment_intents"));
        registry.Add(new FaultRule("webhooks", FaultKind.Drop, Path: "payment_intent."));

        StripeReply[] replies = [.. Enumerable.Range(0, 3).Select(_ => world.Post("/v1/payment_intents", Charge, "k1"))];

        Assert.Equal((429, true, 200), (replies[0].Status, replies[1].Lost, replies[2].Status));
        Assert.Empty(registry.Rules);
        Assert.Single(world.Simulator.Audit().Charges);
    }

    [Fact]
    public void A_lost_answer_is_found_again_by_its_key()
    {
        world.Simulator.Faults = new ScriptedFaults(new StripeFault(StripeFaultKind.LostAfterEffect), new StripeFault(StripeFaultKind.LostAfterEffect));

        StripeReply lost = world.Post("/v1/payment_intents", Charge, "k1");
        Assert.True(world.Post("/v1/payment_intents", Charge, "k1").Lost);
        StripeReply found = world.Post("/v1/payment_intents", Charge, "k1");

        Assert.True(lost.Lost);
        Assert.Equal((200, "true"), (found.Status, found.Headers["Idempotent-Replayed"]));
        Assert.Single(world.Simulator.Audit().Charges);
    }

    [Fact]
    public void A_request_lost_on_the_way_leaves_nothing()
    {
        world.Simulator.Faults = new ScriptedFaults(new StripeFault(StripeFaultKind.LostBeforeEffect));

        Assert.True(world.Post("/v1/payment_intents", Charge, "k1").Lost);

        Assert.Empty(world.Simulator.Audit().PaymentIntents);
        Assert.False(world.Post("/v1/payment_intents", Charge, "k1").Headers.ContainsKey("Idempotent-Replayed"));
    }

    [Fact]
    public async Task While_the_first_request_still_runs_its_key_is_in_use()
    {
        world.Simulator.Faults = new ScriptedFaults(new StripeFault(StripeFaultKind.LateEffect, Delay: Duration.FromMinutes(2)));
        Assert.True(world.Post("/v1/payment_intents", Charge, "k1").Lost);

        StripeReply during = world.Post("/v1/payment_intents", Charge, "k1");
        await world.Advance(Duration.FromMinutes(2));
        StripeReply after = world.Post("/v1/payment_intents", Charge, "k1");

        Assert.Equal((409, "idempotency_key_in_use"), (during.Status, Error(during, "code")));
        Assert.Equal((200, "true"), (after.Status, after.Headers["Idempotent-Replayed"]));
        Assert.Single(world.Simulator.Audit().Charges);
    }

    [Fact]
    public async Task The_sdk_sees_a_rate_limit_with_its_reason_and_may_try_again_with_the_same_key()
    {
        world.Simulator.Faults = new ScriptedFaults(new StripeFault(StripeFaultKind.RateLimited, "endpoint-concurrency"));
        var options = new CustomerCreateOptions { Name = "Ada" };
        var key = new RequestOptions { IdempotencyKey = "k1" };

        StripeException limited = await Assert.ThrowsAsync<StripeException>(() => world.V1.Customers.CreateAsync(options, key, Cancel));
        Customer customer = await world.V1.Customers.CreateAsync(options, key, Cancel);

        Assert.Equal(429, (int)limited.HttpStatusCode);
        Assert.Equal("endpoint-concurrency", limited.StripeResponse.Headers.GetValues("Stripe-Rate-Limited-Reason").Single());
        Assert.Equal("Ada", customer.Name);
    }

    [Fact]
    public async Task The_sdk_sees_a_broken_connection_and_a_slow_answer_that_came_too_late()
    {
        world.Simulator.Faults = new ScriptedFaults(
            new StripeFault(StripeFaultKind.LostBeforeEffect),
            new StripeFault(StripeFaultKind.Latency, Delay: Duration.FromSeconds(80)),
            new StripeFault(StripeFaultKind.Latency, Delay: Duration.FromSeconds(2)));

        await Assert.ThrowsAnyAsync<Exception>(() => world.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "never" }, cancellationToken: Cancel));
        await Assert.ThrowsAnyAsync<Exception>(() => world.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "late" }, cancellationToken: Cancel));
        Customer slow = await world.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "slow" }, cancellationToken: Cancel);

        Assert.Equal("2000", slow.StripeResponse.Headers.GetValues("Simulated-Latency").Single());
        Assert.Equal(["slow", "late"], (await world.V1.Customers.ListAsync(cancellationToken: Cancel)).Select(customer => customer.Name));
    }

    [Fact]
    public void A_refused_command_may_have_had_its_effect()
    {
        world.Simulator.Faults = new ScriptedFaults(new StripeFault(StripeFaultKind.RefusedAfterEffect, "terminal_reader_timeout"));

        StripeReply refused = world.Post("/v1/payment_intents", Charge, "k1");

        Assert.Equal((400, "terminal_reader_timeout"), (refused.Status, Error(refused, "code")));
        Assert.Single(world.Simulator.Audit().Charges);
    }

    private static string? Error(StripeReply reply, string field) => (string?)JsonNode.Parse(reply.Body)!["error"]![field];
}

/// <summary>The given faults, one per request, then none.</summary>
internal sealed class ScriptedFaults(params StripeFault[] faults) : IStripeFaults
{
    private readonly Queue<StripeFault> left = new(faults);

    public Func<StripeDelivery, IReadOnlyList<Duration>> Delivery { get; init; } = NoStripeFaults.Instance.OnDelivery;

    public StripeFault? OnRequest(global::Flex.Local.Simulators.Stripe.StripeRequest request) => left.TryDequeue(out StripeFault? fault) ? fault : null;

    public IReadOnlyList<Duration> OnDelivery(StripeDelivery delivery) => Delivery(delivery);
}
