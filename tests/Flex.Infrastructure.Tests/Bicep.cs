using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;
using Flex.Tests.Shared;

namespace Flex.Infrastructure.Tests;

/// <summary>The Bicep compiler of the package this project references.</summary>
internal static class Bicep
{
    private static readonly string Path = typeof(Bicep).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "BicepPath").Value!;

    /// <summary>
    /// Compiles a file, relative to the repository, to its ARM template. The compiler reports wrong properties as warnings and exits
    /// with 0 all the same, so a warning fails here.
    /// </summary>
    /// <exception cref="InvalidOperationException">The compiler reported something; the message is what it said.</exception>
    public static async Task<JsonObject> CompileAsync(string file, CancellationToken cancellation)
    {
        (int exitCode, string output, string errors) = await RunAsync(["build", System.IO.Path.Combine(SourceTree.Root, file), "--stdout"], cancellation);
        return exitCode == 0 && errors.Length == 0
            ? (JsonObject)JsonNode.Parse(output)!
            : throw new InvalidOperationException($"bicep build {file} exited with {exitCode}:{Environment.NewLine}{errors}");
    }

    /// <summary>Runs the compiler with these arguments in the repository's root.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = SourceTree.Root };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellation);
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, await output, await errors);
    }
}
