using System.Diagnostics.Metrics;

namespace Flex.Exports;

/// <summary>Counters of the exports: a night without one is missing from <c>flex.exports.completed</c>.</summary>
public static class ExportMetrics
{
    public const string MeterName = "Flex.Exports";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Completed = Meter.CreateCounter<long>("flex.exports.completed", "{export}", "Exports that have become complete.");
    private static readonly Counter<long> Rows = Meter.CreateCounter<long>("flex.exports.rows", "{row}", "Rows of completed exports.");
    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>("flex.exports.bytes", "By", "Bytes of completed exports before compression.");

    public static void Count(ExportManifest manifest)
    {
        Completed.Add(1);
        Rows.Add(manifest.Rows());
        Bytes.Add(manifest.Bytes());
    }
}
