using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Flex.Local.Runtime.Azurite;

/// <summary>
/// Azurite, Microsoft's storage emulator, as a child process with its data in one directory. It keeps everything in memory
/// and saves every five seconds and at its end, so it is always ended by SIGTERM; a kill of Flex leaves it running and the
/// next start on the same directory adopts it.
/// </summary>
public sealed class AzuriteProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(60);

    private readonly FileStream _ownership;
    private readonly AzuriteState _state;
    private readonly string _directory;
    private readonly ILogger _log;

    private AzuriteProcess(string directory, FileStream ownership, AzuriteState state, ILogger log)
    {
        _directory = directory;
        _ownership = ownership;
        _state = state;
        _log = log;
    }

    public int ProcessId => _state.ProcessId;

    public int BlobPort => _state.BlobPort;

    public int QueuePort => _state.QueuePort;

    public int TablePort => _state.TablePort;

    /// <summary>For blobs, queues and tables; the account and its key are the emulator's published ones.</summary>
    public string ConnectionString => string.Create(
        CultureInfo.InvariantCulture,
        $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:{BlobPort}/devstoreaccount1;QueueEndpoint=http://127.0.0.1:{QueuePort}/devstoreaccount1;TableEndpoint=http://127.0.0.1:{TablePort}/devstoreaccount1;");

    /// <summary>Starts or adopts the Azurite of a data directory and waits until its three ports answer.</summary>
    /// <exception cref="AzuriteUnavailableException">With one line that says what to do.</exception>
    public static async Task<AzuriteProcess> StartAsync(string dataDirectory, ILogger log, CancellationToken cancellation)
    {
        string directory = Path.GetFullPath(dataDirectory);
        Directory.CreateDirectory(directory);
        FileStream ownership = TryOwn(directory) ?? throw new AzuriteUnavailableException($"The data directory {directory} is in use by another Flex.");
        try
        {
            AzuriteState state = await AdoptAsync(directory, log, cancellation) ?? await LaunchAsync(directory, log, cancellation);
            return new AzuriteProcess(directory, ownership, state, log);
        }
        catch
        {
            await ownership.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the Azurite that a killed process left behind in this directory. False when the directory is in use.</summary>
    public static async Task<bool> StopAbandonedAsync(string dataDirectory, ILogger log, CancellationToken cancellation)
    {
        string directory = Path.GetFullPath(dataDirectory);
        await using FileStream? ownership = TryOwn(directory);
        if (ownership is null)
        {
            return false;
        }

        if (AzuriteState.Read(directory) is { } state)
        {
            await StopAsync(state, directory, log, cancellation);
        }

        return true;
    }

    /// <summary>What a kill of Flex does: lets go of the directory and leaves Azurite running.</summary>
    public void Abandon() => _ownership.Dispose();

    /// <summary>Asks Azurite to end and waits until it has saved its data and is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(_state, _directory, _log, CancellationToken.None);
        await _ownership.DisposeAsync();
    }

    /// <summary>The operating system releases the lock with the process, however that ends.</summary>
    private static FileStream? TryOwn(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, "azurite.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task<AzuriteState?> AdoptAsync(string directory, ILogger log, CancellationToken cancellation)
    {
        if (AzuriteState.Read(directory) is not { } state)
        {
            return null;
        }

        if (UnixProcess.IsAzurite(state.ProcessId, DataOf(directory)) && await AnswersAsync(state, cancellation))
        {
            log.LogInformation("Continuing with the Azurite that is already running (process {ProcessId}).", state.ProcessId);
            return state;
        }

        await StopAsync(state, directory, log, cancellation);
        return null;
    }

    private static async Task<AzuriteState> LaunchAsync(string directory, ILogger log, CancellationToken cancellation)
    {
        string entry = await AzuriteInstallation.EnsureAsync(log, cancellation);
        const int Tries = 3;
        for (int attempt = 1; ; attempt++)
        {
            int[] ports = FreePorts(3);
            using Process process = Launch(entry, directory, ports);
            var state = new AzuriteState(process.Id, ports[0], ports[1], ports[2]);
            state.Write(directory);
            bool ready = false;
            try
            {
                ready = await BecomesReadyAsync(state, process, cancellation);
            }
            finally
            {
                if (!ready)
                {
                    await StopAsync(state, directory, log, CancellationToken.None);
                }
            }

            if (ready)
            {
                return state;
            }

            const int CommandNotFound = 127;
            if (process.HasExited && process.ExitCode == CommandNotFound)
            {
                throw new AzuriteUnavailableException(AzuriteInstallation.NodeMissing);
            }

            // Another process may have taken one of the ports between asking for it and using it.
            if (attempt == Tries)
            {
                throw new AzuriteUnavailableException($"Azurite does not start; its last words are in {Path.Combine(directory, "azurite.log")}.");
            }
        }
    }

    private static Process Launch(string entry, string directory, int[] ports)
    {
        string[] command =
        [
            "node", entry, "--silent", "--disableTelemetry", "--skipApiVersionCheck",
            "--blobPort", ports[0].ToString(CultureInfo.InvariantCulture),
            "--queuePort", ports[1].ToString(CultureInfo.InvariantCulture),
            "--tablePort", ports[2].ToString(CultureInfo.InvariantCulture),
            "--location", DataOf(directory),
        ];

        // Its output goes to a file, not to pipes that would break with us; its own session keeps Ctrl+C from ending it
        // before Flex has finished. The shell replaces itself, so the process id is Azurite's.
        const string Script = "log=$1; shift; if command -v setsid >/dev/null; then exec setsid \"$@\" >>\"$log\" 2>&1 </dev/null; "
            + "else exec \"$@\" >>\"$log\" 2>&1 </dev/null; fi";
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = directory };
        foreach (string argument in (string[])["-c", Script, "azurite", Path.Combine(directory, "azurite.log"), .. command])
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new AzuriteUnavailableException("Azurite is started through /bin/sh, which is not here; use --storage memory.", missing);
        }
    }

    private static string DataOf(string directory) => Path.Combine(directory, "azurite");

    private static async Task<bool> BecomesReadyAsync(AzuriteState state, Process process, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        while (!process.HasExited && clock.Elapsed < ReadyTimeout)
        {
            if (await AnswersAsync(state, cancellation))
            {
                return true;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25), cancellation);
        }

        return false;
    }

    private static async Task<bool> AnswersAsync(AzuriteState state, CancellationToken cancellation)
    {
        foreach (int port in (int[])[state.BlobPort, state.QueuePort, state.TablePort])
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port, cancellation);
            }
            catch (SocketException)
            {
                return false;
            }
        }

        return true;
    }

    private static async Task StopAsync(AzuriteState state, string directory, ILogger log, CancellationToken cancellation)
    {
        if (UnixProcess.IsAzurite(state.ProcessId, DataOf(directory)) && !await UnixProcess.EndAsync(state.ProcessId, cancellation))
        {
            log.LogWarning("Azurite (process {ProcessId}) did not end when asked and was killed; its last seconds may be lost.", state.ProcessId);
        }

        AzuriteState.Delete(directory);
    }

    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners)
        {
            listener.Start();
        }

        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners)
        {
            listener.Dispose();
        }

        return ports;
    }
}
