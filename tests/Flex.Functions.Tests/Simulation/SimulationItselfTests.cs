using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Flex.Functions.Tests.Simulation;

/// <summary>The worlds themselves: the same for the same seed, and not blind.</summary>
public sealed class SimulationItselfTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_seed_gives_the_same_world_to_the_last_row()
    {
        string first = await DigestAsync(4711);

        Assert.Equal(first, await DigestAsync(4711));
        Assert.NotEqual(first, await DigestAsync(4712));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_world_of_bookings_to_the_last_row()
    {
        string first = await DigestOfBookingsAsync(4711);

        Assert.Equal(first, await DigestOfBookingsAsync(4711));
        Assert.NotEqual(first, await DigestOfBookingsAsync(4712));
    }

    /// <summary>Hundreds are played in one process; a process in Azure that kept what is over would end the same way.</summary>
    [Fact]
    public async Task A_world_that_is_over_is_let_go()
    {
        WeakReference world = await PlayedAsync(4711);

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(world.IsAlive);
    }

    /// <summary>A world in which nothing is booked, drawn, moved, repeated or refused would keep every invariant.</summary>
    [Fact]
    public async Task Worlds_of_bookings_come_to_all_that_can_happen_to_bookings()
    {
        HashSet<string> seen = [];
        for (int seed = 1; seed < 13; seed++)
        {
            BookedHouses houses = await BookedHouses.OfAsync(seed);
            await using SimulatedOperator house = await houses.OpenAsync(seed);
            await SimulationRun.PlayAsync(house, houses);
            await foreach (TableRow row in house.World.Tables.ScanAsync(BookingStore.Table, Cancel))
            {
                if (row.Key.StartsWith("B|", StringComparison.Ordinal))
                {
                    Booking booking = row.As<Booking>();
                    seen.Add($"{booking.State}");
                    seen.Add($"{booking.Accounting}");
                    seen.Add(booking.Price.Takings.Count > 0 ? "draws" : "draws nothing");
                    seen.Add(booking.Changes.Count == 0 ? "not moved" : "moved");
                    seen.Add(booking.Series is null ? "single" : "occurrence");
                    seen.Add(booking.Payments.Count > 0 ? "paid at once" : "on account");
                }
            }
        }

        string[] all =
        [
            "Tentative", "Confirmed", "CheckedIn", "Cancelled", "LateCancelled", "NoShow", "Expired", "NotAccounted", "Accounted", "Invoiced", "Paid",
            "draws", "moved", "occurrence", "paid at once",
        ];
        Assert.Empty(all.Except(seen));
    }

    [Fact]
    public async Task A_flex_that_repeats_charges_under_new_keys_is_found_out()
    {
        int next = 0;
        for (int seed = 0; seed < 40; seed++)
        {
            string? failure = await SimulationRun.TryAsync(seed, services => services.AddSingleton<IPaymentGateway>(
                s => new ForgetfulGateway(ActivatorUtilities.CreateInstance<StripeGateway>(s), () => ++next)));
            if (failure?.Contains("charged twice", StringComparison.Ordinal) == true)
            {
                return;
            }
        }

        Assert.Fail("Forty worlds were charged twice and nobody has noticed.");
    }

    [Fact]
    public async Task A_slot_that_is_taken_twice_is_found_out()
    {
        await using SimulatedOperator house = await SimulatedOperator.OpenAsync(1);
        SimulatedMember member = house.Members[0];
        await AssignAsync(house, member, "assign");
        Instant start = house.World.Now + Duration.FromHours(24);
        await house.AdvanceAsync(Duration.FromHours(4));
        JsonObject booked = await house.OkAsync(
            member.MemberId,
            HttpMethod.Post,
            "/api/v1/bookings",
            new JsonObject
            {
                ["resourceId"] = house.Room,
                ["start"] = InstantPattern.General.Format(start),
                ["end"] = InstantPattern.General.Format(start + Duration.FromHours(2)),
            },
            "book");
        var watch = new Watch(house);
        await watch.LookAsync();

        var id = EntityId.Parse<BookingId>((string)booked["id"]!);
        TableRow row = (await house.World.Tables.FindAsync(BookingStore.Table, EntityId.Home(id), "B|" + id, Cancel))!;
        Booking twin = row.As<Booking>() with { Id = EntityId.Derive<BookingId>("twin", EntityId.Home(id)), Start = start + Duration.FromHours(1) };
        await house.World.Tables.CommitAsync(new TableBatch(BookingStore.Table, row.Partition).Insert("B|" + twin.Id, twin), Cancel);

        SimulationFailureException found = await Assert.ThrowsAsync<SimulationFailureException>(watch.LookAsync);
        Assert.Contains("overlap", found.Message, StringComparison.Ordinal);
    }

    /// <summary>Found by a world in which somebody repeated a request days later.</summary>
    [Fact]
    public async Task A_repeated_assignment_is_answered_as_the_first_time_although_its_renewal_date_has_come()
    {
        await using SimulatedOperator house = await SimulatedOperator.OpenAsync(7);
        LocalDate on = house.Calendar.DateOf(house.World.Now).PlusDays(2);
        JsonObject first = await AssignAsync(house, house.Members[0], "assign", on);
        await house.AdvanceAsync(Duration.FromDays(3));

        JsonObject again = await AssignAsync(house, house.Members[0], "assign", on);

        Assert.Equal(first.ToJsonString(), again.ToJsonString());
    }

    private static Task<JsonObject> AssignAsync(SimulatedOperator house, SimulatedMember member, string key, LocalDate? on = null) => house.OkAsync(
        "staff",
        HttpMethod.Post,
        "/api/v1/memberships",
        new JsonObject
        {
            ["memberId"] = member.MemberId,
            ["planId"] = house.Plan,
            ["renewalOn"] = LocalDatePattern.Iso.Format(on ?? house.Calendar.DateOf(house.World.Now).PlusDays(5)),
        },
        key);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> PlayedAsync(int seed)
    {
        await using SimulatedOperator house = await SimulatedOperator.OpenAsync(seed);
        await SimulationRun.PlayAsync(house);
        return new WeakReference(house.World);
    }

    private static async Task<string> DigestAsync(int seed)
    {
        await using SimulatedOperator house = await SimulatedOperator.OpenAsync(seed);
        await SimulationRun.PlayAsync(house);
        return await DigestAsync(house);
    }

    private static async Task<string> DigestOfBookingsAsync(int seed)
    {
        BookedHouses houses = await BookedHouses.OfAsync(seed);
        await using SimulatedOperator house = await houses.OpenAsync(seed);
        await SimulationRun.PlayAsync(house, houses);
        return await DigestAsync(house);
    }

    private static async Task<string> DigestAsync(SimulatedOperator house)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string table in await house.World.Tables.TablesAsync(Cancel))
        {
            await foreach (TableRow row in house.World.Tables.ScanAsync(table, Cancel))
            {
                hash.AppendData(Encoding.UTF8.GetBytes($"{table}|{row.Partition}|{row.Key}|{row.ETag}|{row.Data}\n"));
            }
        }

        hash.AppendData(Encoding.UTF8.GetBytes(house.World.Stripe.Snapshot()));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>A gateway client with the classic mistake: a repeat has another key, and what was charged before is not looked for.</summary>
    private sealed class ForgetfulGateway(IPaymentGateway inner, Func<int> fresh) : IPaymentGateway
    {
        public bool IsConnected => inner.IsConnected;

        public Task PingAsync(CancellationToken cancellation) => inner.PingAsync(cancellation);

        public Task<PaymentObservation> ChargeAsync(GatewayCharge charge, CancellationToken cancellation) =>
            inner.ChargeAsync(charge with { Key = $"{charge.Key}-{fresh()}" }, cancellation);

        public Task<GatewayPayment?> FindPaymentAsync(string paymentId, CancellationToken cancellation) => inner.FindPaymentAsync(paymentId, cancellation);

        public Task<GatewayPayment?> FindPaymentAsync(
            string gatewayCustomerId, PaymentReference reference, Instant since, CancellationToken cancellation) => Task.FromResult<GatewayPayment?>(null);

        public Task<RefundObservation> RefundAsync(RefundOrder order, CancellationToken cancellation) => inner.RefundAsync(order, cancellation);

        public Task<IReadOnlyList<GatewayRefund>> FindRefundsAsync(string paymentId, CancellationToken cancellation) =>
            inner.FindRefundsAsync(paymentId, cancellation);

        public Task<string?> FindPaymentIdAsync(string chargeOrRefundId, CancellationToken cancellation) =>
            inner.FindPaymentIdAsync(chargeOrRefundId, cancellation);

        public Task<GatewayDispute?> FindDisputeAsync(string disputeId, CancellationToken cancellation) => inner.FindDisputeAsync(disputeId, cancellation);

        public Task<string> CreateCustomerAsync(Customer customer, CancellationToken cancellation) => inner.CreateCustomerAsync(customer, cancellation);

        public Task<Result<PaymentMethodOnFile>> AttachAsync(
            string paymentMethodId, string gatewayCustomerId, string key, CancellationToken cancellation) =>
            inner.AttachAsync(paymentMethodId, gatewayCustomerId, key, cancellation);
    }
}
