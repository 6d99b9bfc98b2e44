using System.Diagnostics;
using OpenTelemetry;

namespace Flex.Platform.Telemetry;

/// <summary>
/// Scrubs every span before it is exported, as <see cref="RedactingLoggerFactory"/> does every log entry: addresses lose their query,
/// where searches and signatures are, and all texts whatever looks like a secret, e.g. the token in a calendar feed's path.
/// </summary>
public sealed class SpanScrubber : BaseProcessor<Activity>
{
    /// <summary>Tags that hold an address. Source: opentelemetry.io/docs/specs/semconv, http and its forerunners.</summary>
    private static readonly string[] Addresses = ["url.full", "http.url", "http.target"];

    private static readonly string[] Queries = ["url.query", "http.query"];

    public override void OnEnd(Activity data)
    {
        data.DisplayName = LogScrubber.Text(data.DisplayName);
        if (data.StatusDescription is { } description)
        {
            data.SetStatus(data.Status, LogScrubber.Text(description));
        }

        foreach ((string name, object? value) in data.TagObjects.ToArray())
        {
            if (value is string text && Scrub(name, text) is var safe && safe != text)
            {
                data.SetTag(name, safe);
            }
        }
    }

    private static string Scrub(string name, string text) =>
        Queries.Contains(name) ? LogScrubber.Hidden
        : LogScrubber.Text(Addresses.Contains(name) ? text.Split('?')[0] : text);
}
