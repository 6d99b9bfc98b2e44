using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Flex.Local.Runtime.Hosting;
using NodaTime.Text;

namespace Flex.EndToEnd.Tests.Support;

/// <summary>The <c>flex</c> program as a process of its own.</summary>
public sealed class FlexProcess : IAsyncDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "flex.dll");
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private FlexProcess(IReadOnlyDictionary<string, string> environment, IEnumerable<string> arguments)
    {
        // The runtime that runs the tests; the PATH may be what a test is about.
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        var start = new ProcessStartInfo(dotnet, [Program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException("flex has ended: " + string.Join('\n', _errors)));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public IReadOnlyList<string> Output => [.. _output];

    public IReadOnlyList<string> Errors => [.. _errors];

    public static FlexProcess Start(params IEnumerable<string> arguments) => new(new Dictionary<string, string>(), arguments);

    public static FlexProcess StartWith(IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments) => new(environment, arguments);

    /// <summary>A host on simulated time that is up, with ample rate limits.</summary>
    public static async Task<FlexProcess> ServeAsync(int port, string data, CancellationToken cancellation)
    {
        FlexProcess flex = StartWith(
            LocalSettings.AmpleRateLimits.ToDictionary(s => s.Key.Replace(":", "__", StringComparison.Ordinal), s => s.Value!),
            ["run", "--port", $"{port}", "--data", data, "--clock", InstantPattern.General.Format(TestHost.Began)]);
        try
        {
            await flex._ready.Task.WaitAsync(cancellation);
            return flex;
        }
        catch
        {
            await flex.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// A port that is free now and stays so while the process is away: below the range from which the system takes ports for
    /// outgoing connections.
    /// </summary>
    public static int FreePort(Random random)
    {
        while (true)
        {
            int port = random.Next(15_000, 30_000);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }

    /// <summary>SIGKILL, to this process only: its Azurite goes on.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as Ctrl+C does it.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> StopAsync(CancellationToken cancellation)
    {
        const int Terminate = 15;
        _ = SendSignal(_process.Id, Terminate);
        return ExitAsync(cancellation);
    }

    public async Task<int> ExitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private void Take(string? line)
    {
        Keep(_output, line);
        if (line == "Ready.")
        {
            _ready.TrySetResult();
        }
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
        {
            lines.Enqueue(line);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
