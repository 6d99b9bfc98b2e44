using Flex.Platform.Tables;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Functions.Tests.Platform.Tables;

/// <summary>A commit that took effect is reported as committed although the network says otherwise.</summary>
public sealed class LostAnswerTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private const string Table = "things";
    private const string Home = "abc123";

    private readonly StorageWire _wire = new();
    private AzureTableStore _store = null!;
    private AzureTableStore _rival = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        TableOptions options = await azurite.NewTablesAsync();
        _store = TablesFeature.CreateStore(options, _wire.Transport);
        _rival = TablesFeature.CreateStore(options);
        (await _store.CommitAsync(Batch().Insert("D|1", new Thing("first", 1)).Insert("D|2", new Thing("first", 1)), Cancellation)).Require();
    }

    public ValueTask DisposeAsync()
    {
        _wire.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_lone_insert()
    {
        _wire.OnWrite = StorageWire.LoseFirstAnswer;
        using StorageCallScope calls = StorageCalls.Measure();

        CommitResult result = await _store.CommitAsync(Batch().Insert("D|3", new Thing("mine", 3)), Cancellation);

        Assert.Equal(CommitResult.Committed, result);
        Assert.Equal(2, _wire.Writes);
        Assert.Equal(2, calls.Count);
        Assert.Equal("mine", await NameAsync("D|3"));
    }

    [Fact]
    public async Task A_lone_replace()
    {
        string etag = await ETagAsync("D|1");
        _wire.OnWrite = StorageWire.LoseFirstAnswer;

        CommitResult result = await _store.CommitAsync(Batch().Replace("D|1", new Thing("mine", 3), etag), Cancellation);

        Assert.Equal(CommitResult.Committed, result);
        Assert.Equal("mine", await NameAsync("D|1"));
    }

    [Fact]
    public async Task A_transaction_of_inserts_and_replaces()
    {
        string etag = await ETagAsync("D|1");
        _wire.OnWrite = StorageWire.LoseFirstAnswer;

        CommitResult result = await _store.CommitAsync(Batch().Replace("D|1", new Thing("mine", 3), etag).Insert("D|3", new Thing("mine", 3)), Cancellation);

        Assert.Equal(CommitResult.Committed, result);
        Assert.Equal("mine", await NameAsync("D|3"));
    }

    [Fact]
    public async Task A_transaction_that_starts_with_a_delete()
    {
        string etag = await ETagAsync("D|1");
        _wire.OnWrite = StorageWire.LoseFirstAnswer;

        CommitResult result = await _store.CommitAsync(Batch().Delete("D|1", etag).Insert("D|3", new Thing("mine", 3)), Cancellation);

        Assert.Equal(CommitResult.Committed, result);
        Assert.Null(await NameAsync("D|1"));
    }

    [Fact]
    public async Task A_transaction_whose_changed_row_was_overwritten_by_somebody_else_meanwhile()
    {
        string etag = await ETagAsync("D|1");
        _wire.OnWrite = async (attempt, send) =>
        {
            HttpResponseMessage answer = await send();
            if (attempt > 1)
            {
                return answer;
            }

            (await _rival.CommitAsync(Batch().Replace("D|1", new Thing("rival", 4), await ETagAsync("D|1")), Cancellation)).Require();
            throw new HttpRequestException("The connection was reset.");
        };

        CommitResult result = await _store.CommitAsync(Batch().Replace("D|1", new Thing("mine", 3), etag).Insert("K|key", new Thing("mine", 3)), Cancellation);

        Assert.Equal(CommitResult.Committed, result);
        Assert.Equal("rival", await NameAsync("D|1"));
    }

    [Fact]
    public async Task But_a_retried_commit_that_never_took_effect_is_refused()
    {
        string etag = await ETagAsync("D|1");
        (await _rival.CommitAsync(Batch().Replace("D|1", new Thing("rival", 4), etag).Insert("D|3", new Thing("rival", 4)), Cancellation)).Require();

        _wire.OnWrite = StorageWire.LoseFirstRequest;
        CommitResult duplicate = await _store.CommitAsync(Batch().Insert("D|3", new Thing("mine", 3)), Cancellation);
        CommitResult stale = await _store.CommitAsync(Batch().Replace("D|1", new Thing("mine", 3), etag).Insert("D|4", new Thing("mine", 3)), Cancellation);

        Assert.Equal((CommitKind.Duplicate, "D|3"), (duplicate.Kind, duplicate.Key));
        Assert.Equal((CommitKind.Stale, "D|1"), (stale.Kind, stale.Key));
        Assert.Equal("rival", await NameAsync("D|1"));
        Assert.Null(await NameAsync("D|4"));
    }

    [Fact]
    public async Task A_lone_delete_cannot_tell_and_is_stale()
    {
        string etag = await ETagAsync("D|1");
        _wire.OnWrite = StorageWire.LoseFirstAnswer;

        CommitResult result = await _store.CommitAsync(Batch().Delete("D|1", etag), Cancellation);

        Assert.Equal((CommitKind.Stale, "D|1"), (result.Kind, result.Key));
        Assert.Null(await NameAsync("D|1"));
    }

    [Fact]
    public async Task A_refusal_at_the_first_attempt_is_not_looked_up()
    {
        using StorageCallScope calls = StorageCalls.Measure();

        await _store.CommitAsync(Batch().Insert("D|1", new Thing("mine", 3)), Cancellation);

        Assert.Equal(1, calls.Count);
    }

    private static TableBatch Batch() => new(Table, Home);

    private async Task<string> ETagAsync(string key) => (await _rival.FindAsync(Table, Home, key, Cancellation))!.ETag;

    private async Task<string?> NameAsync(string key) => (await _rival.FindAsync(Table, Home, key, Cancellation))?.As<Thing>().Name;
}
