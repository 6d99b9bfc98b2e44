using System.Text.RegularExpressions;
using Flex.Tests.Shared;

namespace Flex.Infrastructure.Tests;

/// <summary>A page of the repository, read as far as its tests need it.</summary>
internal sealed partial class Markdown
{
    private Markdown(string path, string text) => (Path, Text) = (path, text);

    /// <summary>Relative to the repository.</summary>
    public string Path { get; }

    public string Text { get; }

    /// <summary>The README and everything below <c>docs/</c>.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        "README.md",
        .. Directory.EnumerateFiles(System.IO.Path.Combine(SourceTree.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(f => System.IO.Path.GetRelativePath(SourceTree.Root, f)).Order(StringComparer.Ordinal),
    ];

    public static Markdown Read(string path) => new(path, SourceTree.Read(path));

    public static Markdown Of(string text) => new("text.md", text);

    /// <summary>What stands between single backticks.</summary>
    public IEnumerable<string> Code => CodeSpan().Matches(Prose).Select(m => m.Groups[1].Value);

    /// <summary>Where links lead that are not addresses on the web.</summary>
    public IEnumerable<string> RelativeLinks => Link().Matches(Prose).Select(m => m.Groups[1].Value).Where(l => !l.Contains("://", StringComparison.Ordinal));

    /// <summary>The anchors of the headings, as GitHub makes them: lower case, without punctuation, with hyphens for spaces, numbered from the second of a name.</summary>
    public IReadOnlyList<string> Anchors
    {
        get
        {
            var seen = new Dictionary<string, int>(StringComparer.Ordinal);
            var anchors = new List<string>();
            foreach (Match heading in Heading().Matches(Prose))
            {
                string anchor = Punctuation().Replace(heading.Groups[1].Value.Trim().ToLowerInvariant(), string.Empty).Replace(' ', '-');
                int before = seen.GetValueOrDefault(anchor);
                seen[anchor] = before + 1;
                anchors.Add(before == 0 ? anchor : $"{anchor}-{before}");
            }

            return anchors;
        }
    }

    /// <summary>The cells of the tables whose last column has this heading, row by row.</summary>
    public IEnumerable<string[]> Rows(string lastColumn)
    {
        bool inside = false;
        foreach (string line in Prose.Split('\n'))
        {
            string[] cells = line.StartsWith('|') ? [.. line.Trim().Trim('|').Split('|').Select(c => c.Trim())] : [];
            if (cells.Length == 0)
            {
                inside = false;
            }
            else if (!inside && cells[^1] == lastColumn)
            {
                inside = true;
            }
            else if (inside && !cells[0].StartsWith("---", StringComparison.Ordinal))
            {
                yield return cells;
            }
        }
    }

    /// <summary>Without blocks of code, whose lines are no headings, links or tables.</summary>
    private string Prose => Block().Replace(Text, string.Empty);

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#{1,6} (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N}_ -]")]
    private static partial Regex Punctuation();
}
