using System.Text.RegularExpressions;
using Xunit;

namespace Flex.Tests.Shared;

/// <summary>The sources of the repository, for rules about what may be written where.</summary>
internal static partial class SourceTree
{
    public static string Root { get; } = FindRoot();

    /// <summary>C# files below a folder of the repository, without build output. Never empty: a rule over nothing proves nothing.</summary>
    public static IReadOnlyList<SourceFile> Under(string folder)
    {
        string path = Path.Combine(Root, folder);
        List<SourceFile> files = [.. Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal))
            .Select(f => new SourceFile(Path.GetRelativePath(Root, f), File.ReadAllText(f)))
            .OrderBy(f => f.Path, StringComparer.Ordinal)];
        Assert.NotEmpty(files);
        return files;
    }

    /// <summary>The text of one file of the repository.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>From the test's output upwards: the paths the compiler knows are normalised in a deterministic build.</summary>
    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Flex.Functions.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }

    internal sealed partial record SourceFile(string Path, string Text)
    {
        /// <summary>The code without comments and string contents, so that prose names nothing.</summary>
        public string Code { get; } = Noise().Replace(Text, m => m.Value.StartsWith('/') ? " " : "\"\"");

        public IEnumerable<string> Matching(Regex regex) => regex.Matches(Code).Select(m => m.Value);

        [GeneratedRegex("""//[^\n]*|/\*.*?\*/|@?"(?:[^"\\\n]|\\.)*" """, RegexOptions.Singleline | RegexOptions.IgnorePatternWhitespace)]
        private static partial Regex Noise();
    }
}
