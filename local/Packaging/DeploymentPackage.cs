using System.IO.Compression;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace Flex.Local.Packaging;

/// <summary>
/// The zip that the function app runs from in Azure. Only what the app needs gets into it, and what must not leave the build machine is
/// refused, so that neither the disk of a build agent nor a change of the SDK decides what is deployed.
/// </summary>
public static partial class DeploymentPackage
{
    private const string App = "Flex.Functions";

    /// <summary>Without any of these the host starts no function. <c>.azurefunctions/</c> holds the host's own extensions.</summary>
    private static readonly string[] Required =
        ["host.json", "functions.metadata", "worker.config.json", "extensions.json", ".azurefunctions/", App + ".dll", App + ".deps.json", App + ".runtimeconfig.json"];

    /// <summary>The platform the app is deployed to and those it falls back on; <c>runtimes/</c> of all others are dead weight in a cold start.</summary>
    private static readonly string[] Runtimes = ["linux-x64", "linux", "unix-x64", "unix", "any"];

    /// <summary>The earliest time a zip can say. It is the same in every package, so that equal files make equal bytes.</summary>
    private static readonly DateTimeOffset Time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Zips a published folder, without what the app does not need. Entries are sorted, times and permissions fixed.
    /// </summary>
    /// <returns>How many files are in it.</returns>
    public static int Write(string folder, string zip)
    {
        string[] paths =
        [
            .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(folder, f).Replace(Path.DirectorySeparatorChar, '/'))
                .Where(p => Needless(p) is null)
                .Order(StringComparer.Ordinal),
        ];
        using ZipArchive archive = new(File.Create(zip), ZipArchiveMode.Create);
        foreach (string path in paths)
        {
            ZipArchiveEntry entry = archive.CreateEntry(path, CompressionLevel.SmallestSize);
            entry.LastWriteTime = Time;
            entry.ExternalAttributes = Attributes(path);
            using Stream to = entry.Open();
            using Stream from = File.OpenRead(Path.Combine(folder, path));
            from.CopyTo(to);
        }

        return paths.Length;
    }

    /// <summary>Why a zip may not be deployed, one sentence each; empty when it may.</summary>
    /// <exception cref="InvalidDataException">It is no zip.</exception>
    public static IReadOnlyList<string> Faults(string zip)
    {
        using ZipArchive archive = ZipFile.OpenRead(zip);
        string[] paths = [.. archive.Entries.Select(e => e.FullName)];
        return
        [
            .. Required.Where(r => !paths.Any(p => r.EndsWith('/') ? p.StartsWith(r, StringComparison.Ordinal) : p == r)).Select(r => $"{r} is missing."),
            .. paths.GroupBy(p => p, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1).Select(g => $"{g.Key} is there twice."),
            .. paths.Select(p => (Path: p, Why: Forbidden(p) ?? Needless(p))).Where(f => f.Why is not null).Select(f => $"{f.Path}: {f.Why}."),
            .. archive.Entries.Where(HoldsKey).Select(e => $"{e.FullName}: holds what looks like a key."),
            .. archive.Entries.Where(e => e.FullName == App + ".dll" && !IsNative(e)).Select(e => $"{e.FullName}: has no native code; was it published with FlexPackage=true?"),
        ];
    }

    /// <summary>Why a file must not leave the build machine. Such a file is never left out silently: how it came there has to be found out.</summary>
    private static string? Forbidden(string path) =>
        Outside().IsMatch(path) ? "leads out of the app's folder"
        : Secret().IsMatch(path) ? "settings and keys of a machine are not deployed"
        : OfOneMachine().IsMatch(path) ? "belongs to the build for one machine"
        : null;

    /// <summary>Why the app does not need a file. Its own symbols it does: they put file and line into the log of an exception.</summary>
    private static string? Needless(string path) =>
        Runtime().Match(path) is { Success: true } other && !Runtimes.Contains(other.Groups["name"].Value) ? "is for another platform"
        : path.EndsWith(".exe", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".dylib", StringComparison.OrdinalIgnoreCase) ? "is for another platform"
        : path.EndsWith(".pdb", StringComparison.OrdinalIgnoreCase) && path != App + ".pdb" ? "symbols of others"
        : path.EndsWith(".xml", StringComparison.OrdinalIgnoreCase) ? "documentation"
        : null;

    /// <summary>The host may start the program that the SDK makes beside the dll; everything else is only read.</summary>
    private static int Attributes(string path) => unchecked((int)((uint)(path == App ? 0b1000_000_111_101_101 : 0b1000_000_110_100_100) << 16));

    private static bool HoldsKey(ZipArchiveEntry entry)
    {
        if (Path.GetExtension(entry.FullName) is not (".json" or ".config" or ".metadata" or ".txt" or ".yml" or ".yaml"))
        {
            return false;
        }

        using StreamReader reader = new(entry.Open());
        return Key().IsMatch(reader.ReadToEnd());
    }

    /// <summary>Whether an assembly carries code compiled ahead of time. A file that is no assembly does not.</summary>
    private static bool IsNative(ZipArchiveEntry entry)
    {
        using MemoryStream assembly = new();
        using (Stream from = entry.Open())
        {
            from.CopyTo(assembly);
        }

        try
        {
            assembly.Position = 0;
            using PEReader reader = new(assembly);
            return reader.PEHeaders.CorHeader is { ManagedNativeHeaderDirectory.Size: > 0 };
        }
        catch (BadImageFormatException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^/|\\|^[A-Za-z]:|(^|/)\.\.(/|$)")]
    private static partial Regex Outside();

    [GeneratedRegex(
        @"(^|/)(local\.settings[^/]*|appsettings\.[^/]+\.json|secrets\.json|\.env[^/]*|\.git[^/]*|\.npmrc|nuget\.config|id_(rsa|ed25519)[^/]*|[^/]*\.(pfx|p12|pem|key|crt|publishsettings|user))$",
        RegexOptions.IgnoreCase)]
    private static partial Regex Secret();

    [GeneratedRegex(@"(^|/)obj/|\.Local\.[^/]*$|\.lock\.json$|\.cs(proj)?$", RegexOptions.IgnoreCase)]
    private static partial Regex OfOneMachine();

    [GeneratedRegex("(^|/)runtimes/(?<name>[^/]+)/")]
    private static partial Regex Runtime();

    [GeneratedRegex("(AccountKey|SharedAccessKey|SharedAccessSignature|sig)=[A-Za-z0-9+/%]{10}|[sr]k_(live|test)_[A-Za-z0-9]|whsec_[A-Za-z0-9]|-----BEGIN [A-Z ]*PRIVATE KEY")]
    private static partial Regex Key();
}
