using System.Globalization;
using System.IO.Compression;
using System.Text;
using CsCheck;
using Flex.Exports;
using Flex.Kernel;
using Flex.Local.Restore;
using Flex.Local.Runtime.Storage;
using Flex.Platform;
using Flex.Platform.Blobs;
using Flex.Platform.Tables;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Functions.Tests.Exports;

/// <summary>What is restored from an export is what was exported, or nothing.</summary>
public sealed class ExportAndRestoreTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Any_rows_come_back_byte_for_byte_in_memory() => await Exporting.AnyRows.SampleAsync(
        async rows =>
        {
            var store = new MemoryTableStore();
            await Exporting.FillAsync(store, rows);
            var blobs = new MemoryBlobStore();
            await Exporting.ExportAsync(store, blobs, new PartLimits(7, 100_000));
            var restored = new MemoryTableStore();

            RestoreReport report = await Exporting.RestoreAsync(blobs, restored);

            Assert.Equal(rows.Length, report.Rows);
            Assert.Equal(await Exporting.ContentAsync(store), await Exporting.ContentAsync(restored));
        },
        iter: 100,
        threads: 1);

    [Fact]
    public async Task Any_rows_come_back_byte_for_byte_through_Azure_tables_and_files() => await Exporting.AnyRows.SampleAsync(
        async rows =>
        {
            AzureTableStore store = await azurite.NewStoreAsync();
            await Exporting.FillAsync(store, rows);
            string folder = Directory.CreateTempSubdirectory("flex-export-").FullName;
            try
            {
                var files = new DirectoryBlobStore(folder);
                await Exporting.ExportAsync(store, files, new PartLimits(11, 100_000));
                AzureTableStore restored = await azurite.NewStoreAsync();

                await Exporting.RestoreAsync(files, restored);

                Assert.Equal(rows.Order(), (await Exporting.ContentAsync(restored)).Order());
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        },
        iter: 12,
        threads: 1);

    [Fact]
    public async Task Partitions_of_thousands_of_rows_and_megabytes_come_back_from_Azure_blobs()
    {
        AzureTableStore store = await azurite.NewStoreAsync();
        string document = "\"" + new string('ß', 200_000) + "\"";
        (string Table, string Partition, string Key, string Data)[] rows =
        [
            .. Exporting.Rows("billing", "a", 2_300),
            .. Enumerable.Range(0, 6).Select(i => ("bookings", "b", $"D|{i}", document)),
            .. Exporting.Rows("bookings", "c", 150),
        ];
        await Exporting.FillAsync(store, rows);
        AzureBlobStore blobs = BlobsFeature.CreateStore(new BlobOptions { ConnectionString = (await azurite.AzuriteAsync()).ConnectionString });
        var archive = new ExportArchive(blobs);
        StoreExport done = await new StoreExporter(store, store, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<StoreExporter>.Instance)
            .ExportAsync(archive, "2031-05-06-070809", Cancellation);
        AzureTableStore restored = await azurite.NewStoreAsync();

        await Exporting.RestoreAsync(blobs, restored, "2031-05-06-070809");

        Assert.Equal(rows.Order(), (await Exporting.ContentAsync(restored)).Order());
        Assert.Equal(rows.Length, done.Manifest.Rows());
        Assert.Contains("2031-05-06-070809", await archive.ListAsync(Cancellation));
    }

    [Fact]
    public async Task The_tables_of_the_host_in_the_same_account_are_left_alone()
    {
        TableOptions options = await azurite.NewTablesAsync();
        AzureTableStore store = TablesFeature.CreateStore(options);
        await Exporting.FillAsync(store, Exporting.Rows("bookings", "p", 3));
        var account = new Azure.Data.Tables.TableServiceClient(options.ConnectionString);
        foreach (string foreign in (string[])[options.Prefix + "flexHistory", "flexInstances"])
        {
            Azure.Data.Tables.TableClient table = account.GetTableClient(foreign);
            await table.CreateIfNotExistsAsync(Cancellation);
            await table.UpsertEntityAsync(new Azure.Data.Tables.TableEntity("i", "1") { ["Input"] = "not a document" }, cancellationToken: Cancellation);
        }

        StoreExport done = await Exporting.ExportAsync(store, new MemoryBlobStore());

        Assert.Equal(["bookings"], done.Manifest.Tables.Select(t => t.Name));
    }

    [Fact]
    public async Task A_part_is_bounded_and_the_manifest_says_what_is_in_it()
    {
        (_, MemoryBlobStore blobs) = await Exporting.ExportedAsync();

        ExportManifest manifest = (await new ExportArchive(blobs).FindAsync(Exporting.Name, Cancellation))!;

        Assert.Equal((ExportManifest.CurrentVersion, Exporting.Name), (manifest.FormatVersion, manifest.Id));
        Assert.Equal(["billing", "bookings"], manifest.Tables.Select(t => t.Name));
        Assert.Equal([10, 10, 8], manifest.Tables[1].Parts.Select(p => p.Rows));
        ExportedPart part = manifest.Tables[1].Parts[0];
        byte[] content = Unpack((await blobs.ReadAsync(ExportArchive.Container, part.Name, Cancellation))!.Value);
        Assert.Equal(part.Bytes, content.Length);
        Assert.Equal(part.Sha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)));
        Assert.Equal("""{"partition":"p","key":"D|000000","data":"{\"n\":0}"}""", Encoding.UTF8.GetString(content).Split('\n')[0]);
    }

    [Fact]
    public async Task An_empty_store_and_an_empty_table_are_exported_and_restored()
    {
        var store = new MemoryTableStore();
        await Exporting.FillAsync(store, Exporting.Rows("bookings", "p", 1));
        (await store.CommitAsync(new TableBatch("bookings", "p").Delete("D|000000", store.Snapshot("bookings", "p")[0].ETag), Cancellation)).Require();
        var blobs = new MemoryBlobStore();
        ExportedTable table = Assert.Single((await Exporting.ExportAsync(store, blobs)).Manifest.Tables);
        var restored = new MemoryTableStore();

        await Exporting.RestoreAsync(blobs, restored);

        Assert.Equal(("bookings", 0L, 0), (table.Name, table.Rows, table.Parts.Count));
        Assert.Empty(await Exporting.ContentAsync(restored));
    }

    public static TheoryData<string, string> Damages => new()
    {
        { "no manifest", "There is no complete export." },
        { "other version", "Export 2025-01-02 has format 2, this build reads 1: restore it with the build that wrote it." },
        { "broken manifest", "The manifest of export 2025-01-02 is damaged." },
        { "foreign table", "Export 2025-01-02 has a table 'LocalQueues', which this build does not know." },
        { "part missing", "Part * is missing." },
        { "part cut", "Part * is damaged: its content is not what was exported." },
        { "part no gzip", "Part * is damaged: it is no gzip file." },
        { "part changed", "Part * is damaged: its content is not what was exported." },
        { "wrong rows of a part", "Part * has 10 rows, the manifest says 11." },
        { "wrong rows of a table", "Table 'bookings' has 28 rows, the manifest says 29." },
        { "no row", "Part * has a line that is no row." },
        { "impossible key", "Table 'bookings' has a row that no table can hold." },
        { "way out", "'../../secret' is no name of a blob." },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_export_is_refused_in_one_line_and_nothing_is_written(string damage, string line)
    {
        (_, MemoryBlobStore whole) = await Exporting.ExportedAsync();
        string folder = Directory.CreateTempSubdirectory("flex-export-").FullName;
        try
        {
            var blobs = new DirectoryBlobStore(folder);
            await CopyDamagedAsync(whole, blobs, damage);
            var restored = new MemoryTableStore();

            Exception refused = await Assert.ThrowsAnyAsync<Exception>(() => Exporting.RestoreAsync(blobs, restored));

            Assert.True(refused is RestoreRefusedException or DefectException, refused.ToString());
            Assert.Matches("^" + System.Text.RegularExpressions.Regex.Escape(line).Replace(@"\*", ".+", StringComparison.Ordinal) + "$", refused.Message);
            Assert.Equal(0, restored.Calls);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task An_export_that_is_asked_for_by_a_wrong_name_is_refused_with_the_newest_name()
    {
        (_, MemoryBlobStore blobs) = await Exporting.ExportedAsync();

        RestoreRefusedException refused = await Assert.ThrowsAsync<RestoreRefusedException>(
            () => Exporting.RestoreAsync(blobs, new MemoryTableStore(), "2025-01-01"));

        Assert.Equal("There is no complete export '2025-01-01'; the newest is 2025-01-02.", refused.Message);
    }

    private static async Task CopyDamagedAsync(MemoryBlobStore whole, DirectoryBlobStore blobs, string damage)
    {
        var archive = new ExportArchive(whole);
        ExportManifest manifest = (await archive.FindAsync(Exporting.Name, Cancellation))!;
        ExportedTable bookings = manifest.Tables[1];
        ExportedPart victim = bookings.Parts[1];
        foreach (ExportedPart part in manifest.Tables.SelectMany(t => t.Parts))
        {
            byte[] content = (await archive.ReadPartAsync(part.Name, Cancellation))!.Value.ToArray();
            if (part != victim || damage != "part missing")
            {
                await blobs.PutAsync(ExportArchive.Container, part.Name, part != victim ? content : Damaged(content, damage), Cancellation);
            }
        }

        manifest = damage switch
        {
            "other version" => manifest with { FormatVersion = 2 },
            "foreign table" => manifest with { Tables = [manifest.Tables[0] with { Name = "LocalQueues" }, bookings] },
            "wrong rows of a part" => With(victim with { Rows = 11 }),
            "wrong rows of a table" => manifest with { Tables = [manifest.Tables[0], bookings with { Rows = 29 }] },
            "no row" or "impossible key" => With(Described(victim, Changed(await ReadAsync(archive, victim), damage))),
            "way out" => With(victim with { Name = "../../secret" }),
            _ => manifest,
        };
        if (damage != "no manifest")
        {
            string text = damage == "broken manifest" ? "{" : StorageJson.Write(manifest);
            await blobs.PutAsync(ExportArchive.Container, Exporting.Name + "/manifest.json", Encoding.UTF8.GetBytes(text), Cancellation);
        }

        ExportManifest With(ExportedPart part) =>
            manifest with { Tables = [manifest.Tables[0], bookings with { Parts = [bookings.Parts[0], part, bookings.Parts[2]] }] };
    }

    private static byte[] Damaged(byte[] content, string damage) => damage switch
    {
        "part cut" => Pack(Unpack(content)[..^20]),
        "part no gzip" => [1, 2, 3, 4],
        "part changed" => Pack(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Unpack(content)).Replace("10", "11", StringComparison.Ordinal))),
        "no row" or "impossible key" => Pack(Changed(Unpack(content), damage)),
        _ => content,
    };

    private static byte[] Changed(byte[] content, string damage)
    {
        string[] lines = Encoding.UTF8.GetString(content).Split('\n');
        lines[3] = damage == "no row" ? """{"partition":"p","data":"{}"}""" : """{"partition":"p","key":"a/b","data":"{}"}""";
        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    private static ExportedPart Described(ExportedPart part, byte[] content) => part with
    {
        Bytes = content.Length,
        Sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)),
    };

    private static async Task<byte[]> ReadAsync(ExportArchive archive, ExportedPart part) => Unpack((await archive.ReadPartAsync(part.Name, Cancellation))!.Value);

    private static byte[] Unpack(ReadOnlyMemory<byte> content)
    {
        using var gzip = new GZipStream(new MemoryStream(content.ToArray()), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private static byte[] Pack(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }
}
