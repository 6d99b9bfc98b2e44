using System.Diagnostics.Metrics;
using System.Globalization;

namespace Flex.Functions.Tests.Platform.Telemetry;

/// <summary>What the app measures in this test's own flow: meters are shared by the process, and other tests run beside this one.</summary>
internal sealed class MetricRecorder : IDisposable
{
    private static readonly AsyncLocal<MetricRecorder?> Current = new();

    private readonly MeterListener _listener = new();
    private readonly List<Measurement> _all = [];

    public MetricRecorder()
    {
        Current.Value = this;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Flex" || instrument.Meter.Name.StartsWith("Flex.", StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>In the form <c>value tag=x,tag=y</c>, tags by name.</summary>
    public IReadOnlyList<string> Of(string instrument) => [.. Taken(instrument).Select(m => m.ToString())];

    public IReadOnlyList<double> Values(string instrument) => [.. Taken(instrument).Select(m => m.Value)];

    public void Dispose() => _listener.Dispose();

    private List<Measurement> Taken(string instrument)
    {
        lock (_all)
        {
            return [.. _all.Where(m => m.Instrument == instrument)];
        }
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (Current.Value != this)
        {
            return;
        }

        string text = string.Join(",", tags.ToArray().OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}={t.Value}"));
        lock (_all)
        {
            _all.Add(new Measurement(instrument.Name, value, text));
        }
    }

    private sealed record Measurement(string Instrument, double Value, string Tags)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value} {Tags}").TrimEnd();
    }
}
