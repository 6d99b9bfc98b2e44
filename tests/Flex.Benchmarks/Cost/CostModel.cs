namespace Flex.Benchmarks.Cost;

/// <param name="Quantity">Per month, in the unit of its price.</param>
/// <param name="Lower">What would lower it.</param>
internal sealed record CostLine(string Service, decimal Quantity, string Unit, decimal Cost, string Lower);

internal enum TaskHub
{
    Scheduler,
    Storage,
}

/// <summary>A month's bill.</summary>
/// <param name="Apart">What the time of functions would cost if no two executions overlapped.</param>
internal sealed record Bill(int Members, IReadOnlyList<CostLine> Lines, decimal Rows, decimal ExportSeconds, decimal Apart)
{
    public decimal Total => Lines.Sum(l => l.Cost);

    public CostLine Largest => Lines.MaxBy(l => l.Cost)!;
}

/// <summary>Counts times habits times prices. Pure.</summary>
internal static class CostModel
{
    public static Bill Compute(int members, Measured measured, Prices prices, TaskHub hub)
    {
        Work work = WorkOf(members, measured);
        decimal rows = PerMember(measured).Rows * members * Mix.MonthsKept;
        decimal gigabytes = PerMember(measured).Bytes * members * Mix.MonthsKept / 1_000_000_000;
        decimal exportSeconds = rows / Mix.ExportRowsPerSecond;
        decimal exporting = exportSeconds * Mix.NightsPerMonth;
        decimal seconds = work.Executions.Sum(g => ActiveSeconds(g.Value, SecondsOf(g.Key), prices)) + exporting;
        decimal apart = work.Executions.Sum(g => g.Value * BilledSeconds(SecondsOf(g.Key), prices)) + exporting;
        decimal calls = work.TableCalls + (rows / Mix.RowsPerRead * Mix.NightsPerMonth);
        decimal operations = work.Sent + (work.Delivered * Mix.OperationsPerDelivery);
        decimal spans = work.Total + work.TableCalls + work.BlobCalls + work.Sent + work.StripeCalls;
        decimal records = (spans * Mix.KeptShare) + (work.Total * Mix.LogLinesPerExecution);
        decimal exported = gigabytes * Mix.CompressedShare * Mix.ExportsKept;
        CostLine[] hubLines = hub == TaskHub.Scheduler
            ? [Line("Durable Task Scheduler", work.Actions, "durableAction", "fewer hourly looks at what waits for its slot")]
            : [
                Line("Task hub: queues", Mix.IdleQueueCalls + (work.Actions * Mix.QueueCallsPerAction), "queueCall", "a longer polling interval"),
                Line("Task hub: tables", Mix.IdleTableCalls + (work.Turns * Mix.TableCallsPerTurn), "tableCall", "fewer partitions"),
            ];
        return new Bill(
            members,
            [
                Line("Functions: time", seconds * Mix.InstanceGb, "gbSecond", "instances of 512 MB cost a quarter; queues that share a function are paid for once"),
                Line("Functions: executions", work.Total, "execution", "calendar feeds that are polled less often, pictures that may be kept longer"),
                Line("Table calls", calls, "tableCall", "an export of what has changed only"),
                Line("Table storage", gigabytes, "tableGb", "deleting what the law no longer asks for"),
                Line("Blob reads", work.BlobCalls, "blobRead", "pictures that may be kept longer"),
                Line("Blob writes", Mix.BlobsPerExport * Mix.NightsPerMonth, "blobWrite", "an export of fewer parts"),
                Line("Blob storage", exported, "blobGb", "exports kept for fewer nights, or in a cooler tier"),
                Line("Service Bus: base", 1, "serviceBusBase", "nothing: one namespace is needed"),
                Line("Service Bus: operations", operations, "serviceBusOperation", "sweeps that are sent for a partition once a minute, not once a commit"),
                .. hubLines,
                Line("Logs", records * Mix.RecordKilobytes / 1_000_000, "logGb", "fewer lines of log; sampling that keeps less"),
                Line("Alerts on logs", Mix.LogAlerts, "logAlert", "fewer rules, or such as ask less often"),
                Line("Alerts on metrics", Mix.MetricAlerts, "metricAlert", "one for all queues together"),
                Line("Availability test", Mix.ProbesPerMonth, "availabilityTest", "fewer places, or less often"),
                Line("Key Vault", Mix.Secrets * 24 * Mix.NightsPerMonth, "keyVault", "nothing worth the trouble"),
                Line("Static web app", 1, "staticSite", "the free plan, without its guarantees"),
            ],
            rows,
            exportSeconds,
            prices["gbSecond"].Of(apart * Mix.InstanceGb));

        CostLine Line(string service, decimal quantity, string price, string lower) =>
            new(service, quantity, prices[price].Unit, prices[price].Of(quantity), lower);
    }

    /// <summary>What a member and a month ask for.</summary>
    public static Work PerMember(Measured measured) => Mix.Habits.Aggregate(Work.None, (sum, habit) => sum + (measured.Actions[habit.Action] * habit.Times));

    public static int Locations(int members) => (members + Mix.MembersPerLocation - 1) / Mix.MembersPerLocation;

    public static Work WorkOf(int members, Measured measured) =>
        (PerMember(measured) * members)
        + measured.Idle
        + (measured.Location * Locations(members))
        + new Work { Executions = new Dictionary<string, decimal> { [Work.Http] = Mix.ProbesPerMonth } };

    /// <summary>
    /// Seconds of a month in which instances of a group run something and are paid for. An execution is paid for at least the minimum, and those that
    /// overlap on an instance are paid for once: with n executions of d seconds at random times it is busy for the share 1 - e^(-nd/T) of the month T.
    /// Traffic that comes in working hours overlaps more, so this is rather too much.
    /// </summary>
    public static decimal ActiveSeconds(decimal executions, decimal seconds, Prices prices)
    {
        decimal instances = Math.Max(1, Math.Ceiling(executions * seconds * Mix.Peak / Mix.SecondsPerMonth / Mix.Concurrency));
        decimal load = executions * BilledSeconds(seconds, prices) / Mix.SecondsPerMonth / instances;
        return instances * Mix.SecondsPerMonth * (1 - (decimal)Math.Exp(-(double)load));
    }

    public static decimal BilledSeconds(decimal seconds, Prices prices) =>
        Math.Max(prices.MinimumSeconds, Math.Ceiling(seconds / prices.StepSeconds) * prices.StepSeconds);

    private static decimal SecondsOf(string group) => group switch
    {
        Work.Http => Mix.HttpSeconds,
        Work.Durable => Mix.DurableSeconds,
        _ => Mix.OtherSeconds,
    };
}
