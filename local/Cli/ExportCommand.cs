using System.Globalization;
using Flex.Exports;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flex.Local.Cli;

/// <summary><c>./flex export</c>: what the app does every night, now and into a folder.</summary>
internal sealed class ExportCommand : ICommand
{
    public string Name => "export";

    public string Summary => "Exports a store that no host is running on into a folder.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("data", "DIR", "The store. Default .flex/data."),
        .. OpenedStore.AzureOptions,
        new("to", "DIR", "Where to; the export gets a folder of its own below DIR/exports, named by the store's time."),
    ];

    public async Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        string to = arguments.Text("to") ?? throw new CommandArgumentException("--to says where to.");
        await using OpenedStore store = await OpenedStore.ReadAsync(arguments, cancellation);
        var exporter = new StoreExporter(store.Tables, store.Tables, store.Time, NullLogger<StoreExporter>.Instance);
        ExportManifest manifest = (await exporter.ExportAsync(
            new ExportArchive(new DirectoryBlobStore(to)), ExportArchive.NameAt(store.Time.Now()), cancellation)).Manifest;
        int torn = manifest.Tables.Sum(t => t.Torn);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Exported {manifest.Rows()} rows of {manifest.Tables.Count} tables as {manifest.Id}{(torn == 0 ? string.Empty : $"; {torn} partitions may hold half of a transaction")}."));
        return 0;
    }
}
