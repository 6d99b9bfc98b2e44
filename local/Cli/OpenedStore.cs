using Flex.Local.Runtime.Azurite;
using Flex.Local.Runtime.Hosting;
using Flex.Platform;
using Flex.Platform.Blobs;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Flex.Local.Cli;

/// <summary>The store a command works on while no host does: a data directory with its Azurite, or tables in Azure.</summary>
internal sealed class OpenedStore : IAsyncDisposable
{
    private readonly AzuriteProcess? _azurite;

    private OpenedStore(AzureTableStore tables, DataDirectory? data, AzuriteProcess? azurite, TimeProvider time) =>
        (Tables, Data, _azurite, Time) = (tables, data, azurite, time);

    /// <summary>The options of a command that works on a store in Azure as well as on one of this machine.</summary>
    public static IReadOnlyList<CommandOption> AzureOptions { get; } =
    [
        new("tables", "URL", "Instead of --data: an account's tables, e.g. https://flexprod.table.core.windows.net, as whoever az is logged in as."),
        new("prefix", "TEXT", "With --tables: what the store's tables begin with (Tables__Prefix)."),
    ];

    public AzureTableStore Tables { get; }

    /// <summary>Null for a store in Azure.</summary>
    public DataDirectory? Data { get; }

    /// <summary>The clock that the store lives by.</summary>
    public TimeProvider Time { get; }

    /// <summary>The blobs beside the tables of a data directory.</summary>
    public AzureBlobStore Blobs => BlobsFeature.CreateStore(new BlobOptions { ConnectionString = _azurite!.ConnectionString });

    /// <summary>The existing store that <c>--tables</c> or <c>--data</c> names.</summary>
    public static async Task<OpenedStore> ReadAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        if (arguments.Text("tables") is not { } address)
        {
            return await OfDirectoryAsync(Existing(arguments.Text("data") ?? Path.Combine(".flex", "data")), null, cancellation);
        }

        return arguments.Has("data") ? throw new CommandArgumentException("Either --data or --tables, not both.") : OfAzure(address, arguments.Text("prefix"));
    }

    /// <param name="clock">Where the simulated clock of a new directory starts.</param>
    public static async Task<OpenedStore> OfDirectoryAsync(string path, Instant? clock, CancellationToken cancellation)
    {
        DataDirectory data = DataDirectory.Open(path);
        try
        {
            TimeProvider time = data.OpenClock(clock) is { } now ? new Runtime.Scheduling.SimulatedClock(now) : TimeProvider.System;
            AzuriteProcess azurite = await AzuriteProcess.StartAsync(data.Azurite, NullLogger.Instance, cancellation);
            return new OpenedStore(TablesFeature.CreateStore(new TableOptions { ConnectionString = azurite.ConnectionString }), data, azurite, time);
        }
        catch (AzuriteUnavailableException unavailable)
        {
            data.Dispose();
            throw new LocalHostException(unavailable.Message);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    public static OpenedStore OfAzure(string address, string? prefix)
    {
        try
        {
            var options = new TableOptions { ServiceUri = Address("tables", address), Prefix = prefix ?? string.Empty };
            return new OpenedStore(TablesFeature.CreateStore(options), null, null, TimeProvider.System);
        }
        catch (SettingsException wrong)
        {
            throw new CommandArgumentException(string.Join(" ", wrong.Lines));
        }
    }

    public static Uri Address(string option, string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme == Uri.UriSchemeHttps
        ? address
        : throw new CommandArgumentException($"--{option} is an https address.");

    /// <summary>The directory that must be there already.</summary>
    public static string Existing(string path) => Directory.Exists(path) ? path : throw new CommandArgumentException($"{path} does not exist.");

    public async ValueTask DisposeAsync()
    {
        if (_azurite is not null)
        {
            await _azurite.DisposeAsync();
        }

        Data?.Dispose();
    }
}
