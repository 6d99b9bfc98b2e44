using System.Diagnostics;
using System.Globalization;
using Flex.Local.Runtime.Azurite;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: Xunit.AssemblyFixture(typeof(Flex.Tests.Shared.AzuriteFixture))]

namespace Flex.Tests.Shared;

/// <summary>
/// One Azurite for a whole test run, started when the first test asks for it. A test class takes the fixture as a
/// constructor argument. Stores are kept apart by a table prefix of their own.
/// </summary>
public sealed class AzuriteFixture : IAsyncDisposable
{
    private static readonly string Root = Path.Combine(Path.GetTempPath(), "flex-test-azurite");
    private static int _stores;

    private readonly string _directory = Path.Combine(Root, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
    private readonly Lazy<Task<AzuriteProcess>> _azurite;

    public AzuriteFixture() => _azurite = new(StartAsync);

    public Task<AzuriteProcess> AzuriteAsync() => _azurite.Value;

    /// <summary>Options of a store that no other test uses.</summary>
    public async Task<TableOptions> NewTablesAsync() => new()
    {
        ConnectionString = (await AzuriteAsync()).ConnectionString,
        Prefix = string.Create(CultureInfo.InvariantCulture, $"t{Interlocked.Increment(ref _stores)}x"),
    };

    public async Task<AzureTableStore> NewStoreAsync() => TablesFeature.CreateStore(await NewTablesAsync());

    public async ValueTask DisposeAsync()
    {
        if (_azurite.IsValueCreated)
        {
            await (await _azurite.Value).DisposeAsync();
            Directory.Delete(_directory, recursive: true);
        }
    }

    private async Task<AzuriteProcess> StartAsync()
    {
        Directory.CreateDirectory(Root);
        await SweepAsync();
        return await AzuriteProcess.StartAsync(_directory, NullLogger.Instance, CancellationToken.None);
    }

    /// <summary>A run that was killed leaves its Azurite and its data; directories are named by the run's process id.</summary>
    private static async Task SweepAsync()
    {
        try
        {
            await using var turn = new FileStream(Path.Combine(Root, "sweep.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            foreach (string left in Directory.GetDirectories(Root).Where(d => !IsRunning(Path.GetFileName(d))))
            {
                if (await AzuriteProcess.StopAbandonedAsync(left, NullLogger.Instance, CancellationToken.None))
                {
                    Directory.Delete(left, recursive: true);
                }
            }
        }
        catch (IOException)
        {
            // Another run is sweeping.
        }
    }

    private static bool IsRunning(string processId)
    {
        try
        {
            using var process = Process.GetProcessById(int.Parse(processId, CultureInfo.InvariantCulture));
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
