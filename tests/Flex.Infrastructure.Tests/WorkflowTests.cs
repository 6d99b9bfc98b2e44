using System.Text.RegularExpressions;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>What the pipeline may do, read from its text: jobs are what is two spaces deep.</summary>
public sealed partial class WorkflowTests
{
    private static readonly string Text = SourceTree.Read(".github/workflows/flex.yml");

    private static readonly Dictionary<string, string> Jobs = Job().Matches(Text[Text.IndexOf("\njobs:\n", StringComparison.Ordinal)..])
        .ToDictionary(m => m.Groups["name"].Value, m => m.Groups["text"].Value);

    [Fact]
    public void There_is_one_workflow_with_these_jobs()
    {
        Assert.Equal(["flex.yml"], Directory.GetFiles(Path.Combine(SourceTree.Root, ".github", "workflows")).Select(Path.GetFileName));
        Assert.Equal(["build", "what-if", "dev", "prod"], Jobs.Keys);
    }

    [Fact]
    public void No_secret_is_used() => Assert.DoesNotContain("secrets.", Text, StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void Only_jobs_that_sign_in_to_Azure_get_a_token_and_nobody_may_write()
    {
        Assert.Matches(@"\npermissions:\n  contents: read\n\n", Text);
        Assert.Equal(["what-if", "dev", "prod"], Jobs.Where(j => j.Value.Contains("id-token: write", StringComparison.Ordinal)).Select(j => j.Key));
        Assert.Equal(["id-token: write"], Write().Matches(Text).Select(m => m.Value.Trim()).Distinct());
    }

    [Fact]
    public void Every_action_is_pinned_to_a_commit()
    {
        string[] uses = [.. Uses().Matches(Text).Select(m => m.Groups["action"].Value)];

        Assert.NotEmpty(uses);
        Assert.All(uses, u => Assert.Matches("^[a-z-]+/[a-z-]+@[0-9a-f]{40}$", u));
    }

    [Fact]
    public void Pull_requests_ask_what_would_change_and_deploy_nothing()
    {
        string condition = Condition(Jobs["what-if"]);

        Assert.StartsWith("github.event_name == 'pull_request' && ", condition, StringComparison.Ordinal);
        Assert.Contains("head.repo.full_name == github.repository", condition, StringComparison.Ordinal);
        Assert.Equal(["infra/deploy ${{ matrix.environment }} --what-if"], Deployments(Jobs["what-if"]));
        Assert.Contains("environment: ${{ matrix.environment }}-what-if", Jobs["what-if"], StringComparison.Ordinal);
        Assert.Empty(Deployments(Jobs["build"]));
        Assert.DoesNotContain("pull_request_target", Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Main_goes_to_dev_after_the_tests_and_to_prod_after_dev()
    {
        Assert.Equal("github.event_name == 'push'", Condition(Jobs["dev"]));
        Assert.Matches(@"\n  push:\n    branches: \[main\]\n", Text);
        Assert.Contains("    needs: build\n", Jobs["dev"], StringComparison.Ordinal);
        Assert.Contains("    needs: dev\n", Jobs["prod"], StringComparison.Ordinal);
        Assert.Equal(["infra/deploy ${{ github.job }} --yes"], Deployments(Jobs["dev"]));
        Assert.EndsWith("    steps: *deploy", Jobs["prod"].TrimEnd(), StringComparison.Ordinal);
        Assert.All(["dev", "prod"], name =>
        {
            Assert.Contains($"    environment: {name}\n", Jobs[name], StringComparison.Ordinal);
            Assert.Contains($"      group: deploy-{name}\n      cancel-in-progress: false\n", Jobs[name], StringComparison.Ordinal);
        });
    }

    [Fact]
    public void What_is_deployed_is_what_was_tested()
    {
        Assert.Contains("- run: .ci/run\n", Jobs["build"], StringComparison.Ordinal);
        Assert.True(Jobs["build"].IndexOf(".ci/run", StringComparison.Ordinal) < Jobs["build"].IndexOf("upload-artifact", StringComparison.Ordinal));
        Assert.Contains("path: .flex/azure/flex.zip", Jobs["build"], StringComparison.Ordinal);
        Assert.Contains("download-artifact", Jobs["dev"], StringComparison.Ordinal);
        Assert.Matches(@"\n\./flex azure\n(?s:.*)\./flex test\n$", SourceTree.Read(".ci/run"));
    }

    private static string Condition(string job) => If().Match(job).Groups["condition"].Value;

    private static string[] Deployments(string job) => [.. Deploy().Matches(job).Select(m => m.Value.Trim())];

    [GeneratedRegex(@"^  (?<name>[a-z-]+):\n(?<text>(?:(?:    .*)?\n)+)", RegexOptions.Multiline)]
    private static partial Regex Job();

    [GeneratedRegex(@"^\s+[a-z-]+: write$", RegexOptions.Multiline)]
    private static partial Regex Write();

    [GeneratedRegex(@"uses: (?<action>\S+)")]
    private static partial Regex Uses();

    [GeneratedRegex(@"^    if: (?<condition>.+)$", RegexOptions.Multiline)]
    private static partial Regex If();

    [GeneratedRegex(@"infra/deploy .*?(?= \||$)", RegexOptions.Multiline)]
    private static partial Regex Deploy();
}
