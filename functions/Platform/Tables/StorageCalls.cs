using System.Diagnostics.Metrics;
using Flex.Platform.Telemetry;

namespace Flex.Platform.Tables;

/// <summary>
/// Counts calls to storage per async flow, so that budgets per business action can be tested, and as the metric
/// <c>flex.storage.calls</c>, by <c>service</c> and <c>action</c>. A call is one logical request: a point read, one page of a query, one commit, one blob
/// operation. The SDK's own retries of it are not counted again, nor is making tables and containers on first use.
/// </summary>
public static class StorageCalls
{
    /// <summary>The meter to be listened to for <c>flex.storage.calls</c>.</summary>
    public const string MeterName = "Flex.Storage";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Counter = Meter.CreateCounter<long>("flex.storage.calls", "{call}", "Calls to table and blob storage.");
    private static readonly AsyncLocal<StorageCallScope?> Current = new();

    /// <summary>Counts from here until the scope is disposed, in this async flow and those it starts. Scopes nest; the outer one sees all.</summary>
    public static StorageCallScope Measure() => Enter(silent: false);

    /// <summary>Calls until the scope is disposed are set-up, not business: nobody counts them.</summary>
    public static StorageCallScope Silence() => Enter(silent: true);

    /// <summary>Called by the adapters, once per call.</summary>
    /// <param name="service"><c>table</c> or <c>blob</c>.</param>
    public static void Record(string service)
    {
        StorageCallScope? scope = Current.Value;
        if (scope is { IsSilent: true })
        {
            return;
        }

        Counter.Add(1, new("service", service), new("action", CurrentAction.Name));
        for (; scope is not null; scope = scope.Outer)
        {
            scope.Add();
        }
    }

    internal static void Leave(StorageCallScope scope) => Current.Value = scope.Outer;

    private static StorageCallScope Enter(bool silent) => Current.Value = new StorageCallScope(Current.Value, silent);
}

/// <summary>A running measurement; see <see cref="StorageCalls.Measure"/>.</summary>
public sealed class StorageCallScope : IDisposable
{
    private int _count;

    internal StorageCallScope(StorageCallScope? outer, bool silent)
    {
        Outer = outer;
        IsSilent = silent;
    }

    public int Count => Volatile.Read(ref _count);

    internal StorageCallScope? Outer { get; }

    internal bool IsSilent { get; }

    public void Dispose() => StorageCalls.Leave(this);

    internal void Add() => Interlocked.Increment(ref _count);
}
