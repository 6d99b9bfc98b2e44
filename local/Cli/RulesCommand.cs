using System.Globalization;
using System.Text.RegularExpressions;

namespace Flex.Local.Cli;

/// <summary><c>./flex rules</c>: which rule is proved by which tests, read from the sources.</summary>
internal sealed partial class RulesCommand : ICommand
{
    public string Name => "rules";

    public string Summary => "Lists the rules, the tests that prove them, and the rules without a test.";

    public IReadOnlyList<CommandOption> Options { get; } = [new("missing", null, "Only the rules without a test.")];

    public Task<int> RunAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        string root = Environment.GetEnvironmentVariable("FLEX_ROOT") ?? Directory.GetCurrentDirectory();
        string list = Path.Combine(root, "docs", "rules.md");
        if (!File.Exists(list))
        {
            throw new CommandArgumentException($"{list} does not exist; run it from the repository.");
        }

        (string Id, string About)[] rules = [.. Rule().Matches(File.ReadAllText(list)).Select(m => (m.Groups["id"].Value, m.Groups["about"].Value))];
        ILookup<string, string> tests = TestsUnder(Path.Combine(root, "tests")).ToLookup(t => t.Rule, t => t.Test);
        string[] unknown = [.. tests.Select(t => t.Key).Except(rules.Select(r => r.Id)).Order(StringComparer.Ordinal)];
        foreach ((string id, string about) in rules)
        {
            string[] proofs = [.. tests[id].Order(StringComparer.Ordinal)];
            if (proofs.Length == 0 || !arguments.Has("missing"))
            {
                Console.WriteLine($"{id,-7} {about}{(proofs.Length == 0 ? "  (no test)" : string.Empty)}");
            }

            foreach (string proof in arguments.Has("missing") ? [] : proofs)
            {
                Console.WriteLine($"          {proof}");
            }
        }

        int proved = rules.Count(r => tests.Contains(r.Id));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rules.Length} rules, {proved} with tests, {rules.Length - proved} without."));
        if (unknown.Length > 0)
        {
            Console.Error.WriteLine($"flex rules: tests name rules that are not listed: {string.Join(", ", unknown)}");
        }

        return Task.FromResult(unknown.Length == 0 ? 0 : 1);
    }

    private static IEnumerable<(string Rule, string Test)> TestsUnder(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
                     .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)))
        {
            List<string> rules = [];
            foreach (string line in File.ReadLines(file))
            {
                rules.AddRange(Trait().Matches(line).Select(m => m.Groups["rule"].Value));
                if (rules.Count > 0 && Declaration().Match(line) is { Success: true } declared)
                {
                    foreach (string rule in rules)
                    {
                        yield return (rule, $"{Path.GetFileNameWithoutExtension(file)}.{declared.Groups["name"].Value}");
                    }

                    rules = [];
                }
            }
        }
    }

    [GeneratedRegex(@"^\| (?<id>[A-Z]{3}-\d+) \| (?<about>[^|]+?) \|", RegexOptions.Multiline)]
    private static partial Regex Rule();

    [GeneratedRegex("""Trait\("Rule", "(?<rule>[^"]+)"\)""")]
    private static partial Regex Trait();

    /// <summary>The method or class that the traits before it belong to.</summary>
    [GeneratedRegex(@"^\s*public (?:(?:static|async|sealed|abstract|partial) )*(?:class|[\w<>]+) (?<name>\w+)")]
    private static partial Regex Declaration();
}
