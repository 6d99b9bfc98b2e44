using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Flex.Catalogue;
using Flex.Local.Demo;
using Flex.Local.Runtime.Testing;
using Flex.Local.Simulators.Stripe;
using Flex.Members;
using Flex.Memberships;
using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Benchmarks;

/// <summary>What a simulated month has taken. Processor time tells more than elapsed time on a busy machine. Memory in MiB; the rest in all.</summary>
internal sealed record Month(
    int Memberships,
    double Seconds,
    double Processor,
    double PeakMemory,
    long ProductCalls,
    long AllCalls,
    int Charges,
    IReadOnlyList<string> Problems);

/// <summary>
/// A month of renewals in a world on memory tables: everything Flex does in it, with Stripe, the queues, the task hub and
/// the timers around it, one unit of work at a time on one thread.
/// </summary>
internal static class MonthBench
{
    /// <summary>Cost per membership may rise by this much to the next size: trees, caches, a busy machine. Ten times as many at quadratic cost is 10.</summary>
    private const double MostGrowth = 2;

    private const int MostWarmUp = 200;

    private static readonly LocalDate First = new(2025, 1, 1);

    public static async Task RunAsync(BenchOptions options, Report report, CancellationToken cancellation)
    {
        // The first month compiles everything; compared with it, any growth would look harmless.
        Report.Progress("a month to warm up");
        await SimulateAsync(Math.Min(options.Memberships[0], MostWarmUp), cancellation);
        Report.Progress("an empty month");
        Month empty = await SimulateAsync(0, cancellation);
        report.Add(
            "month",
            "empty",
            $"{Report.Number(empty.Seconds)} s",
            $"processor {Report.Number(empty.Processor)} s: timers alone; taken off below; peak {Report.Number(empty.PeakMemory)} MB");
        Month? smaller = null;
        foreach (int size in options.Memberships)
        {
            Report.Progress($"month of {Report.Number(size)} memberships");
            Month month = await SimulateAsync(size, cancellation);
            double? growth = smaller is null ? null : Statistics.Growth(
                smaller.Processor - empty.Processor, smaller.Memberships, month.Processor - empty.Processor, month.Memberships);
            string[] beside =
            [
                Text($"processor {(month.Processor - empty.Processor) * 1000 / size:N2} ms each{(growth is { } g ? Text($" (growth {g:N2})") : string.Empty)}"),
                Text($"peak {month.PeakMemory:N0} MB ({month.PeakMemory * 1024 / size:N0} KB each)"),
                Text($"storage calls each {(double)month.ProductCalls / size:N1}, with hub and queues {(double)month.AllCalls / size:N1}"),
                Text($"{month.Charges:N0} charges"),
            ];
            report.Add(
                "month",
                Text($"{size:N0} memberships"),
                $"{Report.Number(month.Seconds)} s",
                string.Join("; ", [.. beside, .. month.Problems]),
                month.Charges == size && month.Problems.Count == 0 && growth is null or <= MostGrowth);
            smaller = month;
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static async Task<Month> SimulateAsync(int size, CancellationToken cancellation)
    {
        var recorder = new CallRecorder();
        using var memory = new MemoryWatch();
        await using FlexWorld world = await FlexWorld.StartAsync(new FlexWorldOptions
        {
            Start = First.AtMidnight().InUtc().ToInstant(),
            Services = recorder.Attach,
            Stripe = stripe => stripe with { EventRetention = Duration.FromDays(1) },
        });
        using HttpClient http = world.Anonymous();
        var space = new Space(new FlexClient(http, TimeProvider.System), cancellation);
        await space.OpenAsync(0);
        await AddAsync(world, space, size, cancellation);
        await world.RunUntilIdleAsync();
        int chargesBefore = world.Stripe.Audit().PaymentIntents.Count;
        long callsBefore = world.Tables.Calls;
        recorder.Clear();
        using Process self = Process.GetCurrentProcess();
        TimeSpan processor = self.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await world.AdvanceToAsync(First.PlusMonths(1).AtMidnight().InUtc().ToInstant());
        double seconds = clock.Elapsed.TotalSeconds;
        self.Refresh();
        double used = (self.TotalProcessorTime - processor).TotalSeconds;
        double peak = memory.Peak;
        long calls = world.Tables.Calls - callsBefore;
        int charges = world.Stripe.Audit().PaymentIntents.Skip(chargesBefore).Count(p => p.Status == "succeeded");
        string[] problems = [.. world.Log.Entries.Select(e => e.ToString()).Take(3)];
        return new Month(size, seconds, used, peak, recorder.Total, calls, charges, problems);
    }

    /// <summary>Straight through the stores, each with a customer of its own at the gateway; due dates go round the days after the first.</summary>
    private static async Task AddAsync(FlexWorld world, Space space, int size, CancellationToken cancellation)
    {
        MembershipStore memberships = world.Get<MembershipStore>();
        MemberStore members = world.Get<MemberStore>();
        CustomerStore customers = world.Get<CustomerStore>();
        Plan plan = (await world.Get<CatalogueStore>().FindPlanAsync(EntityId.Parse<PlanId>(space.Plan), cancellation))!;
        int days = First.PlusMonths(1).Minus(First.PlusDays(1)).Days;
        for (int i = 0; i < size; i++)
        {
            var customerId = EntityId.Derive<CustomerId>($"customer-{i}");
            var memberId = EntityId.Derive<MemberId>($"member-{i}");
            (string gatewayCustomer, string card) = CardAtStripe(world.Stripe, customerId);
            var onFile = new PaymentMethodOnFile(card, PaymentMethodKind.Card, "visa", "4242");
            string email = $"m{i}@example.test";
            var customer = new Customer(customerId, $"Customer {i}", email, null, gatewayCustomer, onFile, 1);
            var member = new Member(memberId, customerId, plan.LocationId, email, "First", "Last", [], 1);
            Require(await customers.CommitAsync(CustomerStore.Insert(customer), cancellation));
            Require(await members.CommitAsync(MemberStore.Insert(member), cancellation));
            var id = EntityId.Derive<MembershipId>($"membership-{i}", EntityId.Home(plan.LocationId));
            var membership = Membership.Assign(id, memberId, customerId, plan, world.Now, First, First.PlusDays(1 + (i % days)));
            await memberships.IndexAsync(membership, cancellation);
            Require(await memberships.CommitAsync(MembershipStore.Add(MembershipStore.BatchFor(id), membership), cancellation));
        }
    }

    private static (string Customer, string PaymentMethod) CardAtStripe(StripeSimulator stripe, CustomerId id)
    {
        string customer = Call(stripe, "/v1/customers", $"metadata[customer_id]={id}");
        return (customer, Call(stripe, "/v1/payment_methods/pm_card_visa/attach", $"customer={customer}"));
    }

    private static string Call(StripeSimulator stripe, string path, string form)
    {
        StripeReply reply = stripe.Handle(new StripeRequest(
            "POST", path, string.Empty, form, new Dictionary<string, string> { ["Authorization"] = "Bearer " + stripe.Options.ApiKey }));
        return reply.Status == 200 ? (string)JsonNode.Parse(reply.Body)!["id"]! : throw new InvalidOperationException($"{path}: {reply.Body}");
    }

    private static void Require(CommitResult result) => result.Require();
}
