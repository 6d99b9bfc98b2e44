using System.Net;
using Flex.Kernel;
using Flex.Local.Simulators.Stripe;
using NodaTime;
using Stripe;
using Xunit;
using static Flex.Local.Tests.Stripe.StripeTestWorld;
using File = System.IO.File;

namespace Flex.Local.Tests.Stripe;

public sealed class StripeRestartTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("flex-stripe-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task A_restart_finds_the_same_state_and_continues_it()
    {
        string before;
        string intentId;
        Instant stopped;
        using (StripeTestWorld first = Open())
        {
            first.Receiver.Status = static _ => HttpStatusCode.BadGateway;
            (Customer customer, PaymentMethod bank) = await first.CustomerWithBank("pm_usBankAccount_success");
            intentId = (await first.V1.PaymentIntents.CreateAsync(OffSession(customer, bank), new RequestOptions { IdempotencyKey = "k1" },
                Cancel)).Id;
            await first.V1.Terminal.Locations.CreateAsync(new global::Stripe.Terminal.LocationCreateOptions
            {
                DisplayName = "Kallio",
                Address = new AddressOptions { Country = "FI" },
            }, cancellationToken: Cancel);
            await first.Advance(Duration.FromMinutes(30));
            before = first.Simulator.Snapshot();
            stopped = first.Time.Now();
        }

        using StripeTestWorld second = Open(stopped);
        Assert.Equal(before, second.Simulator.Snapshot());
        StripeReply replay = second.Get("/v1/payment_intents/" + intentId);
        Assert.Equal(200, replay.Status);
        await second.Advance(Duration.FromDays(4));

        Assert.Equal("succeeded", (await second.V1.PaymentIntents.GetAsync(intentId, cancellationToken: Cancel)).Status);
        Assert.Contains("payment_intent.processing", second.Receiver.Types);
        Assert.Contains("payment_intent.succeeded", second.Receiver.Types);
        Assert.Null(second.Simulator.Work.NextDue);
        Assert.Equal("succeeded", Assert.Single(StripeAudit.Find(directory)!.Charges).Status);
    }

    [Fact]
    public void Ids_stay_unique_over_restarts()
    {
        var ids = new HashSet<string>();
        for (int run = 0; run < 5; run++)
        {
            using StripeTestWorld world = Open();
            for (int i = 0; i < 20; i++)
            {
                world.Post("/v1/payment_intents", "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true");
                world.Get("/v1/customers");
            }

            ids.UnionWith(world.Simulator.Audit().Charges.Select(charge => charge.Id));
        }

        Assert.Equal(100, ids.Count);
    }

    [Fact]
    public void A_torn_last_line_is_dropped_and_damage_before_it_is_not_overlooked()
    {
        string path = Path.Combine(directory, "stripe", "journal.jsonl");
        using (StripeTestWorld world = Open())
        {
            world.Post("/v1/customers", "name=Ada");
            world.Post("/v1/customers", "name=Grace");
        }

        string whole = File.ReadAllText(path);
        File.WriteAllText(path, whole[..^40]);
        using (StripeTestWorld world = Open())
        {
            Assert.Contains("\"name\":\"Ada\"", world.Simulator.Snapshot(), StringComparison.Ordinal);
            Assert.DoesNotContain("\"name\":\"Grace\"", world.Simulator.Snapshot(), StringComparison.Ordinal);
        }

        File.WriteAllText(path, "{\"n\":1,\"c\n" + whole);
        Assert.Throws<InvalidDataException>(() => Open());
    }

    [Fact]
    public void A_stop_at_every_line_of_the_journal_leaves_whole_units_of_work()
    {
        using (StripeTestWorld world = Open())
        {
            world.Post("/v1/payment_intents", "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true", "k1");
            world.Post("/v1/payment_intents", "amount=600&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true", "k2");
        }

        string path = Path.Combine(directory, "stripe", "journal.jsonl");
        string[] lines = File.ReadAllLines(path);
        Assert.Equal(2, lines.Length);
        File.WriteAllText(path, lines[0] + "\n" + lines[1][..(lines[1].Length / 2)]);
        StripeAudit audit = StripeAudit.Find(directory)!;
        Assert.Equal((500L, "succeeded"), (Assert.Single(audit.PaymentIntents).Amount, Assert.Single(audit.Charges).Status));

        using StripeTestWorld again = Open();
        StripeReply replay = again.Post("/v1/payment_intents", "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true", "k1");
        Assert.Equal("true", replay.Headers["Idempotent-Replayed"]);
        again.Post("/v1/payment_intents", "amount=600&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true", "k2");
        Assert.Equal(["succeeded", "failed"], again.Simulator.Audit().Charges.Select(charge => charge.Status));
    }

    [Fact]
    public void An_audit_reads_what_a_running_account_wrote_without_touching_it()
    {
        using StripeTestWorld world = Open();
        world.Post("/v1/payment_intents",
            "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true&metadata[membership]=mem_1&metadata[period]=2026-03-02");
        byte[] journal = File.ReadAllBytes(Path.Combine(directory, "stripe", "journal.jsonl"));

        StripeAudit audit = StripeAudit.Find(directory)!;

        StripeAuditCharge charge = Assert.Single(audit.Charges);
        Assert.Equal(("mem_1", "2026-03-02", 500L), (charge.Metadata["membership"], charge.Metadata["period"], charge.AmountCaptured));
        Assert.Equal(journal, File.ReadAllBytes(Path.Combine(directory, "stripe", "journal.jsonl")));
        string empty = Path.Combine(directory, "none");
        Assert.Null(StripeAudit.Find(empty));
        Assert.False(Directory.Exists(empty));
    }

    [Fact]
    public void The_same_seed_and_calls_give_the_same_world_and_another_seed_other_ids()
    {
        Assert.Equal(Play(7), Play(7));
        Assert.NotEqual(Play(7), Play(8));

        static string Play(ulong seed)
        {
            using var world = new StripeTestWorld(new StripeOptions { Seed = seed });
            world.Post("/v1/payment_intents", "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true");
            return world.Simulator.Snapshot();
        }
    }

    private StripeTestWorld Open(Instant? at = null) => new(new StripeOptions
    {
        DataDirectory = directory,
        Endpoints = [new StripeEndpoint("flex", new Uri("http://flex.test/hook"), [StripeTestWorld.Secret], ["*"])],
    }, at);
}
