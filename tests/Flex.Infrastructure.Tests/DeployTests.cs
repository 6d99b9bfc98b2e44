using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>infra/deploy and infra/secrets against a cloud that only notes what it is asked to do.</summary>
public sealed class DeployTests : IDisposable
{
    private const string Fresh = ".flex/azure/flex.zip";
    private const string Previous = ".flex/azure/previous-dev.zip";

    /// <summary>A subscription where the app already runs, and everything goes well.</summary>
    private readonly Script _script = new Script(["infra/deploy", "infra/secrets", "infra/common.sh"], "az", "curl", "sleep")
        .With("infra/dev.bicepparam", "using 'main.bicep'")
        .With("infra/prod.bicepparam", "using 'main.bicep'")
        .With(Fresh, "the new package")
        .Answers("az account show*", "echo 'An operator'")
        .Answers("az group exists*", "echo true")
        .Answers("az deployment group what-if*", "echo '+ everything'")
        .Answers("az deployment group create*", "true")
        .Answers("az deployment group show*functionAppName*", "echo flex-dev-app")
        .Answers("az deployment group show*functionAppHostName*", "echo flex-dev.example.net")
        .Answers("az deployment group show*keyVaultName*", "echo flex-dev-vault")
        .Answers("az deployment group show*vaultEntries*", @"printf 'quotes-signing-key\nstripe-api-key\n'")
        .Answers("az deployment group show*hostStorageName*", "echo flexdevhost")
        .Answers("az deployment group show*packageContainerName*", "echo packages")
        .Answers("az deployment group show*schedulerName*", "true")
        .Answers("az rest --method get*/vaults/flex-dev-vault/secrets*", @"printf 'stripe-api-key\nquotes-signing-key\nunused\n'")
        .Answers("az storage blob exists*", "echo true")
        .Answers("az storage blob download*", """while [ "$1" != --file ]; do shift; done; echo 'the package before' >"$2" """)
        .Answers("az functionapp deployment source config-zip*", "true")
        .Answers("curl */api/v1/health/ready*", "echo 200")
        .Answers("curl */api/v1/health", "echo 200")
        .Answers("curl */api/v1/bookings*", "echo 401")
        .Answers("curl */api/v1/webhooks/stripe*", "echo 400")
        .Answers("sleep*", "true");

    public void Dispose() => _script.Dispose();

    [Fact]
    public async Task A_deployment_goes_step_by_step()
    {
        (int exitCode, string output) = await DeployAsync(["dev"], "y\n");

        Assert.True(exitCode == 0, output);
        Assert.Equal(
            [
                "what-if", "create", "secrets", "exists", "download", "push flex.zip",
                "ask ready", "ask ready", "ask ready", "ask live", "ask bookings", "ask webhook",
            ],
            Steps());
        Assert.All(_script.Calls.Where(c => c.StartsWith("az deployment group", StringComparison.Ordinal)), c => Assert.Contains("--resource-group flex-dev --name flex-dev", c, StringComparison.Ordinal));
        Assert.Equal("the package before\n", _script.Read(Previous));
    }

