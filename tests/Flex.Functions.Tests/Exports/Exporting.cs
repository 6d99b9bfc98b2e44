using CsCheck;
using Flex.Exports;
using Flex.Local.Restore;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Blobs;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flex.Functions.Tests.Exports;

/// <summary>Stores with rows of all kinds, their export and their restore.</summary>
internal static class Exporting
{
    public const string Name = "2025-01-02";

    /// <summary>Letters of one to four bytes, what JSON, OData and XML escape, and what a path could be made of.</summary>
    private const string Alphabet = "aZ09 |.-_~'\"&<>%+:;=,@!$()[]{}^`*äß東😀\u00a0\u2028";

    private static readonly Gen<string> AnyText =
        Gen.Int[0, Alphabet.Length - 1].Where(i => !char.IsLowSurrogate(Alphabet[i])).Array[1, 40]
            .Select(letters => string.Concat(letters.Select(i => char.IsHighSurrogate(Alphabet[i]) ? Alphabet.Substring(i, 2) : Alphabet[i].ToString())));

    private static readonly Gen<string> AnyDocument = Gen.Frequency(
        (20, AnyText.Select(t => System.Text.Json.JsonSerializer.Serialize(new { text = t }))),
        (3, AnyText.Select(t => t)),
        (1, Gen.Int[31_990, 70_000].Select(length => "{\"long\":\"" + string.Concat(Enumerable.Repeat("x\\\"東", length / 4)) + "\"}")));

    private static readonly Gen<(string Table, string Partition, string Key, string Data)> AnyRow =
        Gen.Select(Gen.OneOf("bookings", "billing", "Mail"), Gen.Frequency((3, Gen.OneOf("p", "P", "ä|", "p'")), (1, AnyText)), AnyText, AnyDocument);

    public static Gen<(string Table, string Partition, string Key, string Data)[]> AnyRows { get; } =
        AnyRow.Array[0, 60].Select(rows => rows.DistinctBy(r => (r.Table, r.Partition, r.Key)).ToArray());

    public static FakeTimeProvider Time { get; } = new(new DateTimeOffset(2025, 1, 2, 1, 40, 0, TimeSpan.Zero));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task FillAsync(ITableStore store, IEnumerable<(string Table, string Partition, string Key, string Data)> rows)
    {
        foreach (var group in rows.GroupBy(r => (r.Table, r.Partition)))
        {
            var batch = new TableBatch(group.Key.Table, group.Key.Partition);
            foreach ((string _, string _, string key, string data) in group)
            {
                if (!batch.TryInsertStored(key, data))
                {
                    (await store.CommitAsync(batch, Cancellation)).Require();
                    batch = new TableBatch(group.Key.Table, group.Key.Partition);
                    batch.TryInsertStored(key, data);
                }
            }

            (await store.CommitAsync(batch, Cancellation)).Require();
        }
    }

    public static IEnumerable<(string Table, string Partition, string Key, string Data)> Rows(string table, string partition, int count) =>
        Enumerable.Range(0, count).Select(i => (table, partition, $"D|{i:D6}", $"{{\"n\":{i}}}"));

    /// <summary>What the tables hold, byte for byte.</summary>
    public static async Task<IReadOnlyList<(string Table, string Partition, string Key, string Data)>> ContentAsync(ITableScanner store)
    {
        var rows = new List<(string, string, string, string)>();
        foreach (string table in (await store.TablesAsync(Cancellation)).Intersect(ExportTables.All, StringComparer.Ordinal))
        {
            await foreach (TableRow row in store.ScanAsync(table, Cancellation))
            {
                rows.Add((table, row.Partition, row.Key, row.Data));
            }
        }

        return rows;
    }

    public static async Task<StoreExport> ExportAsync<TStore>(TStore store, IBlobStore blobs, PartLimits? limits = null, ITableScanner? scanner = null, TimeProvider? time = null)
        where TStore : ITableStore, ITableScanner =>
        await new StoreExporter(store, scanner ?? store, time ?? Time, NullLogger<StoreExporter>.Instance) { Limits = limits ?? PartLimits.Default }
            .ExportAsync(new ExportArchive(blobs), Name, Cancellation);

    public static Task<RestoreReport> RestoreAsync<TStore>(IBlobStore blobs, TStore store, string export = ExportContent.Latest, TimeProvider? time = null)
        where TStore : ITableStore, ITableScanner =>
        new StoreRestore(store, store, new ExportContent(new ExportArchive(blobs)), time ?? Time).RunAsync(export, Cancellation);

    /// <summary>A store of some tables, exported in parts of ten rows.</summary>
    public static async Task<(MemoryTableStore Store, MemoryBlobStore Blobs)> ExportedAsync()
    {
        var store = new MemoryTableStore();
        await FillAsync(store, [.. Rows("bookings", "p", 25), .. Rows("bookings", "q", 3), .. Rows("billing", "p", 5)]);
        var blobs = new MemoryBlobStore();
        await ExportAsync(store, blobs, new PartLimits(10, long.MaxValue));
        return (store, blobs);
    }
}
