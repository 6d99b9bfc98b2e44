using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>./flex azure where the real packages can and cannot be had, as the SDK reports it.</summary>
public sealed class AzureCommandTests : IDisposable
{
    private const string Unreachable = """echo '/flex/functions/Flex.Functions.csproj : error NU1101: Unable to find package Azure.Messaging.ServiceBus. No packages exist with this id in source(s): nuget.org'; exit 1""";

    private readonly Script _script = new Script(["flex"], "dotnet")
        .With("functions/a.cs", string.Empty)
        .With("local/a.cs", string.Empty)
        .With("Directory.Build.props", string.Empty)
        .With("global.json", string.Empty)
        .Answers("dotnet restore*", "true")
        .Answers("dotnet build*", "mkdir -p local/bin/Local/Release/net10.0; touch local/bin/Local/Release/net10.0/flex.dll")
        .Answers("dotnet publish*", "true")
        .Answers("dotnet *flex.dll pack*", "echo '.flex/azure/flex.zip: 90 files, 20.1 MB'");

    public void Dispose() => _script.Dispose();

    [Fact]
    public async Task Where_everything_can_be_had_all_is_built()
    {
        (int exitCode, string output) = await AzureAsync("compile", "package");

        Assert.Equal(0, exitCode);
        Assert.Equal(["compile: done", "package: done: .flex/azure/flex.zip: 90 files, 20.1 MB"], Lines(output));
        Assert.Contains(_script.Calls, c => c.StartsWith("dotnet build Flex.Functions.sln", StringComparison.Ordinal) && c.Contains("FlexRuntime=Azure", StringComparison.Ordinal));
        string publish = Assert.Single(_script.Calls, c => c.StartsWith("dotnet publish", StringComparison.Ordinal));
        Assert.Contains("-c Release -p:FlexRuntime=Azure -p:FlexPackage=true -p:FlexTaskScheduler=true", publish, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_scheduler_s_package_the_app_is_packed_without_it()
    {
        _script.Answers("dotnet restore*FlexTaskScheduler=true*", Unreachable);

        (int exitCode, string output) = await AzureAsync("package");

        Assert.Equal(0, exitCode);
        Assert.Equal(["package: done: .flex/azure/flex.zip: 90 files, 20.1 MB, with the storage task hub only"], Lines(output));
        Assert.DoesNotContain("FlexTaskScheduler", Assert.Single(_script.Calls, c => c.StartsWith("dotnet publish", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_real_packages_the_steps_are_skipped_and_no_older_package_stays()
    {
        _script.With(".flex/azure/flex.zip", "from before").Answers("dotnet restore*", Unreachable);

        (int exitCode, string output) = await AzureAsync("compile", "package");

        Assert.Equal(0, exitCode);
        Assert.Equal(["compile: skipped: packages not reachable", "package: skipped: packages not reachable"], Lines(output));
        Assert.False(File.Exists(Path.Combine(_script.Root, ".flex/azure/flex.zip")));
    }

    [Theory]
    [InlineData("compile")]
    [InlineData("package")]
    public async Task Any_other_failure_of_the_restore_fails(string step)
    {
        _script.Answers("dotnet restore*", Unreachable.Replace("exit 1", "echo 'x : error NU1605: Detected package downgrade'; exit 1", StringComparison.Ordinal));

        (int exitCode, string output) = await AzureAsync(step);

        Assert.Equal(1, exitCode);
        Assert.Contains("NU1605", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dotnet build*", "compile")]
    [InlineData("dotnet publish*", "package")]
    [InlineData("dotnet *flex.dll pack*", "package")]
    public async Task What_fails_fails_the_command(string call, string step)
    {
        _script.Answers(call, "echo 'it went wrong'; exit 1");

        (int exitCode, string output) = await AzureAsync(step);

        Assert.Equal(1, exitCode);
        Assert.DoesNotContain("done", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_there_is_not_is_refused() => Assert.Equal(1, (await AzureAsync("fly")).ExitCode);

    private Task<(int ExitCode, string Output)> AzureAsync(params string[] steps) =>
        _script.RunAsync("flex", ["azure", .. steps], string.Empty, TestContext.Current.CancellationToken);

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
