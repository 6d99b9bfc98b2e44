using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Flex.Benchmarks.Cost;

/// <summary>The page <c>docs/cost.md</c>.</summary>
internal static partial class CostDocument
{
    public const string File = "docs/cost.md";

    public static string Render(Measured measured, Prices prices)
    {
        var page = new StringBuilder();
        Bill[] bills = [.. Mix.Sizes.Select(size => CostModel.Compute(size, measured, prices, TaskHub.Scheduler))];
        Bill[] others = [.. Mix.Sizes.Select(size => CostModel.Compute(size, measured, prices, TaskHub.Storage))];
        page.Append(CultureInfo.InvariantCulture, $"""
            # Cost

            What Azure takes a month for one operator. Printed by `./flex cost --write`; a test fails when it is out of date. Counts come from running the
            real functions on memory tables, prices from [prices.json](prices.json) ({prices.AsOf}, {prices.Currency}, {prices.Region}), habits and durations are
            assumptions, named below. Card fees of Stripe, a few percent of turnover and by far the most that is paid, are not in it.

            | members | locations | a month | per member | the most of it | what would lower that | with the task hub in storage |
            |---:|---:|---:|---:|---|---|---:|

            """);
        foreach ((Bill bill, Bill other) in bills.Zip(others))
        {
            Row(
                page,
                Count(bill.Members),
                Count(CostModel.Locations(bill.Members)),
                Money(bill.Total),
                "$" + (bill.Total / bill.Members).ToString("0.0000", CultureInfo.InvariantCulture),
                $"{bill.Largest.Service}, {Percent(decimal.Round(bill.Largest.Cost / bill.Total, 2))}",
                bill.Largest.Lower,
                Money(other.Total));
        }

        page.Append("\n## By service\n\n");
        Row(page, ["service", "unit", .. Mix.Sizes.Select(Count)]);
        Row(page, ["---", "---", .. Mix.Sizes.Select(_ => "---:")]);
        foreach (CostLine line in bills[0].Lines.Concat(others[0].Lines.Where(l => l.Service.StartsWith("Task hub", StringComparison.Ordinal))))
        {
            Bill[] from = line.Service.StartsWith("Task hub", StringComparison.Ordinal) ? others : bills;
            IEnumerable<CostLine> sizes = from.Select(b => b.Lines.Single(l => l.Service == line.Service));
            string name = from == others ? $"*{line.Service}, instead of the scheduler*" : line.Service;
            Row(page, [name, line.Unit, .. sizes.Select(l => $"{Money(l.Cost)} ({Count(l.Quantity)})")]);
        }

        Row(page, ["**total**", string.Empty, .. bills.Select(b => $"**{Money(b.Total)}**")]);
        page.Append(CultureInfo.InvariantCulture, $"""

            In brackets is the quantity. Time is paid for while an instance runs anything, at least {prices.MinimumSeconds} s at once and with {Mix.InstanceGb} GB; executions that
            overlap are paid for once. If none ever overlapped it would be {string.Join(", ", bills.Select(b => Money(b.Apart)))}.

            The price of the scheduler's actions is not known (see below): a hub in storage is cheaper where a million actions cost more than
            {string.Join(", ", bills.Zip(others, EvenPrice).Select(Money))}. It also has to be looked after.

            The nightly export takes {string.Join(", ", bills.Select(b => Duration(b.ExportSeconds)))} after {Mix.MonthsKept} months, with {string.Join(", ", bills.Select(b => Count(b.Rows)))} rows.

            ## What was counted

            Each with everything that follows from it: messages, sweeps, webhooks, mails. Storage calls are those of Flex; the task hub's are in its actions.

            | action | HTTP | queue | timer | orchestrator and activity | storage calls | messages sent | task hub actions | calls to Stripe | rows left |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|

            """);
        foreach ((MemberAction action, Work work) in measured.Actions.OrderBy(a => a.Key))
        {
            Counted(page, Words(action), work);
        }

        Counted(page, "a member's month, all habits below", CostModel.PerMember(measured));
        Counted(page, "a month without members: timers", measured.Idle);
        Counted(page, "a location's month beside its members", measured.Location);
        page.Append(CultureInfo.InvariantCulture, $"""

            Doors were not set up, so a location with Salto also has what `Access_Reconcile` asks every quarter of an hour.

            ## Habits

            | action | per member and month | why |
            |---|---:|---|

            """);
        foreach (Habit habit in Mix.Habits)
        {
            Row(page, Words(habit.Action), habit.Times.ToString("0.###", CultureInfo.InvariantCulture), habit.Why);
        }

        page.Append(CultureInfo.InvariantCulture, $"""

            ## Assumptions

            - {Mix.MembersPerLocation} members and {Mix.RoomsPerLocation} rooms to a location; {Percent(Mix.DeclinedShare)} of first attempts are declined, {Percent(Mix.ReplacedShare)} of these are saved by another card.
            - An execution lasts {Mix.HttpSeconds} s (HTTP), {Mix.DurableSeconds} s (orchestrators and activities) or {Mix.OtherSeconds} s (queues and timers). Not measured in Azure; below {prices.MinimumSeconds} s it makes no difference.
            - HTTP functions share instances, so do orchestrators and activities; every queue and timer function has its own. {Mix.Concurrency} executions fit on an instance; the busiest hour has {Mix.Peak} times the average.
            - A message costs a send, a receive and a complete. A batch of table rows is one call.
            - An execution and each call it makes is a span, of which sampling keeps {Percent(Mix.KeptShare)}; an execution logs {Count(Mix.LogLinesPerExecution)} line, all kept; {Mix.RecordKilobytes} kB each.
            - {Mix.LogAlerts} alert rules on logs and {Mix.MetricAlerts} metrics watched, an availability test every {Mix.ProbeMinutes} minutes from {Mix.ProbePlaces} places, {Mix.Secrets} secrets.
            - The export reads all rows every night, {Count(Mix.ExportRowsPerSecond)} a second, keeps {Mix.ExportsKept} nights, and compression leaves {Percent(Mix.CompressedShare)}. Rows are never deleted; the table shows a store of {Mix.MonthsKept} months.
            - A task hub in storage: {Mix.QueueCallsPerAction} queue operations an action, {Mix.TableCallsPerTurn} table calls a turn; idle, {Count(Mix.IdleQueueCalls)} polls and {Count(Mix.IdleTableCalls)} renewed leases a month.

            ## Prices

            | what | price | free | from |
            |---|---:|---:|---|

            """);
        foreach (Price price in prices.All.Values)
        {
            string per = price.Per == 1 ? price.Unit : $"{Count(price.Per)} {price.Unit}";
            Row(page, per, "$" + price.Amount.ToString("0.######", CultureInfo.InvariantCulture), price.Free == 0 ? string.Empty : Count(price.Free), price.Source + (price.Certain ? string.Empty : " (assumption: look it up)"));
        }

        return page.ToString();
    }

