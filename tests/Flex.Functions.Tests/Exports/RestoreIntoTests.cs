using Flex.Exports;
using Flex.Local.Restore;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Exports;

/// <summary>Which stores a restore writes into, and how one that was cut off is gone on with.</summary>
public sealed class RestoreIntoTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_store_with_a_single_row_is_refused_and_left_alone()
    {
        (_, MemoryBlobStore blobs) = await Exporting.ExportedAsync();
        var store = new MemoryTableStore();
        await Exporting.FillAsync(store, Exporting.Rows("wallets", "w", 1));

        RestoreRefusedException refused = await Assert.ThrowsAsync<RestoreRefusedException>(() => Exporting.RestoreAsync(blobs, store));

        Assert.Equal("The store is not empty: table 'wallets' has rows. A restore needs an empty store.", refused.Message);
        Assert.Equal([("wallets", "w", "D|000000", "{\"n\":0}")], await Exporting.ContentAsync(store));
    }

    [Fact]
    public async Task A_restored_store_is_not_restored_again()
    {
        (_, MemoryBlobStore blobs) = await Exporting.ExportedAsync();
        var store = new MemoryTableStore();
        await Exporting.RestoreAsync(blobs, store);

        RestoreRefusedException refused = await Assert.ThrowsAsync<RestoreRefusedException>(() => Exporting.RestoreAsync(blobs, store));

        Assert.Equal("The store was made from export 2025-01-02 already. A restore needs an empty store.", refused.Message);
    }

    [Fact]
    public async Task Cut_off_before_or_after_any_commit_a_restore_is_gone_on_with_by_the_same_command()
    {
        (MemoryTableStore original, MemoryBlobStore blobs) = await Exporting.ExportedAsync();
        IReadOnlyList<(string, string, string, string)> expected = await Exporting.ContentAsync(original);
        int cuts = 0;
        for (bool whole = false; !whole; cuts++)
        {
            var store = new MemoryTableStore();
            int left = cuts / 2;
            Func<TableBatch, Task> cut = _ => left-- == 0 ? Task.FromException(new IOException("cut")) : Task.CompletedTask;
            store.BeforeCommit = cuts % 2 == 0 ? cut : null;
            store.AfterCommit = cuts % 2 == 0 ? null : cut;
            whole = await Record.ExceptionAsync(() => Exporting.RestoreAsync(blobs, store)) is not IOException;
            (store.BeforeCommit, store.AfterCommit) = (null, null);

            // After the very last commit the store is whole and says so.
            Exception? again = whole ? null : await Record.ExceptionAsync(() => Exporting.RestoreAsync(blobs, store));

            Assert.True(again is null or RestoreRefusedException { Message: "The store was made from export 2025-01-02 already. A restore needs an empty store." }, again?.ToString());
            Assert.Equal(expected, await Exporting.ContentAsync(store));
        }

        Assert.True(cuts > 8, $"Only {cuts} cuts.");
    }

    [Fact]
    public async Task A_cut_off_restore_is_not_gone_on_with_from_another_export()
    {
        (MemoryTableStore original, MemoryBlobStore blobs) = await Exporting.ExportedAsync();
        MemoryTableStore store = await CutOffAsync(blobs);
        var archive = new ExportArchive(blobs);
        ExportManifest other = (await archive.FindAsync(Exporting.Name, Cancellation))! with { Id = "2025-01-03" };
        await archive.CompleteAsync(other, Cancellation);

        RestoreRefusedException refused = await Assert.ThrowsAsync<RestoreRefusedException>(() => Exporting.RestoreAsync(blobs, store));

        Assert.Equal("A restore of export 2025-01-02 was cut off here. Run it again to go on with it, or take an empty store.", refused.Message);
    }

    [Fact]
    public async Task A_store_that_was_used_before_its_restore_was_whole_is_refused()
    {
        (_, MemoryBlobStore blobs) = await Exporting.ExportedAsync();
        MemoryTableStore store = await CutOffAsync(blobs);
        TableRow row = store.Snapshot("billing", "p")[0];
        (await store.CommitAsync(new TableBatch("billing", "p").Replace(row.Key, new { n = 99 }, row.ETag), Cancellation)).Require();

        RestoreRefusedException refused = await Assert.ThrowsAsync<RestoreRefusedException>(() => Exporting.RestoreAsync(blobs, store));

        Assert.Equal("Table 'billing' was written to after the restore had begun. Stop the app and take an empty store.", refused.Message);
    }

    [Fact]
    public async Task Rows_are_written_in_full_transactions()
    {
        var original = new MemoryTableStore();
        string large = "\"" + new string('x', 440_000) + "\"";
        await Exporting.FillAsync(original, [.. Exporting.Rows("billing", "p", 250), .. Enumerable.Range(0, 20).Select(i => ("bookings", "p", $"{i:D2}", large))]);
        var blobs = new MemoryBlobStore();
        await Exporting.ExportAsync(original, blobs);
        var commits = new List<int>();
        var store = new MemoryTableStore { AfterCommit = batch => Count(batch) };

        await Exporting.RestoreAsync(blobs, store);

        // 250 small rows, and 20 of which nine fill the 4 MiB of a transaction.
        Assert.Equal([100, 100, 50, 9, 9, 2], commits);

        Task Count(TableBatch batch)
        {
            if (batch.Table != RestoreMark.Table)
            {
                commits.Add(batch.Operations.Count);
            }

            return Task.CompletedTask;
        }
    }

    private static async Task<MemoryTableStore> CutOffAsync(MemoryBlobStore blobs)
    {
        int left = 2;
        var store = new MemoryTableStore { AfterCommit = _ => left-- == 0 ? Task.FromException(new IOException("cut")) : Task.CompletedTask };
        await Assert.ThrowsAsync<IOException>(() => Exporting.RestoreAsync(blobs, store));
        store.AfterCommit = null;
        return store;
    }
}
