using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Flex.Local.Runtime.Testing;

/// <summary>One line of a world's log.</summary>
public sealed record WorldLogEntry(LogLevel Level, string Category, string Message, Exception? Exception)
{
    public override string ToString() =>
        $"{Level} {Category}: {Message}{(Exception is null ? string.Empty : $" ({Exception.GetType().Name}: {Exception.Message})")}";
}

/// <summary>Keeps what a world logs from a level on, so that a test can require that nothing went wrong unnoticed.</summary>
/// <param name="isDead">A dead process says nothing any more.</param>
public sealed class WorldLog(LogLevel least, Func<bool> isDead) : ILoggerProvider
{
    private readonly ConcurrentQueue<WorldLogEntry> _entries = new();
    private readonly Func<bool> _isDead = isDead;

    public IReadOnlyList<WorldLogEntry> Entries => [.. _entries];

    public IReadOnlyList<WorldLogEntry> Errors => [.. _entries.Where(e => e.Level >= LogLevel.Error)];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName, least);

    public void Clear() => _entries.Clear();

    public void Dispose()
    {
    }

    private sealed class Logger(WorldLog log, string category, LogLevel least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && !log._isDead())
            {
                log._entries.Enqueue(new WorldLogEntry(logLevel, category, formatter(state, exception), exception));
            }
        }
    }
}
