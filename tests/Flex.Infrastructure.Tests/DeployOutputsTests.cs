using System.Text.RegularExpressions;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>The scripts know the template by the names of its outputs, and its environments by the names of the parameter files.</summary>
public sealed partial class DeployOutputsTests(Infra infra)
{
    [Fact]
    public void Every_output_that_the_scripts_read_is_one_of_the_template()
    {
        string[] read = [.. new[] { "infra/common.sh", "infra/deploy", "infra/secrets" }
            .SelectMany(s => Output().Matches(SourceTree.Read(s)).Select(m => m.Groups["name"].Value)).Distinct()];

        Assert.Contains("functionAppName", read);
        Assert.Contains("vaultEntries", read);
        Assert.Subset(infra.Template()["outputs"]!.AsObject().Select(o => o.Key).ToHashSet(), read.ToHashSet());
    }

    [Fact]
    public void A_parameter_file_is_named_after_its_environment()
    {
        string[] files = Directory.GetFiles(Path.Combine(SourceTree.Root, "infra"), "*.bicepparam");

        Assert.NotEmpty(files);
        Assert.All(files, f => Assert.Contains($"param environmentName = '{Path.GetFileNameWithoutExtension(f)}'", File.ReadAllText(f), StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\$\((?:needed_)?output (?<name>\w+)\)")]
    private static partial Regex Output();
}
