using System.Globalization;
using Flex.Exports;
using Flex.Local.Restore;
using Flex.Local.Runtime.Storage;
using Flex.Platform.Blobs;

namespace Flex.Local.Cli;

/// <summary><c>./flex restore</c>: makes a store from an export.</summary>
internal sealed class RestoreCommand : ICommand
{
    public string Name => "restore";

    public string Summary => "Makes a store from an export; the store must be empty and the app stopped.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("from", "DIR|URL", "A folder of ./flex export, another data directory, or an account's blobs, e.g. https://flexprod.blob.core.windows.net."),
        new("export", "NAME", "Which one, e.g. 2026-11-22. Default latest."),
        new("data", "DIR", "The new store, on this machine."),
        .. OpenedStore.AzureOptions,
        new("clock", "TIME", "With --data: the new store lives by simulated time from this instant on. Default: the machine's."),
    ];

    public async Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        string from = arguments.Text("from") ?? throw new CommandArgumentException("--from says where the export is.");
        if (arguments.Has("data") == arguments.Has("tables"))
        {
            throw new CommandArgumentException("Either --data or --tables says where the store is to be.");
        }

        await using OpenedStore? source = IsDataDirectory(from) ? await OpenedStore.OfDirectoryAsync(from, null, cancellation) : null;
        IBlobStore blobs = source is not null
            ? source.Blobs
            : Uri.TryCreate(from, UriKind.Absolute, out Uri? url) && !url.IsFile
                ? BlobsFeature.CreateStore(new BlobOptions { ServiceUri = OpenedStore.Address("from", from) })
                : new DirectoryBlobStore(OpenedStore.Existing(from));
        await using OpenedStore target = arguments.Text("data") is { } data
            ? await OpenedStore.OfDirectoryAsync(data, arguments.Instant("clock"), cancellation)
            : OpenedStore.OfAzure(arguments.Text("tables")!, arguments.Text("prefix"));
        var restore = new StoreRestore(target.Tables, target.Tables, new ExportContent(new ExportArchive(blobs)), target.Time);
        RestoreReport report = await restore.RunAsync(arguments.Text("export") ?? ExportContent.Latest, cancellation);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"Restored export {report.Export.Id}, completed {report.Export.CompletedAt}: {report.Rows} rows of {report.Export.Tables.Count} tables."));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"Messages of {report.Outboxes} partitions were under way; the app publishes them when it starts. Run ./flex verify first."));
        return 0;
    }

    private static bool IsDataDirectory(string path) => Directory.Exists(Path.Combine(path, "azurite"));
}
