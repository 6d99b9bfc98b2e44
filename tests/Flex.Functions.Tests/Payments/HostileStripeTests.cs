using System.Net;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Simulators.Stripe;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Payments;

/// <summary>
/// The whole of billing against the simulated account, its signed webhooks included: first in peace, then with lost and late answers, server
/// errors, throttling, and webhooks that are lost, doubled, delayed and out of order.
/// </summary>
public sealed class HostileStripeTests
{
    /// <summary>American bank accounts are debited in dollars only.</summary>
    private static readonly Money Dollars = new(10000, Currency.Parse("usd"));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Rule", "PAY-7")]
    public async Task A_bank_debit_is_settled_by_its_webhook_days_later()
    {
        using var account = new Account(seed: null);
        MembershipCharge charge = account.World.Renewal(await account.CustomerAsync("pm_usBankAccount_success")) with { Net = Dollars };

        Assert.Equal(ChargeState.Processing, (await account.World.Get<IMembershipBilling>().ChargeAsync(charge, Cancellation)).State);
        await account.AdvanceAsync(Duration.FromDays(8));

        Assert.Equal(Settlement.Paid, (await account.World.InvoiceAsync(charge.InvoiceId)).Settlement);
        Assert.Equal(ChargeState.Succeeded, Assert.Single(account.World.Broker.Settled()).State);
        await account.World.HoldsAsync();
    }

