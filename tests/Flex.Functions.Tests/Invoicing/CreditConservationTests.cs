using CsCheck;
using Flex.Functions.Tests.Payments;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Settings;
using Xunit;

namespace Flex.Functions.Tests.Invoicing;

/// <summary>Whatever happens to charges in whatever order, nobody pays for more or less than is owed in the end.</summary>
public sealed class CreditConservationTests
{
    private const int Charges = 3;

    private enum Doing
    {
        Create,
        Cancel,
        Reduce,
        Bill,
        Pay,
        RefundAtGateway,
        Wait,
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task Money_is_conserved_in_any_order_of_charging_cancelling_reducing_billing_and_paying_with_repeats()
    {
        Gen<(Doing Doing, int Charge, int Amount, bool Twice)> step = Gen.Select(
            Gen.Int[0, (int)Doing.Wait].Select(i => (Doing)i), Gen.Int[0, Charges - 1], Gen.Int[1, 600], Gen.Bool, (d, c, a, t) => (d, c, a, t));
        await Gen.Select(step.Array[1, 14], Gen.Bool, Gen.Int[0, 1000].Array[Charges]).SampleAsync(
            async (steps, refund, nets) => await RunAsync(steps, refund, nets), iter: 400);
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public async Task Every_permutation_of_the_same_deliveries_ends_with_the_same_amount_to_pay()
    {
        (Doing, int, int, bool)[] deliveries =
        [
            (Doing.Create, 0, 0, false), (Doing.Reduce, 0, 400, true), (Doing.Bill, 0, 0, false), (Doing.Pay, 0, 0, false), (Doing.Cancel, 0, 0, true),
        ];
        var ends = new HashSet<long>();
        foreach ((Doing, int, int, bool)[] order in Orders(deliveries))
        {
            ends.Add(await RunAsync(order, refund: false, [1000, 70, 0]));
        }

        Assert.Equal([81], ends);
    }

    /// <summary>Runs the steps, lets everything arrive at last, pays what is due; returns what the customer has spent.</summary>
    private static async Task<long> RunAsync((Doing Doing, int Charge, int Amount, bool Twice)[] steps, bool refund, int[] nets)
    {
        using var world = new BillingWorld(s => s with
        {
            AutomaticCollection = false,
            CancelledPaidBookings = refund ? CancelledPaidBookings.Refund : CancelledPaidBookings.AccountCredit,
        });
        TaxRateId rate = await world.TaxRateAsync(5m, 9.975m);
        Customer ada = await world.CustomerAsync();
        ChargeCreated[] charges = [.. nets.Select(net => world.Charge(ada, net) with { TaxRateId = rate })];
        long[] owed = [.. nets.Select(net => (long)net)];
        bool byHand = false;
        foreach (((Doing doing, int c, int amount, bool twice), int no) in steps.Select((step, i) => (step, i)))
        {
            for (int time = 0; time < (twice ? 2 : 1); time++)
            {
                byHand |= await DoAsync(world, ada, charges[c], doing, amount, no);
            }

            owed[c] = doing switch
            {
                Doing.Cancel => 0,
                Doing.Reduce => Math.Max(0, owed[c] - amount),
                _ => owed[c],
            };
            await world.HoldsAsync();
        }

        foreach (ChargeCreated charge in charges)
        {
            await world.SendAsync(Queues.Billing, ChargeCreated.Subject, charge);
        }

        await world.RunBillsAsync(ada);
        await PayAllAsync(world, ada);
        for (int hour = 0; hour < 3; hour++)
        {
            world.Time.Advance(TimeSpan.FromHours(1));
            await world.PumpAsync();
        }

        await world.HoldsAsync();
        Assert.Empty(world.Broker.Dead);
        Assert.Empty(world.Broker.Waiting);

        IReadOnlyList<Invoice> invoices = await world.InvoicesAsync(ada);
        var notes = new List<CreditNote>();
        foreach (Invoice invoice in invoices)
        {
            notes.AddRange(await world.NotesAsync(invoice.Id));
        }

        long spent = invoices.Sum(i => i.Paid.Minor - i.Refunded.Minor) - await world.AccountAsync(ada);
        if (!byHand)
        {
            Assert.Equal(owed.Sum(), invoices.Sum(i => i.Net.Minor) - notes.Sum(n => n.Net.Minor));
            Assert.Equal(invoices.Sum(i => i.Total.Minor) - notes.Sum(n => n.Total.Minor), spent);
        }

        Assert.Equal(world.Gateway.Refunds.Sum(r => r.Amount.Minor), invoices.Sum(i => i.Refunded.Minor));
        return spent;
    }

    /// <summary>True when staff gave money back that nobody had cancelled: then more than what is owed goes back.</summary>
    private static async Task<bool> DoAsync(BillingWorld world, Customer ada, ChargeCreated charge, Doing doing, int amount, int no)
    {
        switch (doing)
        {
            case Doing.Create:
                await world.SendAsync(Queues.Billing, ChargeCreated.Subject, charge);
                break;
            case Doing.Cancel:
                await world.CancelAsync(charge);
                break;
            case Doing.Reduce:
                await world.ReduceAsync(charge, amount, $"r{no}");
                break;
            case Doing.Bill:
                await world.RunBillsAsync(ada);
                break;
            case Doing.Pay:
                await PayAllAsync(world, ada);
                break;
            case Doing.RefundAtGateway when (await world.InvoicesAsync(ada)).FirstOrDefault(i => (i.Paid - i.Refunded).IsPositive) is { } invoice:
                PaymentAttempt paid = (await world.EntryAsync(invoice.Id)).Attempts.First(a => a.State == AttemptState.Succeeded);
                Money back = invoice.Paid - invoice.Refunded;
                world.Gateway.AddRefund(paid.GatewayPaymentId!, null, back.Minor < amount ? back : BillingWorld.Euro(amount));
                await world.SendAsync(
                    Queues.StripeEvents,
                    StripeEventReceived.Subject,
                    new StripeEventReceived($"evt_{no}", "charge.refunded", paid.GatewayPaymentId!.Replace("pi_", "ch_", StringComparison.Ordinal), "{}"));
                return true;
            case Doing.Wait:
                world.Time.Advance(TimeSpan.FromHours(1));
                await world.PumpAsync();
                break;
        }

        return false;
    }

    private static async Task PayAllAsync(BillingWorld world, Customer ada)
    {
        foreach (Invoice invoice in (await world.InvoicesAsync(ada)).Where(i => i.Due.IsPositive))
        {
            await world.PayAsync(invoice.Id);
        }
    }

    private static IEnumerable<T[]> Orders<T>(T[] items) => items.Length == 0
        ? [[]]
        : items.SelectMany((item, i) => Orders([.. items.Where((_, j) => j != i)]).Select(rest => (T[])[item, .. rest]));
}
