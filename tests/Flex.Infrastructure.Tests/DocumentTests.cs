using System.Reflection;
using System.Text.RegularExpressions;
using Flex.Local.Cli;
using Flex.Tests.Shared;
using Microsoft.Azure.Functions.Worker;
using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>What the pages say exists: tests, links, commands, settings, addresses, files.</summary>
public sealed partial class DocumentTests
{
    private const string ThreatModel = "docs/threat-model.md";
    private const string Runbook = "docs/runbook.md";

    public static TheoryData<string> Pages => [.. Markdown.Pages];

    [Fact]
    public void Every_claim_of_the_threat_model_names_tests_that_exist()
    {
        HashSet<string> tests = [.. Tests()];
        string[][] claims = [.. Markdown.Read(ThreatModel).Rows("tests")];

        Assert.NotEmpty(claims);
        Assert.All(claims, claim => Assert.NotEmpty(Markdown.Of(claim[^1]).Code));
        Assert.Empty(claims.SelectMany(claim => Markdown.Of(claim[^1]).Code).Except(tests));
    }

    /// <summary>Also beside the threat model's table: whatever is written like a test is one.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_test_that_a_page_names_exists(string page) =>
        Assert.Empty(Markdown.Read(page).Code.Where(c => TestName().IsMatch(c)).Except(Tests()));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_relative_link_leads_somewhere(string page)
    {
        foreach (string link in Markdown.Read(page).RelativeLinks)
        {
            string[] parts = link.Split('#', 2);
            string target = parts[0].Length == 0 ? page : Path.GetRelativePath(SourceTree.Root, Path.Combine(SourceTree.Root, Path.GetDirectoryName(page)!, parts[0]));
            Assert.True(Exists(target), $"{page}: {link} does not exist.");
            Assert.True(parts.Length == 1 || Markdown.Read(target).Anchors.Contains(parts[1]), $"{page}: {link} is no heading.");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_command_exists_with_its_options(string page)
    {
        foreach (Match call in Call().Matches(SourceTree.Read(page)))
        {
            string name = call.Groups["command"].Value;
            ICommand? command = CommandTable.Commands.FirstOrDefault(c => c.Name == name);
            Assert.True(command is not null || OfTheScript().Contains(name), $"{page}: there is no ./flex {name}.");
            if (command is not null)
            {
                string[] known = [.. command.Options.Select(o => "--" + o.Name), "--help"];
                Assert.All(call.Groups["option"].Captures, option => Assert.True(known.Contains(option.Value), $"{page}: ./flex {name} has no {option.Value}."));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_setting_is_read_by_the_code(string page) =>
        Assert.Empty(Markdown.Read(page).Code.Where(c => Setting().IsMatch(c)).Except(SettingNames.All));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_address_is_served(string page) =>
        Assert.Empty(Markdown.Read(page).Code.Select(c => Address().Match(c)).Where(m => m.Success)
            .Where(m => !Routes().Any(r => (m.Groups["method"].Length == 0 || r.Method == m.Groups["method"].Value) && r.Serves(m.Groups["path"].Value)))
            .Select(m => m.Value));

    /// <summary>What is written like a file or folder of the repository.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_file_exists(string page) =>
        Assert.All(Markdown.Read(page).Code.Where(c => RepositoryPath().IsMatch(c)), path => Assert.True(Exists(path), $"{page}: {path} does not exist."));

    /// <summary>An alert's description links its section of the runbook; who is woken at night must not land on nothing.</summary>
    [Fact]
    public void Every_alert_has_its_section_in_the_runbook()
    {
        string modules = Path.Combine(SourceTree.Root, "infra/modules");
        string[] files = [.. Directory.Exists(modules) ? Directory.EnumerateFiles(modules, "*.bicep").Where(f => Path.GetFileName(f).StartsWith("alert", StringComparison.Ordinal)) : []];
        string[] alerts = [.. files.SelectMany(f => AlertsOf(File.ReadAllText(f)))];

        Assert.True(files.Length == 0 || alerts.Length > 0, "No alert was found.");
        Assert.Empty(alerts.Select(name => "alert-" + name).Except(Markdown.Read(Runbook).Anchors));
    }

    /// <summary>Alerts are made one by one, with a description, or from a list of queries.</summary>
    [Fact]
    public void Alerts_are_found_by_how_they_are_described_and_listed() => Assert.Equal(
        ["dead-letters", "not-ready", "outbox-age"],
        AlertsOf(
            """
            func describe(name string, meaning string) string => '${meaning} Runbook: docs/runbook.md#alert-${name}'
            resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
              name: '${prefix}-dead-letters'
              properties: { description: describe('dead-letters', 'One.') }
            }
            resource notReady 'Microsoft.Insights/metricAlerts@2018-03-01' = {
              properties: {
                description: describe(
                  'not-ready',
                  'Two.'
                )
              }
            }
            var queryAlerts queryAlert[] = [
              {
                name: 'outbox-age'
                meaning: 'Three.'
              }
            ]
            """));

    [Fact]
    public void Headings_are_read_as_GitHub_does()
    {
        Assert.Equal(
            ["roll-a-secret", "stripes-api-key-v2", "roll-a-secret-1", "a_b--c"],
            Markdown.Of("# Roll a secret\n## Stripe's *API* key, `v2`\n```\n# no heading\n```\n### Roll a secret\n# a_b & c\n").Anchors);
    }

    [Fact]
    public void What_is_wrong_on_a_page_is_found()
    {
        Assert.Matches(TestName(), "SomeTests.This_one_is_not_there");
        Assert.Equal("GET", Address().Match("GET /api/v1/nothing").Groups["method"].Value);
        Assert.DoesNotContain(Routes(), r => r.Serves("/nothing"));
        Assert.Contains(Routes(), r => r.Method == "POST" && r.Serves("/invoices/{id}/pay"));
        Assert.Matches(Setting(), "Quotes__SigningKey");
        Assert.Matches(RepositoryPath(), "functions/Nowhere.cs");
        Assert.Equal(["--data", "--busy"], Call().Match("./flex verify --data DIR --busy").Groups["option"].Captures.Select(c => c.Value));
    }

    private static IEnumerable<string> AlertsOf(string bicep) => Alert().Matches(bicep).Select(m => m.Groups[1].Value);

    private static bool Exists(string path) => Path.Exists(Path.Combine(SourceTree.Root, path));

    /// <summary>Every test of the repository as <c>Class.Method</c>, read from the sources: this project does not reference all the others.</summary>
    private static IEnumerable<string> Tests()
    {
        foreach (SourceTree.SourceFile file in SourceTree.Under("tests"))
        {
            string type = string.Empty;
            bool isTest = false;
            foreach (string line in file.Text.Split('\n'))
            {
                type = Class().Match(line) is { Success: true } declared ? declared.Groups[1].Value : type;
                isTest |= TestAttribute().IsMatch(line);
                if (isTest && Method().Match(line) is { Success: true } method)
                {
                    yield return $"{type}.{method.Groups[1].Value}";
                    isTest = false;
                }
            }
        }
    }

    /// <summary>The commands of the script itself, from its last <c>case</c>.</summary>
    private static IReadOnlyList<string> OfTheScript() => [.. ScriptCase().Matches(SourceTree.Read("flex")).SelectMany(m => m.Groups[1].Value.Split('|'))];

    private static IReadOnlyList<Route> Routes() =>
    [
        .. from method in typeof(FlexApp).Assembly.GetTypes().SelectMany(t => t.GetMethods())
           from parameter in method.GetParameters()
           let trigger = parameter.GetCustomAttribute<HttpTriggerAttribute>()
           where trigger is { Route: ['v', '1', '/', ..], Methods: not null }
           from verb in trigger!.Methods!
           select new Route(verb.ToUpperInvariant(), trigger.Route!["v1".Length..]),
    ];

    private sealed record Route(string Method, string Template)
    {
        /// <summary>Segments of a page that stand for any, and those of the template, go together whatever their names.</summary>
        public bool Serves(string path)
        {
            string[] asked = path.Split('/');
            string[] served = Template.Split('/');
            return asked.Length == served.Length
                && asked.Zip(served).All(pair => pair.First == pair.Second || (pair.First.StartsWith('{') && pair.Second.Contains('{', StringComparison.Ordinal)));
        }
    }

    [GeneratedRegex(@"^\w+Tests\.\w+$")]
    private static partial Regex TestName();

    [GeneratedRegex(@"\./flex (?<command>[a-z]+)(?:[ \t]+(?:(?<option>--[a-z]+)|(?!\./flex|\|)[\w./:-]+))*")]
    private static partial Regex Call();

    [GeneratedRegex("^[A-Z][A-Za-z]+__[A-Za-z0-9_]+$")]
    private static partial Regex Setting();

    /// <summary>With or without what all addresses begin with; those below /local and /api alone are the local host's.</summary>
    [GeneratedRegex(@"^(?:(?<method>GET|POST|PUT|DELETE) )?(?:/api/v1(?=/))?(?<path>/(?!local\b|api\b)[a-z][\w./{}-]*)(?:\?\S*)?$")]
    private static partial Regex Address();

    [GeneratedRegex(@"^(?:functions|local|tests|infra|docs|\.github)/[\w./-]+$")]
    private static partial Regex RepositoryPath();

    [GeneratedRegex(@"(?:\bdescribe\(\s*|\bname: (?='[^']*'\s+meaning:))'([\w-]+)'")]
    private static partial Regex Alert();

    [GeneratedRegex(@"^\s*(?:public|internal) .*\bclass (\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"\[(?:Fact|Theory)\b")]
    private static partial Regex TestAttribute();

    [GeneratedRegex(@"^\s*(?:public|internal) [\w<>\[\]? ]+ (\w+)\(")]
    private static partial Regex Method();

    [GeneratedRegex(@"^  ([a-z|]+)\)", RegexOptions.Multiline)]
    private static partial Regex ScriptCase();
}