    [Fact]
    [Trait("Rule", "DUN-9")]
    public async Task A_debit_returned_after_it_had_succeeded_reverses_the_payment()
    {
        using var account = new Account(seed: null);
        MembershipCharge charge = account.World.Renewal(await account.CustomerAsync("pm_usBankAccount_dispute")) with { Net = Dollars };

        await account.World.Get<IMembershipBilling>().ChargeAsync(charge, Cancellation);
        await account.AdvanceAsync(Duration.FromDays(8));

        Invoice invoice = await account.World.InvoiceAsync(charge.InvoiceId);
        Assert.Equal((DocumentState.Closed, "reversed", "debit_not_authorized"), (invoice.State, invoice.CloseReason, invoice.LastError));
        Assert.Equal(ChargeState.Reversed, account.World.Broker.Settled()[^1].State);
        await account.World.HoldsAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Rule", "PAY-5")]
    public async Task Whatever_goes_wrong_nothing_is_charged_twice_and_both_sides_agree_in_the_end(int block)
    {
        for (int seed = block * 25; seed < (block + 1) * 25; seed++)
        {
            try
            {
                await PlayAsync(seed);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {seed}.", failure);
            }
        }
    }

    private static async Task PlayAsync(int seed)
    {
        var random = new Random(seed);
        using var account = new Account(seed);
        string[] methods = ["pm_card_visa", "pm_card_chargeCustomerFail", "pm_usBankAccount_success", "pm_usBankAccount_insufficientFunds"];
        var invoices = new List<InvoiceId>();
        for (int i = 0; i < 4; i++)
        {
            Customer customer = await account.CustomerAsync(methods[random.Next(methods.Length)]);
            MembershipCharge charge = account.World.Renewal(customer, random.Next(2) == 0 ? InvoiceKind.Renewal : InvoiceKind.SignUp, attemptNo: i + 1) with
            {
                Net = Dollars,
                Period = new MembershipPeriod(EntityId.Parse<MembershipId>($"mem_{i}" + new string('8', 31)), new LocalDate(2025, 1, 1), 0, 1, 1),
            };
            invoices.Add(charge.InvoiceId);
            account.Hostile = true;
            await RepeatAsync(() => account.World.Get<IMembershipBilling>().ChargeAsync(charge, Cancellation));
            account.Hostile = false;
            Customer room = await account.CustomerAsync(methods[random.Next(methods.Length)]);
            account.Hostile = true;
            await account.World.SendAsync(Queues.Billing, ChargeCreated.Subject, account.World.Charge(room, currency: "usd"));
            await account.World.Get<StartBillRun>().HandleAsync(new BillRunRequest(room.Id), BillingWorld.Staff($"run{i}"), Cancellation);
            await account.World.PumpAsync();
            invoices.AddRange((await account.World.InvoicesAsync(room)).Select(n => n.Id));
            await account.AdvanceAsync(Duration.FromHours(random.Next(1, 48)));
            account.Hostile = false;
            await account.World.HoldsAsync();
        }

        // Four bank debits after one another take their days.
        await account.AdvanceAsync(Duration.FromDays(40), step: 6);

        await account.World.HoldsAsync();
        Assert.Equal(8, invoices.Count);
        ILookup<string, StripeAuditIntent> intents = account.Simulator.Audit().PaymentIntents.ToLookup(p => p.Metadata["invoice_id"]);
        foreach (InvoiceId id in invoices)
        {
            BookEntry entry = await account.World.EntryAsync(id);
            Assert.Null(entry.InFlight);
            Assert.True(intents[id.Value].Count() <= entry.Attempts.Count, "More payments than attempts.");
            long charged = intents[id.Value].Where(p => p.Status == "succeeded").Sum(p => p.Amount);
            Assert.Equal(charged, entry.Invoice.Paid.Minor);
        }
    }

    /// <summary>As the durable engine repeats an activity.</summary>
    private static async Task RepeatAsync(Func<Task> call)
    {
        for (int tries = 0; tries < 20; tries++)
        {
            try
            {
                await call();
                return;
            }
            catch (TransientFaultException)
            {
                // Nothing is in doubt: the same call again.
            }
        }
    }

    /// <summary>Billing with the real gateway over the simulator, whose webhooks come back through the real intake.</summary>
    private sealed class Account : IDisposable
    {
        private readonly HttpMessageInvoker _webhooks;

        public Account(int? seed)
        {
            World = new BillingWorld(configure: services => services.AddSingleton<IPaymentGateway>(_ => new StripeGateway(
                new StripeSettings { ApiKey = "sk_test_local", ApiBase = "http://stripe.test/local/stripe" }, new Handlers(new StripeSimulatorHandler(Simulator!)))));
            _webhooks = new HttpMessageInvoker(new Intake(World));
            var options = new StripeOptions
            {
                Endpoints = [new StripeEndpoint("flex", new Uri("http://flex.test/api/v1/webhooks/stripe"), ["whsec_one"], ["*"])],
            };
            Simulator = new StripeSimulator(options, World.Time, _webhooks, faults: seed is { } s ? new SeededFaults(this, new Random(s)) : null);
        }

        public BillingWorld World { get; }

        public StripeSimulator Simulator { get; }

        public bool Hostile { get; set; }

        public async Task<Customer> CustomerAsync(string paymentMethod)
        {
            Customer customer = await World.CustomerAsync(paymentMethod: null);
            Reply<PaymentMethodsView> reply = await World.Get<PaymentMethods>().AddAsync(
                customer.Id, new AddPaymentMethodRequest(paymentMethod), BillingWorld.Staff(), Cancellation);
            Assert.Null(reply.Error);
            return customer;
        }

        /// <summary>Moves time in steps of hours; on the way the account does its work, the collection runs and queues are pumped.</summary>
        public async Task AdvanceAsync(Duration by, int step = 1)
        {
            Instant until = World.Time.Now() + by;
            for (Instant now = World.Time.Now(); now < until; now = World.Time.Now())
            {
                World.Time.Advance(TimeSpan.FromHours(step));
                while (Simulator.Work.NextDue is { } due && due <= World.Time.Now())
                {
                    WorkItem item = Simulator.Work.Take(World.Time.Now()) ?? throw new InvalidOperationException("Due work must be there to take.");
                    await item.Run(CancellationToken.None);
                }

                await World.Get<CollectDueInvoices>().RunAsync(Cancellation);
                await World.PumpAsync();
            }
        }

        public void Dispose()
        {
            Simulator.Dispose();
            _webhooks.Dispose();
            World.Dispose();
        }
    }

    private sealed class SeededFaults(Account account, Random random) : IStripeFaults
    {
        private static readonly StripeFaultKind[] Kinds =
        [
            StripeFaultKind.RateLimited, StripeFaultKind.ServerErrorBeforeEffect, StripeFaultKind.ServerErrorAfterEffect,
            StripeFaultKind.LostBeforeEffect, StripeFaultKind.LostAfterEffect, StripeFaultKind.LateEffect,
        ];

        public StripeFault? OnRequest(StripeRequest request) => account.Hostile && random.Next(3) == 0
            ? new StripeFault(Kinds[random.Next(Kinds.Length)], Delay: Duration.FromMinutes(random.Next(1, 120)))
            : null;

        public IReadOnlyList<Duration> OnDelivery(StripeDelivery delivery) => account.Hostile
            ? [.. Enumerable.Range(0, random.Next(3)).Select(_ => Duration.FromMinutes(random.Next(0, 600)))]
            : [Duration.Zero];
    }

    private sealed class Intake(BillingWorld world) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            byte[] body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            Error? refused = await world.Get<StripeWebhook>().ReceiveAsync(body, string.Join(",", request.Headers.GetValues("Stripe-Signature")), cancellationToken);
            return new HttpResponseMessage(refused is null ? HttpStatusCode.OK : HttpStatusCode.BadRequest);
        }
    }

    private sealed class Handlers(HttpMessageHandler handler) : IHttpClientFactory
    {
        public HttpClient CreateClient(string name) => new(handler, disposeHandler: false);
    }
}
