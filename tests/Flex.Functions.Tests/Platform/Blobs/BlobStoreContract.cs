using System.Text;
using Flex.Functions.Tests.Platform.Tables;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Blobs;
using Flex.Platform.Tables;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Functions.Tests.Platform.Blobs;

/// <summary>What every adapter of <see cref="IBlobStore"/> does, memory and Azure alike.</summary>
public abstract class BlobStoreContract
{
    private static int _containers;

    private readonly string _container = "test-" + Interlocked.Increment(ref _containers);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract Task<IBlobStore> NewStoreAsync();

    [Fact]
    public async Task A_blob_that_does_not_exist_is_null()
    {
        IBlobStore store = await NewStoreAsync();

        Assert.Null(await store.ReadAsync(_container, "a", Cancellation));
        Assert.False(await store.ExistsAsync(_container, "a", Cancellation));
    }

    [Theory]
    [InlineData("a", 0)]
    [InlineData("2025/01/evt_1-Zürich 100%.json", 10)]
    [InlineData("large", 3_000_000)]
    public async Task A_blob_is_read_as_it_was_put(string name, int length)
    {
        IBlobStore store = await NewStoreAsync();
        byte[] content = [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))];

        Assert.True(await store.PutAsync(_container, name, content, Cancellation));

        Assert.True(await store.ExistsAsync(_container, name, Cancellation));
        Assert.Equal(content, (await store.ReadAsync(_container, name, Cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task A_blob_is_put_once()
    {
        IBlobStore store = await NewStoreAsync();
        await store.PutAsync(_container, "a", Encoding.UTF8.GetBytes("first"), Cancellation);

        Assert.False(await store.PutAsync(_container, "a", Encoding.UTF8.GetBytes("second"), Cancellation));

        Assert.Equal("first", Encoding.UTF8.GetString((await store.ReadAsync(_container, "a", Cancellation))!.Value.Span));
    }

    [Fact]
    public async Task Of_many_parallel_puts_one_wins()
    {
        IBlobStore store = await NewStoreAsync();

        bool[] wins = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => store.PutAsync(_container, "a", new[] { (byte)i }, Cancellation), Cancellation)));

        byte stored = (await store.ReadAsync(_container, "a", Cancellation))!.Value.Span[0];
        Assert.Equal(stored, Array.IndexOf(wins, true));
        Assert.Single(wins, w => w);
    }

    [Fact]
    public async Task Each_call_is_counted_once()
    {
        IBlobStore store = await NewStoreAsync();
        using StorageCallScope calls = StorageCalls.Measure();

        await store.PutAsync(_container, "a", new byte[] { 1 }, Cancellation);
        await store.PutAsync(_container, "a", new byte[] { 1 }, Cancellation);
        await store.ReadAsync(_container, "a", Cancellation);
        await store.ExistsAsync(_container, "a", Cancellation);
        await store.NamesAsync(_container, Cancellation).CountAsync(Cancellation);

        Assert.Equal(5, calls.Count);
    }

    [Fact]
    public async Task The_names_of_a_container_come_in_ordinal_order_and_none_of_another()
    {
        IBlobStore store = await NewStoreAsync();
        Assert.Empty(await store.NamesAsync(_container, Cancellation).ToArrayAsync(Cancellation));
        foreach (string name in (string[])["b/2", "B", "a b%.json", "b-1", "b/1/x"])
        {
            await store.PutAsync(_container, name, new byte[] { 1 }, Cancellation);
        }

        await store.PutAsync(_container + "-other", "c", new byte[] { 1 }, Cancellation);

        Assert.Equal(["B", "a b%.json", "b-1", "b/1/x", "b/2"], await store.NamesAsync(_container, Cancellation).ToArrayAsync(Cancellation));
    }
}

public sealed class MemoryBlobStoreMeetsTheContract : BlobStoreContract
{
    protected override Task<IBlobStore> NewStoreAsync() => Task.FromResult<IBlobStore>(new MemoryBlobStore());
}

public sealed class DirectoryBlobStoreMeetsTheContract : BlobStoreContract, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flex-blobs-");

    public void Dispose() => _folder.Delete(recursive: true);

    protected override Task<IBlobStore> NewStoreAsync() => Task.FromResult<IBlobStore>(new DirectoryBlobStore(_folder.FullName));
}

public sealed class AzureBlobStoreMeetsTheContract(AzuriteFixture azurite) : BlobStoreContract
{
    [Fact]
    public async Task A_lost_answer_leaves_the_blob_and_says_there_is_one()
    {
        using var wire = new StorageWire { OnWrite = StorageWire.LoseFirstAnswer };
        AzureBlobStore store = BlobsFeature.CreateStore(await OptionsAsync(), wire.Transport);
        CancellationToken cancellation = TestContext.Current.CancellationToken;

        Assert.False(await store.PutAsync("lost-answers", "a", new byte[] { 7 }, cancellation));

        Assert.Equal([7], (await store.ReadAsync("lost-answers", "a", cancellation))!.Value.ToArray());
    }

    [Fact]
    public async Task An_unreachable_service_is_a_transient_fault()
    {
        using var wire = new StorageWire(new ScriptedService(_ => throw new HttpRequestException("No route to host.")));
        AzureBlobStore store = BlobsFeature.CreateStore(await OptionsAsync(), wire.Transport);

        await Assert.ThrowsAsync<TransientFaultException>(() => store.ReadAsync("any", "a", TestContext.Current.CancellationToken));
    }

    protected override async Task<IBlobStore> NewStoreAsync() => BlobsFeature.CreateStore(await OptionsAsync());

    private async Task<BlobOptions> OptionsAsync() => new() { ConnectionString = (await azurite.AzuriteAsync()).ConnectionString };
}
