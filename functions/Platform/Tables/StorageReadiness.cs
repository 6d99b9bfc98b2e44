using Flex.Platform.Health;

namespace Flex.Platform.Tables;

/// <summary>One point read of a row that does not exist: shows that storage answers, and costs nearly nothing.</summary>
public sealed class StorageReadiness(ITableStore tables) : IReadinessCheck
{
    public const string Table = "Health";

    public string Dependency => Dependencies.Storage;

    public Task CheckAsync(CancellationToken cancellation) => tables.FindAsync(Table, "health", "health", cancellation);
}