    [Fact]
    public async Task The_webhook_is_tried_with_a_signature_that_is_wrong()
    {
        await DeployAsync(["dev", "--yes"]);

        string call = Assert.Single(_script.Calls, c => c.EndsWith("/webhooks/stripe", StringComparison.Ordinal) || c.Contains("/webhooks/stripe ", StringComparison.Ordinal));
        Assert.Contains("--request POST", call, StringComparison.Ordinal);
        Assert.Contains("Stripe-Signature: t=0,v1=00", call, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_if_changes_nothing_and_needs_no_package()
    {
        File.Delete(Path.Combine(_script.Root, Fresh));

        (int exitCode, string output) = await DeployAsync(["dev", "--what-if"]);

        Assert.True(exitCode == 0, output);
        Assert.Contains("+ everything", output, StringComparison.Ordinal);
        Assert.Equal(["what-if"], Steps());
        Assert.EndsWith("--validation-level ProviderNoRbac", _script.Calls[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n\n")]
    [InlineData("\n")]
    [InlineData("")]
    public async Task Without_a_yes_nothing_is_changed(string answer)
    {
        (int exitCode, string output) = await DeployAsync(["dev"], answer);

        Assert.Equal(1, exitCode);
        Assert.Contains("Nothing was changed.", output, StringComparison.Ordinal);
        Assert.Equal(["what-if"], Steps());
    }

    [Fact]
    public async Task A_package_that_does_not_pass_is_replaced_by_the_previous_one()
    {
        _script.Answers("curl */api/v1/bookings*", "echo 200", "echo 200", "echo 200", "echo 401");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("/api/v1/bookings answers 200 instead of 401", output, StringComparison.Ordinal);
        Assert.EndsWith("deploy: the package does not work; the previous one runs again\n", output.TrimEnd() + "\n", StringComparison.Ordinal);
        Assert.Equal(["push flex.zip", "push previous-dev.zip"], Steps().Where(s => s.StartsWith("push", StringComparison.Ordinal)));
        Assert.Equal(["ask bookings", "ask webhook"], Steps().TakeLast(2));
    }

    [Fact]
    public async Task An_app_that_does_not_come_up_is_waited_for_and_then_given_up()
    {
        _script.Answers("curl */api/v1/health/ready*", "echo 000; exit 7");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("neither does the previous one", output, StringComparison.Ordinal);
        Assert.Equal(60, _script.Calls.Count(c => c.StartsWith("curl", StringComparison.Ordinal)));
        Assert.All(_script.Calls.Where(c => c.StartsWith("curl", StringComparison.Ordinal)), c => Assert.Contains("--max-time 20", c, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Being_ready_has_to_last()
    {
        _script.Answers("curl */api/v1/health/ready*", "echo 200", "echo 503", "echo 200", "echo 200", "echo 503", "echo 200");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.True(exitCode == 0, output);
        Assert.Equal(8, Steps().Count(s => s.Equals("ask ready", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_first_package_has_none_to_go_back_to()
    {
        _script.Answers("az storage blob exists*", "echo false").Answers("curl */api/v1/health/ready*", "echo 503");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("This is the first package", output, StringComparison.Ordinal);
        Assert.Contains("there is no previous one to go back to", output, StringComparison.Ordinal);
        Assert.Equal(["push flex.zip"], Steps().Where(s => s.StartsWith("push", StringComparison.Ordinal)));
        Assert.DoesNotContain("download", Steps());
    }

    [Fact]
    public async Task A_first_package_that_works_is_deployed()
    {
        _script.Answers("az storage blob exists*", "echo false");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Pushing_is_tried_again()
    {
        _script.Answers("az functionapp deployment source config-zip*", "exit 1", "exit 1", "true");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.True(exitCode == 0, output);
        Assert.Equal(3, Steps().Count(s => s == "push flex.zip"));
    }

    [Fact]
    public async Task Pushing_that_goes_on_failing_ends_and_says_where_the_previous_package_is()
    {
        _script.Answers("az functionapp deployment source config-zip*", "exit 1");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("the previous one could not be pushed", output, StringComparison.Ordinal);
        Assert.Contains("previous-dev.zip", output, StringComparison.Ordinal);
        Assert.DoesNotContain(_script.Calls, c => c.StartsWith("curl", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_kept_package_can_be_deployed_again()
    {
        _script.With(Previous, "the one kept");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes", "--package", Previous]);

        Assert.True(exitCode == 0, output);
        Assert.Contains("push previous-dev.zip", Steps());
        Assert.Equal("the package before\n", _script.Read(Previous));
    }

    [Fact]
    public async Task Infrastructure_that_fails_leaves_the_package_alone()
    {
        _script.Answers("az deployment group create*", "exit 1");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("the package was not touched", output, StringComparison.Ordinal);
        Assert.Equal(["what-if", "create"], Steps());
    }

    [Fact]
    public async Task Without_a_way_back_nothing_is_pushed()
    {
        _script.Answers("az storage blob exists*", "exit 1");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("Storage Blob Data Reader", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Steps(), s => s.StartsWith("push", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_template_without_an_output_that_is_needed_is_refused()
    {
        _script.Answers("az deployment group show*functionAppName*", "echo None");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("has no output functionAppName", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Steps(), s => s.StartsWith("push", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("the new package", 1)]
    [InlineData("PK .azurefunctions/Microsoft.Azure.WebJobs.Extensions.DurableTask.AzureManaged.dll", 0)]
    public async Task Where_the_scheduler_holds_the_task_hub_the_package_must_know_it(string package, int expected)
    {
        _script.With(Fresh, package).Answers("az deployment group show*schedulerName*", "echo flex-dev-dts");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.True(exitCode == expected, output);
        Assert.Equal(expected == 0, Steps().Contains("push flex.zip"));
    }

    [Fact]
    public async Task Missing_secrets_are_named_before_a_package_is_pushed()
    {
        _script.Answers("az rest --method get*", "echo unused");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("the key vault lacks quotes-signing-key stripe-api-key: run infra/secrets dev", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Steps(), s => s.StartsWith("push", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_is_there_is_asked_for_missing_secrets()
    {
        _script
            .Answers("az rest --method get*", "echo stripe-api-key", "echo stripe-api-key", @"printf 'stripe-api-key\nquotes-signing-key\n'")
            .Answers("az keyvault secret set*", "true");

        (int exitCode, string output) = await DeployAsync(["dev"], "y\na value of my own\n");

        Assert.True(exitCode == 0, output);
        Assert.Contains(_script.Calls, c => c.StartsWith("az keyvault secret set --vault-name flex-dev-vault --name quotes-signing-key ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("which environment? There are: dev prod")]
    [InlineData("which environment? There are: dev prod", "staging")]
    [InlineData("which environment? There are: dev prod", "../infra/dev")]
    [InlineData("which environment? There are: dev prod", "dev prod")]
    [InlineData("one environment at a time", "dev", "prod")]
    [InlineData("'--force' is not an option", "dev", "--force")]
    [InlineData("--package needs a value", "dev", "--package")]
    [InlineData("other.zip does not exist", "dev", "--package", "other.zip")]
    public async Task What_cannot_be_deployed_is_refused_before_anything_is_asked(string reason, params string[] arguments)
    {
        (int exitCode, string output) = await DeployAsync([.. arguments, "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Contains(reason, output, StringComparison.Ordinal);
        Assert.All(_script.Calls, c => Assert.StartsWith("az account show", c, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_is_not_signed_in_is_told_so()
    {
        _script.Answers("az account show*", "echo 'Please run az login' >&2; exit 1");

        (int exitCode, string output) = await DeployAsync(["dev", "--yes"]);

        Assert.Equal(1, exitCode);
        Assert.Equal("deploy: nobody is signed in: az login", output.Trim());
    }

    [Fact]
    public async Task A_resource_group_is_only_made_on_request()
    {
        _script.Answers("az group exists*", "echo false").Answers("az group create*", "true");

        Assert.Equal(1, (await DeployAsync(["dev", "--yes"])).ExitCode);
        Assert.DoesNotContain(_script.Calls, c => c.StartsWith("az group create", StringComparison.Ordinal));
        Assert.Equal(0, (await DeployAsync(["dev", "--what-if"])).ExitCode);
        Assert.DoesNotContain(_script.Calls, c => c.StartsWith("az group create", StringComparison.Ordinal));
        Assert.Equal(0, (await DeployAsync(["dev", "--yes", "--resource-group", "rg", "--location", "westeurope"])).ExitCode);
        Assert.Contains("az group create --name rg --location westeurope --output none", _script.Calls);
    }

    [Theory]
    [InlineData("infra/deploy")]
    [InlineData("infra/secrets")]
    public async Task Help_needs_no_cloud(string script)
    {
        (int exitCode, string output) = await _script.RunAsync(script, ["--help"], string.Empty, TestContext.Current.CancellationToken);

        Assert.Equal(0, exitCode);
        Assert.StartsWith($"Usage: {script} ENVIRONMENT", output, StringComparison.Ordinal);
        Assert.Empty(_script.Calls);
    }

    [Fact]
    public async Task A_secret_is_never_on_a_command_line_nor_on_the_screen()
    {
        const string value = """sk_test_"quoted" 'and' $HOME \n""";
        _script
            .Answers("az rest --method get*", "true")
            .Answers("az keyvault secret set*", """while [ "$1" != --file ]; do shift; done; stat -c '%a ' "$2" >>"$tools/stored"; cat "$2" >>"$tools/stored" """);

        (int exitCode, string output) = await _script.RunAsync("infra/secrets", ["dev"], $"\n{value}\n", TestContext.Current.CancellationToken);

        Assert.True(exitCode == 0, output);
        Assert.Equal($"600 \n{value}", _script.Read("tools/stored"));
        Assert.DoesNotContain("sk_test_", output, StringComparison.Ordinal);
        Assert.DoesNotContain(_script.Calls, c => c.Contains("sk_test_", StringComparison.Ordinal));
        Assert.Contains("quotes-signing-key: left as it is", output, StringComparison.Ordinal);
        Assert.Contains("stripe-api-key: set", output, StringComparison.Ordinal);
        Assert.DoesNotContain(_script.Calls, c => c.Contains("--name quotes-signing-key", StringComparison.Ordinal));
        string file = _script.Calls.Single(c => c.StartsWith("az keyvault secret set", StringComparison.Ordinal)).Split(' ').SkipWhile(w => w != "--file").ElementAt(1);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task A_secret_that_is_there_is_only_changed_when_it_is_named()
    {
        _script.Answers("az keyvault secret set*", "true");

        (int exitCode, string output) = await _script.RunAsync("infra/secrets", ["dev"], string.Empty, TestContext.Current.CancellationToken);
        Assert.True(exitCode == 0, output);
        Assert.Contains("has every secret", output, StringComparison.Ordinal);
        Assert.DoesNotContain(_script.Calls, c => c.StartsWith("az keyvault", StringComparison.Ordinal));

        (exitCode, output) = await _script.RunAsync("infra/secrets", ["dev", "stripe-api-key"], "another\n", TestContext.Current.CancellationToken);
        Assert.True(exitCode == 0, output);
        Assert.Contains(_script.Calls, c => c.StartsWith("az keyvault secret set --vault-name flex-dev-vault --name stripe-api-key ", StringComparison.Ordinal));
    }

    private Task<(int ExitCode, string Output)> DeployAsync(string[] arguments, string input = "") =>
        _script.RunAsync("infra/deploy", arguments, input, TestContext.Current.CancellationToken);

    /// <summary>The calls that matter, in a few words each.</summary>
    private string[] Steps() => [.. _script.Calls.Select(Step).OfType<string>()];

    private static string? Step(string call) => call.Split(' ') switch
    {
        ["az", "deployment", "group", "what-if", ..] => "what-if",
        ["az", "deployment", "group", "create", ..] => "create",
        ["az", "rest", ..] => "secrets",
        ["az", "storage", "blob", "exists", ..] => "exists",
        ["az", "storage", "blob", "download", ..] => "download",
        ["az", "functionapp", "deployment", "source", "config-zip", .. var rest] => "push " + Path.GetFileName(rest.SkipWhile(w => w != "--src").ElementAt(1)),
        ["curl", ..] when call.Contains("/health/ready", StringComparison.Ordinal) => "ask ready",
        ["curl", ..] when call.Contains("/health", StringComparison.Ordinal) => "ask live",
        ["curl", ..] when call.Contains("/bookings", StringComparison.Ordinal) => "ask bookings",
        ["curl", ..] => "ask webhook",
        _ => null,
    };
}
