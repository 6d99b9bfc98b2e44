using System.Diagnostics;
using System.Globalization;

namespace Flex.Benchmarks;

/// <summary>From the start of the process that <c>./flex run</c> starts until it says that it is ready.</summary>
internal static class StartUpBench
{
    public static async Task RunAsync(BenchOptions options, Report report, CancellationToken cancellation)
    {
        foreach (string storage in (string[])["memory", "azurite"])
        {
            // The first one reads everything from disk, or even installs Azurite.
            Report.Progress($"start-up on {storage}");
            await OnceAsync(storage, cancellation);
            List<double> seconds = [];
            for (int i = 0; i < (options.Quick ? 1 : 3); i++)
            {
                seconds.Add(await OnceAsync(storage, cancellation));
            }

            string median = $"{Report.Number(Statistics.Median(seconds))} s";
            report.Add("start-up", storage, median, $"process start to ready, median of {seconds.Count}, empty store");
        }
    }

    private static async Task<double> OnceAsync(string storage, CancellationToken cancellation)
    {
        string root = Directory.CreateTempSubdirectory("flex-bench-").FullName;
        try
        {
            var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "flex.dll"), "run", "--port", "0", "--storage", storage])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["FLEX_ROOT"] = root },
            };
            var clock = Stopwatch.StartNew();
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
            try
            {
                while (await process.StandardOutput.ReadLineAsync(cancellation) is { } line)
                {
                    if (line == "Ready.")
                    {
                        return clock.Elapsed.TotalSeconds;
                    }
                }

                throw new InvalidOperationException($"flex run on {storage} ended: {(await errors).Trim()}");
            }
            finally
            {
                await EndAsync(process);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>By the signal that lets it end Azurite too.</summary>
    private static async Task EndAsync(Process process)
    {
        if (!process.HasExited)
        {
            using Process kill = Process.Start("/bin/sh", ["-c", "kill -TERM \"$1\"", "kill", process.Id.ToString(CultureInfo.InvariantCulture)]);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }
}
