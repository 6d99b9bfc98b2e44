using System.ComponentModel;
using System.Diagnostics;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Infrastructure.Tests;

public sealed class ShellTests
{
    private static readonly string[] NotOurs = ["bin", "obj", "node_modules", ".git", ".flex", "TestResults"];

    [Fact]
    public async Task Shellcheck_finds_nothing_in_any_script()
    {
        string[] scripts = [.. Files(new DirectoryInfo(SourceTree.Root)).Where(IsShell).Select(f => Path.GetRelativePath(SourceTree.Root, f.FullName))];
        Assert.Superset(new HashSet<string> { "flex", ".ci/run", "infra/deploy", "infra/secrets", "infra/common.sh" }, scripts.ToHashSet());

        try
        {
            var start = new ProcessStartInfo("shellcheck", ["--external-sources", .. scripts]) { WorkingDirectory = SourceTree.Root, RedirectStandardOutput = true };
            using Process check = Process.Start(start)!;
            string findings = await check.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await check.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(check.ExitCode == 0, findings);
        }
        catch (Win32Exception)
        {
            Assert.Skip("shellcheck is not installed (apt-get install shellcheck)");
        }
    }

    private static IEnumerable<FileInfo> Files(DirectoryInfo folder) =>
        folder.EnumerateFiles().Concat(folder.EnumerateDirectories().Where(d => !NotOurs.Contains(d.Name) && d.LinkTarget is null).SelectMany(Files));

    private static bool IsShell(FileInfo file)
    {
        if (file.Extension == ".sh")
        {
            return true;
        }

        using StreamReader reader = file.OpenText();
        return file.Extension.Length == 0 && reader.ReadLine() is { } first && first.StartsWith("#!", StringComparison.Ordinal) && first.EndsWith("sh", StringComparison.Ordinal);
    }
}
