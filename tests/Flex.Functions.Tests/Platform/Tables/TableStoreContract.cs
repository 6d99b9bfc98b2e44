using System.Collections.Concurrent;
using System.Globalization;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Platform.Tables;

/// <summary>What every adapter of <see cref="ITableStore"/> does, memory and Azure alike.</summary>
public abstract class TableStoreContract
{
    private const string Table = "things";
    private const string Home = "abc123";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract Task<ITableStore> NewStoreAsync();

    [Fact]
    public async Task A_row_that_does_not_exist_is_null()
    {
        ITableStore store = await NewStoreAsync();

        Assert.Null(await store.FindAsync(Table, Home, "D|1", Cancellation));
    }

    [Fact]
    public async Task An_inserted_row_is_found_with_its_document_and_a_version()
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert("D|1", new Thing("a chair", 1)), Cancellation)).Require();

        TableRow row = Assert.IsType<TableRow>(await store.FindAsync(Table, Home, "D|1", Cancellation));

        Assert.Equal((Home, "D|1", new Thing("a chair", 1)), (row.Partition, row.Key, row.As<Thing>()));
        Assert.NotEmpty(row.ETag);
        Assert.Null(await store.FindAsync(Table, "other1", "D|1", Cancellation));
        Assert.Null(await store.FindAsync("others", Home, "D|1", Cancellation));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a#b")]
    [InlineData("a\u0001b")]
    [InlineData("")]
    public async Task A_key_that_no_row_can_have_finds_nothing(string key)
    {
        ITableStore store = await NewStoreAsync();

        Assert.Null(await store.FindAsync(Table, Home, key, Cancellation));
        Assert.Null(await store.FindAsync(Table, key, "D|1", Cancellation));
    }

    [Theory]
    [InlineData("D|it's 100% + ok")]
    [InlineData("D|Zürich 東京 😀")]
    [InlineData("D|a&b=c;d,e:f@g$h!i(j)*k~l`m^n{o}p[q]\"<>")]
    public async Task A_key_with_odd_characters_is_found_read_replaced_and_deleted(string key)
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert(key, new Thing("x", 1)), Cancellation)).Require();

        TableRow row = (await store.FindAsync(Table, Home, key, Cancellation))!;
        TableRow listed = Assert.Single(await store.ReadAsync(Table, Home, RowRange.Prefix(key), 10, Cancellation));
        Assert.Equal(row, listed);
        Assert.Empty(await store.ReadAsync(Table, Home, RowRange.All.After(key), 10, Cancellation));

        (await store.CommitAsync(Batch().Replace(key, new Thing("y", 2), row.ETag), Cancellation)).Require();
        row = (await store.FindAsync(Table, Home, key, Cancellation))!;
        (await store.CommitAsync(Batch().Delete(key, row.ETag), Cancellation)).Require();
        Assert.Null(await store.FindAsync(Table, Home, key, Cancellation));
    }

    [Fact]
    public async Task A_range_is_half_open_ordered_by_key_and_limited()
    {
        ITableStore store = await NewStoreAsync();
        TableBatch batch = Batch();
        foreach (string key in (string[])["D|3", "C|9", "D|1", "E|1", "D|2", "D}", "D", "d|1"])
        {
            batch.Insert(key, new Thing(key, 0));
        }

        (await store.CommitAsync(batch, Cancellation)).Require();

        Assert.Equal(["C|9", "D", "D|1", "D|2", "D|3", "D}", "E|1", "d|1"], await KeysAsync(store, RowRange.All, 100));
        Assert.Equal(["D|1", "D|2", "D|3"], await KeysAsync(store, RowRange.Prefix("D|"), 100));
        Assert.Equal(["D|1", "D|2"], await KeysAsync(store, RowRange.Prefix("D|"), 2));
        Assert.Equal(["D|3"], await KeysAsync(store, RowRange.Prefix("D|").After("D|2"), 2));
        Assert.Equal(["D|1", "D|2"], await KeysAsync(store, new RowRange("D|1", "D|3"), 100));
        Assert.Equal(["E|1", "d|1"], await KeysAsync(store, new RowRange("D}a", null), 100));
        Assert.Empty(await KeysAsync(store, new RowRange("F", "G"), 100));
        Assert.Empty(await KeysAsync(store, RowRange.Prefix("z"), 100));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public async Task A_page_has_1_to_1000_rows(int limit)
    {
        ITableStore store = await NewStoreAsync();

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => store.ReadAsync(Table, Home, RowRange.All, limit, Cancellation));
    }

    [Fact]
    public async Task More_than_1000_rows_come_page_by_page_and_one_partition_at_a_time()
    {
        ITableStore store = await NewStoreAsync();
        string[] keys = [.. Enumerable.Range(0, 1_100).Select(i => string.Create(CultureInfo.InvariantCulture, $"D|{i:D5}"))];
        foreach (string[] part in keys.Chunk(TableLimits.MaxOperations))
        {
            TableBatch batch = Batch();
            foreach (string key in part)
            {
                batch.Insert(key, new Thing(key, 0));
            }

            (await store.CommitAsync(batch, Cancellation)).Require();
        }

        (await store.CommitAsync(new TableBatch(Table, "abc124").Insert("D|00000", new Thing("other", 0)), Cancellation)).Require();

        Assert.Equal(keys[..1_000], await KeysAsync(store, RowRange.All, TableLimits.MaxPage));
        Assert.Equal(keys, await store.ReadAllAsync(Table, Home, RowRange.All, Cancellation).Select(r => r.Key).ToArrayAsync(Cancellation));
        (string, string)[] scanned = await ((ITableScanner)store).ScanAsync(Table, Cancellation).Select(r => (r.Partition, r.Key)).ToArrayAsync(Cancellation);
        Assert.Equal([.. keys.Select(k => (Home, k)), ("abc124", "D|00000")], scanned);
    }

    [Fact]
    public async Task Tables_are_listed_by_the_names_they_were_used_with()
    {
        ITableStore store = await NewStoreAsync();
        foreach (string table in (string[])["things", "apples"])
        {
            (await store.CommitAsync(new TableBatch(table, Home).Insert("D|1", new Thing("x", 1)), Cancellation)).Require();
        }

        Assert.Equal(["apples", "things"], await ((ITableScanner)store).TablesAsync(Cancellation));
    }

    [Fact]
    public async Task A_duplicate_insert_names_the_row_and_changes_nothing()
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert("D|1", new Thing("first", 1)).Insert("M|evt_1", new Thing("seen", 1)), Cancellation)).Require();
        IReadOnlyList<TableRow> before = await RowsAsync(store);

        CommitResult alone = await store.CommitAsync(Batch().Insert("D|1", new Thing("second", 2)), Cancellation);
        CommitResult among = await store.CommitAsync(
            Batch().Replace("D|1", new Thing("second", 2), before[0].ETag).Insert("D|2", new Thing("new", 2)).Insert("M|evt_1", new Thing("again", 2)),
            Cancellation);

        Assert.Equal((CommitKind.Duplicate, "D|1"), (alone.Kind, alone.Key));
        Assert.Equal((CommitKind.Duplicate, "M|evt_1"), (among.Kind, among.Key));
        Assert.True(among.IsDuplicateOf(RowKeys.Inbox));
        Assert.Equal(before, await RowsAsync(store));
    }

    [Fact]
    public async Task A_stale_replace_names_the_row_and_changes_nothing()
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert("D|1", new Thing("first", 1)).Insert("D|2", new Thing("first", 1)), Cancellation)).Require();
        string read = (await store.FindAsync(Table, Home, "D|1", Cancellation))!.ETag;
        (await store.CommitAsync(Batch().Replace("D|1", new Thing("second", 2), read), Cancellation)).Require();
        IReadOnlyList<TableRow> before = await RowsAsync(store);

        CommitResult alone = await store.CommitAsync(Batch().Replace("D|1", new Thing("third", 3), read), Cancellation);
        CommitResult among = await store.CommitAsync(
            Batch().Insert("D|3", new Thing("new", 3)).Delete("D|2", before[1].ETag).Replace("D|1", new Thing("third", 3), read),
            Cancellation);

        Assert.Equal((CommitKind.Stale, "D|1"), (alone.Kind, alone.Key));
        Assert.Equal((CommitKind.Stale, "D|1"), (among.Kind, among.Key));
        Assert.Equal(before, await RowsAsync(store));
    }

    [Fact]
    public async Task A_stale_delete_names_the_row_and_changes_nothing()
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert("D|1", new Thing("first", 1)), Cancellation)).Require();
        string read = (await store.FindAsync(Table, Home, "D|1", Cancellation))!.ETag;
        (await store.CommitAsync(Batch().Replace("D|1", new Thing("second", 2), read), Cancellation)).Require();
        IReadOnlyList<TableRow> before = await RowsAsync(store);

        CommitResult alone = await store.CommitAsync(Batch().Delete("D|1", read), Cancellation);
        CommitResult among = await store.CommitAsync(Batch().Insert("D|2", new Thing("new", 3)).Delete("D|1", read), Cancellation);

        Assert.Equal((CommitKind.Stale, "D|1"), (alone.Kind, alone.Key));
        Assert.Equal((CommitKind.Stale, "D|1"), (among.Kind, among.Key));
        Assert.Equal(before, await RowsAsync(store));
    }

    [Fact]
    public async Task Replacing_or_deleting_a_row_that_is_gone_is_stale()
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert("D|1", new Thing("first", 1)), Cancellation)).Require();
        string read = (await store.FindAsync(Table, Home, "D|1", Cancellation))!.ETag;
        (await store.CommitAsync(Batch().Delete("D|1", read), Cancellation)).Require();

        TableBatch[] late =
        [
            Batch().Replace("D|1", new Thing("x", 1), read),
            Batch().Delete("D|1", read),
            Batch().Insert("D|2", new Thing("x", 1)).Replace("D|1", new Thing("x", 1), read),
            Batch().Insert("D|2", new Thing("x", 1)).Delete("D|1", read),
        ];
        foreach (TableBatch batch in late)
        {
            CommitResult result = await store.CommitAsync(batch, Cancellation);
            Assert.Equal((CommitKind.Stale, "D|1"), (result.Kind, result.Key));
        }

        Assert.Empty(await RowsAsync(store));
    }

    [Fact]
    public async Task A_row_that_comes_back_after_a_delete_is_another_version()
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert("D|1", new Thing("first", 1)), Cancellation)).Require();
        string first = (await store.FindAsync(Table, Home, "D|1", Cancellation))!.ETag;
        (await store.CommitAsync(Batch().Delete("D|1", first), Cancellation)).Require();
        (await store.CommitAsync(Batch().Insert("D|1", new Thing("first", 1)), Cancellation)).Require();

        Assert.Equal(CommitKind.Stale, (await store.CommitAsync(Batch().Delete("D|1", first), Cancellation)).Kind);
    }

    [Fact]
    public async Task Every_write_gives_a_distinct_version()
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert("D|1", new Thing("same", 1)), Cancellation)).Require();
        var versions = new HashSet<string>();
        for (int i = 0; i < 30; i++)
        {
            string etag = (await store.FindAsync(Table, Home, "D|1", Cancellation))!.ETag;
            Assert.True(versions.Add(etag));
            (await store.CommitAsync(Batch().Replace("D|1", new Thing("same", 1), etag), Cancellation)).Require();
        }
    }

    [Fact]
    public async Task A_hundred_operations_of_all_kinds_commit_together()
    {
        ITableStore store = await NewStoreAsync();
        TableBatch seed = Batch();
        for (int i = 0; i < 60; i++)
        {
            seed.Insert($"D|{i:D3}", new Thing("old", i));
        }

        (await store.CommitAsync(seed, Cancellation)).Require();
        IReadOnlyList<TableRow> rows = await RowsAsync(store);
        TableBatch batch = Batch();
        for (int i = 0; i < 30; i++)
        {
            batch.Replace(rows[i].Key, new Thing("new", i), rows[i].ETag);
            batch.Delete(rows[i + 30].Key, rows[i + 30].ETag);
        }

        for (int i = 0; i < 40; i++)
        {
            batch.Insert($"E|{i:D3}", new Thing("new", i));
        }

        Assert.Equal(TableLimits.MaxOperations, batch.Operations.Count);
        (await store.CommitAsync(batch, Cancellation)).Require();

        rows = await RowsAsync(store);
        Assert.Equal(70, rows.Count);
        Assert.All(rows, r => Assert.Equal("new", r.As<Thing>().Name));
    }

    [Fact]
    public async Task An_empty_batch_is_invalid()
    {
        ITableStore store = await NewStoreAsync();

        Assert.Equal(CommitKind.Invalid, (await store.CommitAsync(Batch(), Cancellation)).Kind);
    }

    [Theory]
    [InlineData(31_990)]
    [InlineData(100_000)]
    [InlineData(440_000)]
    public async Task A_long_document_with_any_characters_comes_back_unchanged(int chars)
    {
        ITableStore store = await NewStoreAsync();
        const string Alphabet = "aé東\"\\ß<&' \n";
        string text = string.Concat(Enumerable.Range(0, chars / 10).Select(i => Alphabet[i % Alphabet.Length]));
        text += new string('x', chars - System.Text.Json.JsonSerializer.Serialize(new Thing(text, 1)).Length);
        (await store.CommitAsync(Batch().Insert("D|1", new Thing(text, 1)).Insert("D|2", new Thing("small", 1)), Cancellation)).Require();

        TableRow row = (await store.FindAsync(Table, Home, "D|1", Cancellation))!;
        Assert.Equal(text, row.As<Thing>().Name);
        Assert.Equal(row.Data, (await store.ReadAsync(Table, Home, RowRange.All, 10, Cancellation))[0].Data);

        // A shorter document leaves nothing of the longer one.
        (await store.CommitAsync(Batch().Replace("D|1", new Thing("short", 2), row.ETag), Cancellation)).Require();
        Assert.Equal(new Thing("short", 2), (await store.FindAsync(Table, Home, "D|1", Cancellation))!.As<Thing>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_64_parallel_inserts_of_a_key_one_wins(bool inTransaction)
    {
        ITableStore store = await NewStoreAsync();

        CommitResult[] results = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(
            () => store.CommitAsync(inTransaction ? Contender(i).Insert($"D|{i:D2}", new Thing("data", i)) : Contender(i), Cancellation),
            Cancellation)));

        Assert.Single(results, r => r.IsCommitted);
        Assert.All(results.Where(r => !r.IsCommitted), r => Assert.Equal((CommitKind.Duplicate, "A|guard"), (r.Kind, r.Key)));
        IReadOnlyList<TableRow> rows = await RowsAsync(store);
        Assert.Equal(inTransaction ? 2 : 1, rows.Count);
        Assert.Single(rows.Select(r => r.As<Thing>().Count).Distinct());

        TableBatch Contender(int i) => Batch().Insert("A|guard", new Thing("guard", i));
    }

    [Fact]
    public async Task No_increment_is_lost_when_writers_compete()
    {
        ITableStore store = await NewStoreAsync();
        (await store.CommitAsync(Batch().Insert("D|n", new Thing("n", 0)), Cancellation)).Require();
        var kinds = new ConcurrentBag<CommitKind>();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(IncrementTenTimesAsync, Cancellation)));

        Assert.Equal(40, (await store.FindAsync(Table, Home, "D|n", Cancellation))!.As<Thing>().Count);
        Assert.All(kinds, k => Assert.True(k is CommitKind.Committed or CommitKind.Stale));

        async Task IncrementTenTimesAsync()
        {
            for (int done = 0; done < 10;)
            {
                TableRow row = (await store.FindAsync(Table, Home, "D|n", Cancellation))!;
                CommitResult result = await store.CommitAsync(Batch().Replace("D|n", new Thing("n", row.As<Thing>().Count + 1), row.ETag), Cancellation);
                kinds.Add(result.Kind);
                done += result.IsCommitted ? 1 : 0;
            }
        }
    }

    [Fact]
    public async Task Each_call_is_counted_once_in_the_flow_that_makes_it()
    {
        ITableStore store = await NewStoreAsync();
        using StorageCallScope outer = StorageCalls.Measure();
        await store.FindAsync(Table, Home, "D|1", Cancellation);
        using (StorageCallScope inner = StorageCalls.Measure())
        {
            await store.CommitAsync(Batch().Insert("D|1", new Thing("x", 1)), Cancellation);
            await store.CommitAsync(Batch().Insert("D|1", new Thing("x", 1)), Cancellation);
            await store.CommitAsync(Batch().Insert("D|2", new Thing("x", 1)).Insert("D|3", new Thing("x", 1)), Cancellation);
            await store.ReadAsync(Table, Home, RowRange.All, 10, Cancellation);
            Assert.Equal(4, inner.Count);
        }

        await Task.Run(() => store.FindAsync(Table, Home, "D|1", Cancellation), Cancellation);
        Assert.Equal(6, outer.Count);
    }

    private static TableBatch Batch() => new(Table, Home);

    private static Task<IReadOnlyList<TableRow>> RowsAsync(ITableStore store) => store.ReadAsync(Table, Home, RowRange.All, TableLimits.MaxPage, Cancellation);

    private static async Task<string[]> KeysAsync(ITableStore store, RowRange range, int limit) =>
        [.. (await store.ReadAsync(Table, Home, range, limit, Cancellation)).Select(r => r.Key)];
}

public sealed record Thing(string Name, int Count);
