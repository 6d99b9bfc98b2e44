using Azure.Data.Tables;

namespace Flex.Benchmarks;

/// <summary>Azurite's own speed: the smallest transaction there is, two new rows of a booking's size, straight through the SDK.</summary>
internal sealed class RawTransactions(string connectionString)
{
    private static readonly string Data = new('x', 450);

    private readonly TableClient _table = new(connectionString, "benchraw");
    private int _number;

    public Task OpenAsync(CancellationToken cancellation) => _table.CreateIfNotExistsAsync(cancellation);

    public async Task<bool?> InsertTwoAsync(CancellationToken cancellation)
    {
        string partition = $"p{Interlocked.Increment(ref _number)}";
        await _table.SubmitTransactionAsync([Add(partition, "a"), Add(partition, "b")], cancellation);
        return true;
    }

    private static TableTransactionAction Add(string partition, string row) =>
        new(TableTransactionActionType.Add, new TableEntity(partition, row) { ["Data"] = Data });
}
