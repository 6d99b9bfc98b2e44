using System.Collections;
using System.Globalization;
using System.Text;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging;

namespace Flex.Platform.Telemetry;

/// <summary>
/// Stands before all log sinks: no sink ever sees a value that <see cref="LogScrubber"/> does not let pass. Every entry also
/// carries the correlation id, which the async context has.
/// </summary>
public sealed class RedactingLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new RedactingLogger(inner.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    public void Dispose() => inner.Dispose();

    private sealed class RedactingLogger(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => state switch
            {
                IEnumerable<KeyValuePair<string, object?>> values => inner.BeginScope(RedactedState.Of([.. values], state.ToString())),
                string text => inner.BeginScope(LogScrubber.Text(text)),
                _ => inner.BeginScope(LogScrubber.Value(string.Empty, state) ?? string.Empty),
            };

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!inner.IsEnabled(logLevel))
            {
                return;
            }

            RedactedState redacted = RedactedState.Of(state as IReadOnlyList<KeyValuePair<string, object?>> ?? [], formatter(state, exception));
            inner.Log(logLevel, eventId, redacted, exception is null ? null : LogScrubber.Fault(exception), static (s, _) => s.ToString());
        }
    }
}

/// <summary>The values of a log entry that may be seen, and the sentence made of them.</summary>
internal sealed class RedactedState : IReadOnlyList<KeyValuePair<string, object?>>
{
    private const string Template = "{OriginalFormat}";
    private readonly List<KeyValuePair<string, object?>> _values;
    private readonly string _message;

    private RedactedState(List<KeyValuePair<string, object?>> values, string message)
    {
        _values = values;
        _message = message;
    }

    public int Count => _values.Count;

    public KeyValuePair<string, object?> this[int index] => _values[index];

    /// <param name="fallback">The sentence as its writer formatted it, for entries without a template; it is scrubbed as a text.</param>
    public static RedactedState Of(IReadOnlyList<KeyValuePair<string, object?>> values, string? fallback)
    {
        var safe = new List<KeyValuePair<string, object?>>(values.Count + 1);
        string? template = null;
        foreach ((string name, object? value) in values)
        {
            if (name == Template)
            {
                template = value as string;
                continue;
            }

            safe.Add(new(name, LogScrubber.Value(name, value)));
        }

        string message = template is null ? LogScrubber.Text(fallback ?? string.Empty) : Render(template, safe);
        if (CorrelationScope.Current is { } correlation)
        {
            safe.Add(new(FlexTelemetry.CorrelationId, correlation));
        }

        if (template is not null)
        {
            safe.Add(new(Template, template));
        }

        return new RedactedState(safe, message);
    }

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => _message;

    /// <summary>Holes take the values in order, as the logging library does; <c>{{</c> and <c>}}</c> are braces.</summary>
    private static string Render(string template, List<KeyValuePair<string, object?>> values)
    {
        var text = new StringBuilder();
        int next = 0;
        for (int i = 0; i < template.Length; i++)
        {
            char c = template[i];
            bool isDoubled = i + 1 < template.Length && template[i + 1] == c;
            if (c is '{' or '}' && isDoubled)
            {
                text.Append(c);
                i++;
            }
            else if (c == '{' && template.IndexOf('}', i) is var end and > 0)
            {
                object? value = next < values.Count ? values[next++].Value : null;
                text.Append(value is IFormattable formattable ? formattable.ToString(null, CultureInfo.InvariantCulture) : value ?? "(null)");
                i = end;
            }
            else
            {
                text.Append(c);
            }
        }

        return text.ToString();
    }
}