    /// <summary>What a million actions may cost for both task hubs to cost the same.</summary>
    private static decimal EvenPrice(Bill scheduler, Bill storage)
    {
        decimal actions = scheduler.Lines.Single(l => !storage.Lines.Any(o => o.Service == l.Service)).Quantity;
        return storage.Lines.Where(l => !scheduler.Lines.Any(o => o.Service == l.Service)).Sum(l => l.Cost) / actions * 1_000_000;
    }

    private static void Counted(StringBuilder page, string name, Work work)
    {
        decimal timers = work.Total - work.Of(Work.Http) - work.Delivered - work.Of(Work.Durable);
        Row(
            page,
            [
                name, Average(work.Of(Work.Http)), Average(work.Delivered), Average(timers), Average(work.Of(Work.Durable)), Average(work.TableCalls + work.BlobCalls), Average(work.Sent),
                Average(work.Actions), Average(work.StripeCalls), Average(work.Rows),
            ]);
    }

    private static void Row(StringBuilder page, params IEnumerable<string> cells) => page.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Money(decimal amount) => "$" + amount.ToString("#,0.00", CultureInfo.InvariantCulture);

    private static string Percent(decimal share) => (share * 100).ToString("0.#", CultureInfo.InvariantCulture) + " %";

    private static string Count(int quantity) => Count((decimal)quantity);

    private static string Count(decimal quantity) => quantity.ToString(quantity < 10 ? "0.##" : "#,0", CultureInfo.InvariantCulture);

    private static string Average(decimal count) => count.ToString(count < 100 ? "0.#" : "#,0", CultureInfo.InvariantCulture);

    private static string Duration(decimal seconds) => seconds < 60 ? $"{Count(Math.Ceiling(seconds))} s" : seconds < 7200 ? $"{Count(seconds / 60)} min" : $"{Count(seconds / 3600)} h";

    private static string Words(MemberAction action) => Capital().Replace(action.ToString(), m => (m.Index == 0 ? string.Empty : " ") + m.Value.ToLowerInvariant());

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();
}
