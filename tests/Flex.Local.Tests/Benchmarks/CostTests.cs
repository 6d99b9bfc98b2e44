using System.Text.Json.Nodes;
using Flex.Benchmarks.Cost;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Local.Tests.Benchmarks;

/// <summary>The cost model: the page is what the program prints, and its arithmetic is what can be done by hand.</summary>
public sealed class CostTests
{
    private static readonly Prices Real = Prices.Parse(SourceTree.Read(Prices.File));

    /// <summary>Every unit costs 1, nothing is free: a line's cost is its quantity.</summary>
    private static readonly Prices Flat = Prices.Parse(Flattened());

    /// <summary>After a change of what actions ask for, of habits or of prices: <c>./flex cost --write</c>, and look at what it changes.</summary>
    [Fact]
    public async Task The_page_is_what_the_program_prints() =>
        Assert.Equal(CostDocument.Render(await WorkBench.RunAsync(TestContext.Current.CancellationToken), Real), SourceTree.Read(CostDocument.File));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100_000, 0)]
    [InlineData(150_000, 1.3)]
    [InlineData(1_100_000, 26)]
    public void What_is_free_costs_nothing_and_is_taken_off_the_rest(int quantity, double cost) =>
        Assert.Equal((decimal)cost, new Price(0.000026m, 1, "GB-s", 100_000, "here", true).Of(quantity));

    [Fact]
    public void A_price_may_be_that_of_many() => Assert.Equal(0.018m, new Price(0.00036m, 10_000, "calls", 0, "here", true).Of(500_000));

    [Theory]
    [InlineData(0.01, 1.0)]
    [InlineData(1.0, 1.0)]
    [InlineData(1.01, 1.1)]
    [InlineData(2.3, 2.3)]
    [InlineData(2.35, 2.4)]
    public void Time_is_billed_in_steps_above_a_minimum(double seconds, double billed) =>
        Assert.Equal((decimal)billed, CostModel.BilledSeconds((decimal)seconds, Real));

    /// <summary>A month has 2,628,000 s. As many executions of a second at random leave the share 1/e of it idle.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1_000, 999.81)]
    [InlineData(2_628_000, 1_661_212.83)]
    public void Executions_that_overlap_are_paid_for_once(int executions, double seconds) =>
        Assert.Equal((decimal)seconds, decimal.Round(CostModel.ActiveSeconds(executions, 0.2m, Real), 2));

    [Fact]
    public void More_executions_never_cost_less_and_never_more_than_each_by_itself()
    {
        decimal before = 0;
        for (decimal executions = 1; executions < 1_000_000_000; executions *= 1.5m)
        {
            decimal active = CostModel.ActiveSeconds(executions, 0.2m, Real);
            Assert.InRange(active, before, executions);
            before = active;
        }
    }

    /// <summary>12 looks into the app of 5 calls and 2 messages each, for 1,000 members at 4 locations of 100 calls, beside 7 for timers.</summary>
    [Fact]
    public void A_bill_is_counts_times_habits()
    {
        Bill bill = CostModel.Compute(1_000, Opening(new Work { TableCalls = 5, Sent = 2, Delivered = 1, Actions = 3 }), Flat, TaskHub.Scheduler);

        Assert.Equal((12 * 5 * 1_000) + (4 * 100) + 7, CostOf(bill, "Table calls"));
        Assert.Equal((12 * 2 * 1_000) + (12 * 1 * 2 * 1_000), CostOf(bill, "Service Bus: operations"));
        Assert.Equal(12 * 3 * 1_000, CostOf(bill, "Durable Task Scheduler"));
        Assert.Equal(bill.Lines.Sum(l => l.Cost), bill.Total);
    }

    /// <summary>10 rows of 10,000 bytes a look: 12 months of 12 looks of 1,000 members are 1,440,000 rows and 14.4 GB, of which an export keeps a tenth 30 times.</summary>
    [Fact]
    public void The_store_and_its_exports_grow_with_what_is_left_in_it()
    {
        Bill bill = CostModel.Compute(1_000, Opening(new Work { Rows = 10, Bytes = 100_000 }), Flat, TaskHub.Scheduler);

        Assert.Equal(1_440_000, bill.Rows);
        Assert.Equal(288, bill.ExportSeconds);
        Assert.Equal(14.4m, CostOf(bill, "Table storage"));
        Assert.Equal(14.4m * 0.1m * 30, CostOf(bill, "Blob storage"));
        Assert.Equal(decimal.Round((1_440 * 365m / 12) + 407, 6), decimal.Round(CostOf(bill, "Table calls"), 6));
    }

    [Fact]
    public void Ten_times_the_members_ask_for_ten_times_as_much_beside_what_is_fixed()
    {
        Measured measured = Opening(new Work { TableCalls = 5, Rows = 1, Bytes = 500, Sent = 2, Delivered = 2, Actions = 4, BlobCalls = 1 });
        Bill[] bills = [.. new[] { 1_000, 10_000 }.Select(size => CostModel.Compute(size, measured, Flat, TaskHub.Scheduler))];
        string[] proportional = ["Table storage", "Blob reads", "Blob storage", "Service Bus: operations", "Durable Task Scheduler"];

        Assert.All(proportional, line => Assert.Equal(10 * CostOf(bills[0], line), CostOf(bills[1], line)));
        Assert.Equal(10 * (CostOf(bills[0], "Table calls") - 7), CostOf(bills[1], "Table calls") - 7);
    }

    [Theory]
    [InlineData(TaskHub.Scheduler)]
    [InlineData(TaskHub.Storage)]
    internal void Nothing_costs_less_for_more_members(TaskHub hub)
    {
        Measured measured = Opening(new Work { Executions = new Dictionary<string, decimal> { [Work.Http] = 4 }, TableCalls = 5, Rows = 1, Bytes = 500, Sent = 2, Delivered = 2, Actions = 4, Turns = 2 });
        Bill[] bills = [.. Mix.Sizes.Select(size => CostModel.Compute(size, measured, Real, hub))];

        foreach ((Bill smaller, Bill larger) in bills.Zip(bills.Skip(1)))
        {
            Assert.All(smaller.Lines.Zip(larger.Lines), pair => Assert.InRange(pair.First.Cost, 0, pair.Second.Cost));
            Assert.True(smaller.Total / smaller.Members > larger.Total / larger.Members);
        }
    }

    [Fact]
    public void Another_task_hub_changes_nothing_but_the_task_hub()
    {
        Measured measured = Opening(new Work { Actions = 4, Turns = 2, TableCalls = 1 });
        string[] scheduler = Rest(TaskHub.Scheduler, "Durable Task Scheduler");

        Assert.Equal(scheduler, Rest(TaskHub.Storage, "Task hub"));
        Assert.NotEmpty(scheduler);

        string[] Rest(TaskHub hub, string own) => [.. CostModel.Compute(1_000, measured, Real, hub).Lines
            .Where(l => !l.Service.StartsWith(own, StringComparison.Ordinal)).Select(l => $"{l.Service} {l.Cost}")];
    }

    [Fact]
    public void Every_action_has_one_habit_and_every_membership_renews_once()
    {
        Assert.Equal(Enum.GetValues<MemberAction>(), Mix.Habits.Select(h => h.Action).Order());
        Assert.Equal(1, Mix.Habits.Where(h => h.Action is MemberAction.Renews or MemberAction.RenewsWithNewCard or MemberAction.FailsToRenew).Sum(h => h.Times));
    }

    [Fact]
    public void Every_price_is_used_and_says_where_it_is_from()
    {
        Bill[] bills = [.. new[] { TaskHub.Scheduler, TaskHub.Storage }.Select(hub => CostModel.Compute(1, Opening(Work.None), Real, hub))];

        Assert.Equal(Real.All.Values.Select(p => p.Unit).Order(), bills.SelectMany(b => b.Lines).Select(l => l.Unit).Distinct().Order());
        Assert.All(Real.All.Values, price => Assert.NotEmpty(price.Source));
        Assert.True(DateOnly.TryParseExact(Real.AsOf, "yyyy-MM-dd", out _));
    }

    private static decimal CostOf(Bill bill, string service) => bill.Lines.Single(l => l.Service == service).Cost;

    /// <summary>Members who do nothing but open the app.</summary>
    private static Measured Opening(Work work) => new(
        Enum.GetValues<MemberAction>().ToDictionary(a => a, a => a == MemberAction.OpensApp ? work : Work.None),
        new Work { TableCalls = 7 },
        new Work { TableCalls = 100 });

    private static string Flattened()
    {
        JsonObject prices = JsonNode.Parse(SourceTree.Read(Prices.File))!.AsObject();
        foreach (JsonObject price in prices.Select(p => p.Value).Concat(prices["functions"]!.AsObject().Select(p => p.Value)).OfType<JsonObject>().Where(p => p.ContainsKey("price")))
        {
            (price["price"], price["per"], price["free"]) = (1, 1, 0);
        }

        return prices.ToJsonString();
    }
}
