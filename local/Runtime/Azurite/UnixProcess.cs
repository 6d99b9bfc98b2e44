using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Flex.Local.Runtime.Azurite;

/// <summary>Looking at and ending processes that are not our children, by their id.</summary>
internal static class UnixProcess
{
    private const int Terminate = 15;
    private const int Kill = 9;
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(20);

    /// <summary>True when the process with this id runs Azurite on this location: ids are used again, so it may be anybody's by now.</summary>
    public static bool IsAzurite(int processId, string location)
    {
        string[] arguments = CommandLine(processId);
        return arguments.Any(a => a.Contains("azurite", StringComparison.Ordinal))
            && arguments.Contains(location, StringComparer.Ordinal);
    }

    /// <summary>Asks the process to end and waits. False when it had to be killed.</summary>
    public static async Task<bool> EndAsync(int processId, CancellationToken cancellation)
    {
        Signal(processId, Terminate);
        if (await EndsAsync(processId, cancellation))
        {
            return true;
        }

        Signal(processId, Kill);
        await EndsAsync(processId, cancellation);
        return false;
    }

    /// <summary>Not Process.WaitForExit: that never returns for somebody else's zombie, which a container without an init leaves standing.</summary>
    private static async Task<bool> EndsAsync(int processId, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < EndTimeout)
        {
            if (CommandLine(processId).Length == 0)
            {
                return true;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25), cancellation);
        }

        return false;
    }

    /// <summary>The arguments of a live process; none when it has ended.</summary>
    private static string[] CommandLine(int processId)
    {
        string id = processId.ToString(CultureInfo.InvariantCulture);
        if (Directory.Exists("/proc/self"))
        {
            try
            {
                return File.ReadAllText($"/proc/{id}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return [];
            }
        }

        // macOS has no /proc; ps joins the arguments with spaces, which is good enough where the location has none.
        using Process ps = Process.Start(new ProcessStartInfo("ps", ["-ww", "-o", "command=", "-p", id]) { RedirectStandardOutput = true })!;
        string line = ps.StandardOutput.ReadToEnd();
        ps.WaitForExit();
        return line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static void Signal(int processId, int signal) => _ = SendSignal(processId, signal);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
