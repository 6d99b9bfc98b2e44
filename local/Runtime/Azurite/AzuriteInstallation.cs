using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Flex.Local.Runtime.Azurite;

/// <summary>
/// Azurite's npm package, pinned by <c>local/azurite/package-lock.json</c> and installed from the machine's npm registry on
/// first use, without running any package's install script. One installation per lock file, shared by all processes.
/// </summary>
internal static class AzuriteInstallation
{
    public const string NodeMissing =
        "Azurite needs Node.js 20 or later: node and npm are not on the PATH. Install Node.js, or run with --storage memory.";

    private static readonly TimeSpan OtherInstallTimeout = TimeSpan.FromMinutes(5);

    /// <summary>The script that Node runs. Takes ten to twenty seconds the first time and no time afterwards.</summary>
    public static async Task<string> EnsureAsync(ILogger log, CancellationToken cancellation)
    {
        string source = Path.Combine(AppContext.BaseDirectory, "azurite");
        string version = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(source, "package-lock.json"), cancellation)))[..12];
        string folder = Path.Combine(Cache(), "azurite", version);
        string entry = Path.Combine(folder, "node_modules", "azurite", "dist", "src", "azurite.js");
        string done = Path.Combine(folder, "installed");
        if (File.Exists(done))
        {
            return entry;
        }

        Directory.CreateDirectory(folder);
        await using FileStream turn = await TakeTurnAsync(folder, cancellation);
        if (!File.Exists(done))
        {
            log.LogInformation("Installing Azurite into {Folder} (once, up to a minute).", folder);
            File.Copy(Path.Combine(source, "package.json"), Path.Combine(folder, "package.json"), overwrite: true);
            File.Copy(Path.Combine(source, "package-lock.json"), Path.Combine(folder, "package-lock.json"), overwrite: true);
            await RunNpmAsync(folder, cancellation);
            await File.WriteAllTextAsync(done, string.Empty, cancellation);
        }

        return entry;
    }

    /// <summary>The repository's <c>.flex</c> when Flex runs from a clone, else the user's cache.</summary>
    private static string Cache()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Flex.Functions.sln")))
            {
                return Path.Combine(folder.FullName, ".flex");
            }
        }

        return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "flex");
    }

    /// <summary>Waits for another process that is installing; its lock ends with it, so a killed one does not block.</summary>
    private static async Task<FileStream> TakeTurnAsync(string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(folder, "install.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (clock.Elapsed < OtherInstallTimeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellation);
            }
        }
    }

    private static async Task RunNpmAsync(string folder, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process npm = Start(start);
        Task<string> output = npm.StandardOutput.ReadToEndAsync(cancellation);
        Task<string> errors = npm.StandardError.ReadToEndAsync(cancellation);
        await npm.WaitForExitAsync(cancellation);
        await output;
        if (npm.ExitCode != 0)
        {
            string line = (await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "no message";
            throw new AzuriteUnavailableException($"Azurite could not be installed: npm ci failed in {folder}: {line}");
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new AzuriteUnavailableException(NodeMissing, missing);
        }
    }
}
