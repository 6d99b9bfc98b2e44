using System.Runtime.CompilerServices;
using Flex.Exports;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Exports;

/// <summary>Exports of a store that is written to meanwhile.</summary>
public sealed class LiveExportTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private readonly MemoryTableStore _store = new();
    private readonly MemoryBlobStore _blobs = new();

    [Fact]
    public async Task A_partition_of_many_pages_is_exported_as_it_was_at_one_instant()
    {
        await Exporting.FillAsync(_store, [.. Exporting.Rows("billing", "book", 2_500), .. Exporting.Rows("billing", "other", 3)]);
        int writes = 0;
        var moving = new MovingStore(_store) { AfterPage = async () => writes += writes < 3 && await AddPairAsync(writes) ? 1 : 0 };

        StoreExport done = await Exporting.ExportAsync(moving, _blobs);

        Assert.Equal(3, writes);
        Assert.Equal(0, done.Manifest.Tables[0].Torn);
        var restored = new MemoryTableStore();
        await Exporting.RestoreAsync(_blobs, restored);
        Assert.True(PairsOf(restored).Distinct().Count() == 1, "Both ends of the partition are of the same transaction.");
        Assert.Equal(_store.Snapshot("billing", "book").Select(r => (r.Key, r.Data)), restored.Snapshot("billing", "book").Select(r => (r.Key, r.Data)));
        Assert.Equal(3, restored.Snapshot("billing", "other").Count);
    }

    [Fact]
    public async Task A_partition_that_never_stands_still_is_exported_all_the_same_and_counted()
    {
        await Exporting.FillAsync(_store, Exporting.Rows("billing", "book", 1_500));
        int writes = 0;
        var moving = new MovingStore(_store) { AfterPage = async () => writes += await AddPairAsync(writes) ? 1 : 0 };

        StoreExport done = await Exporting.ExportAsync(moving, _blobs);

        Assert.Equal(1, done.Manifest.Tables[0].Torn);
        Assert.InRange(done.Manifest.Rows(), 1_500, 1_502);
        await Exporting.RestoreAsync(_blobs, new MemoryTableStore());
    }

    [Fact]
    public async Task Without_writes_each_row_is_there_once_however_pages_and_partitions_meet()
    {
        foreach (int rows in (int[])[999, 1_000, 1_001, 2_000])
        {
            var store = new MemoryTableStore();
            await Exporting.FillAsync(store, [.. Exporting.Rows("billing", "a", 2), .. Exporting.Rows("billing", "b", rows), .. Exporting.Rows("billing", "c", 1)]);
            foreach (int page in (int[])[1, 2, 3, 500, 1_000, 5_000])
            {
                var blobs = new MemoryBlobStore();
                await Exporting.ExportAsync(store, blobs, scanner: new CutPages(store, page));
                var restored = new MemoryTableStore();

                await Exporting.RestoreAsync(blobs, restored);

                Assert.Equal(await Exporting.ContentAsync(store), await Exporting.ContentAsync(restored));
            }
        }
    }

    [Fact]
    public async Task A_cut_off_export_is_no_export_and_the_next_run_keeps_the_large_tables_it_had_finished()
    {
        await Exporting.FillAsync(_store, [.. Exporting.Rows("billing", "a", 25), .. Exporting.Rows("bookings", "b", 5), .. Exporting.Rows("wallets", "w", 5)]);
        var limits = new PartLimits(10, long.MaxValue);
        var failing = new MovingStore(_store) { Refused = "wallets" };
        await Assert.ThrowsAsync<IOException>(() => Exporting.ExportAsync(failing, _blobs, limits));
        Assert.Empty(await new ExportArchive(_blobs).ListAsync(Cancellation));
        var again = new MovingStore(_store);

        StoreExport done = await Exporting.ExportAsync(again, _blobs, limits);

        Assert.Equal(["bookings", "wallets"], again.Scanned);
        Assert.Equal(35, done.Manifest.Rows());
        var restored = new MemoryTableStore();
        await Exporting.RestoreAsync(_blobs, restored);
        Assert.Equal(await Exporting.ContentAsync(_store), await Exporting.ContentAsync(restored));
    }

    [Fact]
    public async Task Partitions_with_messages_on_their_way_are_named_once()
    {
        foreach (string partition in (string[])["p", "q"])
        {
            await Exporting.FillAsync(_store, [("bookings", partition, "O|1", "{}"), ("bookings", partition, "O|2", "{}")]);
        }

        await Exporting.FillAsync(_store, [("bookings", "r", "D|1", "{}"), ("billing", "p", "O|1", "{}")]);

        StoreExport done = await Exporting.ExportAsync(_store, _blobs);

        Assert.Equal([new("billing", "p"), new("bookings", "p"), new OutboxSweep("bookings", "q")], done.Outboxes);
    }

    /// <summary>One transaction over both ends of the partition.</summary>
    private async Task<bool> AddPairAsync(int number)
    {
        IReadOnlyList<TableRow> rows = _store.Snapshot("billing", "book");
        var batch = new TableBatch("billing", "book");
        batch.Put("A|first", number, rows.FirstOrDefault(r => r.Key == "A|first")?.ETag);
        batch.Put("Z|last", number, rows.FirstOrDefault(r => r.Key == "Z|last")?.ETag);
        return (await _store.CommitAsync(batch, Cancellation)).IsCommitted;
    }

    private static IEnumerable<string> PairsOf(MemoryTableStore store) =>
        store.Snapshot("billing", "book").Where(r => r.Key is "A|first" or "Z|last").Select(r => r.Data);

    /// <summary>A store to which something happens after every page that is read of it.</summary>
    private sealed class MovingStore(MemoryTableStore inner) : ITableStore, ITableScanner
    {
        public Func<Task> AfterPage { get; init; } = () => Task.CompletedTask;

        /// <summary>The table whose scan is cut off.</summary>
        public string? Refused { get; init; }

        public List<string> Scanned { get; } = [];

        public Task<TableRow?> FindAsync(string table, string partition, string key, CancellationToken cancellation) =>
            inner.FindAsync(table, partition, key, cancellation);

        public async Task<IReadOnlyList<TableRow>> ReadAsync(string table, string partition, RowRange range, int limit, CancellationToken cancellation)
        {
            IReadOnlyList<TableRow> rows = await inner.ReadAsync(table, partition, range, limit, cancellation);
            await AfterPage();
            return rows;
        }

        public Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation) => inner.CommitAsync(batch, cancellation);

        public async IAsyncEnumerable<IReadOnlyList<TableRow>> ScanPagesAsync(string table, [EnumeratorCancellation] CancellationToken cancellation)
        {
            Scanned.Add(table);
            await foreach (IReadOnlyList<TableRow> page in inner.ScanPagesAsync(table, cancellation))
            {
                yield return table == Refused ? throw new IOException("cut") : page;
                await AfterPage();
            }
        }

        public Task<IReadOnlyList<string>> TablesAsync(CancellationToken cancellation) => inner.TablesAsync(cancellation);
    }

    /// <summary>Pages that end anywhere, also within partitions, as the service's do; every third one is empty.</summary>
    private sealed class CutPages(MemoryTableStore inner, int size) : ITableScanner
    {
        public async IAsyncEnumerable<IReadOnlyList<TableRow>> ScanPagesAsync(string table, [EnumeratorCancellation] CancellationToken cancellation)
        {
            TableRow[] all = await inner.ScanAsync(table, cancellation).ToArrayAsync(cancellation);
            foreach ((int index, TableRow[] page) in all.Chunk(size).Index())
            {
                yield return page;
                if (index % 3 == 0)
                {
                    yield return [];
                }
            }
        }

        public Task<IReadOnlyList<string>> TablesAsync(CancellationToken cancellation) => inner.TablesAsync(cancellation);
    }
}
