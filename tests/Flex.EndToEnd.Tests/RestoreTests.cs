using Flex.EndToEnd.Tests.Support;
using Flex.Exports;
using Flex.Local.Cli;
using Flex.Local.Runtime.Azurite;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime.Text;
using Xunit;

namespace Flex.EndToEnd.Tests;

/// <summary>The demo's store by its export: what a day of the real thing would look like.</summary>
public sealed class RestoreTests(UndisturbedDemo demo)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_store_that_is_exported_and_restored_is_equal_byte_for_byte_and_nothing_is_wrong_in_it()
    {
        DemoRun run = await demo.RunAsync();
        using var folder = new TemporaryDirectory();
        using var restored = new TemporaryDirectory();
        string clock = InstantPattern.ExtendedIso.Format(run.EndedAt);

        Assert.Equal(0, await CommandTable.RunAsync(["export", "--data", run.Data, "--to", folder.Path]));
        Assert.Equal(0, await CommandTable.RunAsync(["restore", "--from", folder.Path, "--data", restored.Path, "--clock", clock]));

        string[] before = await RowsAsync(run.Data);
        Assert.True(before.Length > 200, $"Only {before.Length} rows.");
        Assert.Equal(before, await RowsAsync(restored.Path));

        Assert.Equal(0, await CommandTable.RunAsync(["verify", "--data", restored.Path]));

        // Stripe goes on, whatever happens to a store: with its account beside it, verify compares the two.
        Directory.CreateDirectory(Path.Combine(restored.Path, "stripe"));
        File.Copy(Path.Combine(run.Data, "stripe", "journal.jsonl"), Path.Combine(restored.Path, "stripe", "journal.jsonl"));

        Assert.Equal(0, await CommandTable.RunAsync(["verify", "--data", restored.Path]));
        Assert.Equal(1, await CommandTable.RunAsync(["restore", "--from", folder.Path, "--data", restored.Path]));
    }

    [Fact]
    public async Task A_night_of_a_data_directory_is_restored_into_another()
    {
        DemoRun run = await demo.RunAsync();
        using var restored = new TemporaryDirectory();
        string night = ExportArchive.NightOf(TestHost.Began + NodaTime.Duration.FromDays(40));

        int ended = await CommandTable.RunAsync(
            ["restore", "--from", run.Data, "--export", night, "--data", restored.Path, "--clock", night + "T01:40:00Z"]);

        Assert.Equal(0, ended);
        Assert.NotEmpty(await RowsAsync(restored.Path));
    }

    /// <summary>Every row of every business table, a line each.</summary>
    private static async Task<string[]> RowsAsync(string data)
    {
        await using AzuriteProcess azurite = await AzuriteProcess.StartAsync(Path.Combine(data, "azurite"), NullLogger.Instance, Cancel);
        AzureTableStore tables = TablesFeature.CreateStore(new TableOptions { ConnectionString = azurite.ConnectionString });
        var rows = new List<string>();
        IReadOnlyList<string> existing = await tables.TablesAsync(Cancel);
        Assert.All(existing.Except(ExportTables.All), other => Assert.Matches("^(Local|hub|restores$)", other));
        foreach (string table in existing.Intersect(ExportTables.All, StringComparer.Ordinal))
        {
            rows.AddRange(await tables.ScanAsync(table, Cancel).Select(r => $"{table} {r.Partition} {r.Key} {r.Data}").ToArrayAsync(Cancel));
        }

        return [.. rows];
    }
}
