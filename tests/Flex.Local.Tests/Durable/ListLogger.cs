using Microsoft.Extensions.Logging;

namespace Flex.Local.Tests.Durable;

/// <summary>Keeps the lines of the category "orchestrator".</summary>
internal sealed class ListLogger : ILoggerFactory, ILogger
{
    public List<string> Lines { get; } = [];

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public ILogger CreateLogger(string categoryName) =>
        categoryName == "orchestrator" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add(formatter(state, exception));

    public void Dispose()
    {
    }
}

/// <summary>What the real metadata type has and the local declarations leave out because only tests want it.</summary>
internal static class MetadataExtensions
{
    public static T? ReadOutputAs<T>(this Microsoft.DurableTask.Client.OrchestrationMetadata metadata) =>
        metadata.DataConverter!.Deserialize<T>(metadata.SerializedOutput);
}
