namespace Flex.Benchmarks.Cost;

/// <summary>
/// What something asks of the services that are paid for. Parts of one are possible where it is an average.
/// </summary>
internal sealed record Work
{
    /// <summary>The groups of functions that share instances on Flex Consumption; every other function scales, and is paid, by itself.</summary>
    public const string Http = "http";
    public const string Durable = "durable";

    public static readonly Work None = new();

    /// <summary>Executions by scaling group.</summary>
    public IReadOnlyDictionary<string, decimal> Executions { get; init; } = new Dictionary<string, decimal>();

    public decimal TableCalls { get; init; }

    public decimal BlobCalls { get; init; }

    /// <summary>Messages sent, those included that the broker finds to be repeats.</summary>
    public decimal Sent { get; init; }

    /// <summary>Messages delivered.</summary>
    public decimal Delivered { get; init; }

    /// <summary>Messages of the task hub to the app: starts, activities and their results, timers, events.</summary>
    public decimal Actions { get; init; }

    /// <summary>Turns of orchestrators.</summary>
    public decimal Turns { get; init; }

    /// <summary>Requests to Stripe, which cost nothing here.</summary>
    public decimal StripeCalls { get; init; }

    /// <summary>Rows that are there afterwards and were not before.</summary>
    public decimal Rows { get; init; }

    /// <summary>What they hold, keys included, as Table storage keeps text: two bytes a character.</summary>
    public decimal Bytes { get; init; }

    public decimal Total => Executions.Values.Sum();

    public decimal Of(string group) => Executions.GetValueOrDefault(group);

    public static Work operator +(Work a, Work b) => Combine(a, b, 1);

    public static Work operator -(Work a, Work b) => Combine(a, b, -1);

    public static Work operator *(Work a, decimal times) => Combine(None, a, times);

    private static Work Combine(Work a, Work b, decimal times) => new()
    {
        Executions = a.Executions.Keys.Union(b.Executions.Keys).ToDictionary(k => k, k => a.Of(k) + (b.Of(k) * times)),
        TableCalls = a.TableCalls + (b.TableCalls * times),
        BlobCalls = a.BlobCalls + (b.BlobCalls * times),
        Sent = a.Sent + (b.Sent * times),
        Delivered = a.Delivered + (b.Delivered * times),
        Actions = a.Actions + (b.Actions * times),
        Turns = a.Turns + (b.Turns * times),
        StripeCalls = a.StripeCalls + (b.StripeCalls * times),
        Rows = a.Rows + (b.Rows * times),
        Bytes = a.Bytes + (b.Bytes * times),
    };
}
