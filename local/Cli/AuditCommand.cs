using System.Diagnostics;
using Flex.Local.Packaging;

namespace Flex.Local.Cli;

/// <summary>
/// <c>./flex audit</c>: looks every package up in the vulnerability data of the sources in NuGet.config, for both runtimes. Data that cannot be
/// had fails nothing, so that a build without the net goes on, but it is said.
/// </summary>
internal sealed class AuditCommand : ICommand
{
    public string Name => "audit";

    public string Summary => "Fails when a package, also an indirect one, has a known vulnerability.";

    public IReadOnlyList<CommandOption> Options { get; } = [];

    public async Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        bool found = false;
        foreach (string runtime in new[] { "Local", "Azure" })
        {
            DependencyReport report = DependencyReport.Read(await ListAsync(runtime, cancellation));
            foreach (VulnerablePackage package in report.Vulnerable)
            {
                Console.Error.WriteLine($"flex audit: {runtime}: {package.Id} {package.Version} has a vulnerability ({package.Severity}): {package.Advisory}");
            }

            Console.WriteLine($"audit: {runtime}: " + (
                report.Vulnerable.Count > 0 ? "failed"
                : report.NotAudited is { } reason ? $"skipped: {reason}"
                : "no known vulnerabilities"));
            found |= report.Vulnerable.Count > 0;
        }

        return found ? 1 : 0;
    }

    /// <summary>MSBuild takes properties from the environment too; this command has no other way to choose the runtime.</summary>
    private static async Task<string> ListAsync(string runtime, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet", ["list", "Flex.Functions.sln", "package", "--vulnerable", "--include-transitive", "--format", "json"])
        {
            WorkingDirectory = Environment.GetEnvironmentVariable("FLEX_ROOT") ?? Directory.GetCurrentDirectory(),
            Environment = { ["FlexRuntime"] = runtime },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process list = Process.Start(start)!;
        Task<string> errors = list.StandardError.ReadToEndAsync(cancellation);
        string output = await list.StandardOutput.ReadToEndAsync(cancellation);
        await list.WaitForExitAsync(cancellation);
        return output.Length > 0 ? output : await errors;
    }
}
