using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Flex.Functions.Tests.Platform.Http;

/// <summary>A sink that keeps everything a sink can see: message, values and exception.</summary>
public sealed class RecordingLogs : ILoggerProvider
{
    private readonly ConcurrentQueue<LogEntry> _entries = [];

    public IReadOnlyList<LogEntry> Entries => [.. _entries];

    public ILogger CreateLogger(string categoryName) => new Recorder(_entries);

    public void Dispose()
    {
    }

    private sealed class Recorder(ConcurrentQueue<LogEntry> entries) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            entries.Enqueue(new LogEntry(
                logLevel,
                formatter(state, exception),
                state is IEnumerable<KeyValuePair<string, object?>> values ? string.Join(' ', values.Select(v => $"{v.Key}={v.Value}")) : string.Empty,
                exception?.ToString()));
    }
}

public sealed record LogEntry(LogLevel Level, string Message, string Values, string? Exception)
{
    public string Everything => $"{Message} {Values} {Exception}";
}
