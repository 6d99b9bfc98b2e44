using System.Text.Json;

namespace Flex.Local.Packaging;

/// <summary>A package with a published vulnerability.</summary>
/// <param name="Advisory">Address of the advisory.</param>
public sealed record VulnerablePackage(string Id, string Version, string Severity, string Advisory);

/// <summary>
/// What <c>dotnet list package --vulnerable --include-transitive --format json</c> found. A source that knows no vulnerabilities finds none
/// either: that is told apart, because "nothing found" would be believed.
/// </summary>
/// <param name="NotAudited">Why nothing can be said; null when the sources knew.</param>
public sealed record DependencyReport(IReadOnlyList<VulnerablePackage> Vulnerable, string? NotAudited)
{
    /// <summary>Reads the report; output that is no report, e.g. that a source cannot be reached, is why nothing can be said.</summary>
    public static DependencyReport Read(string output)
    {
        try
        {
            using JsonDocument report = JsonDocument.Parse(output);
            string[] problems = [.. Items(report.RootElement, "problems").Select(p => Text(p, "text")).Distinct()];
            return new DependencyReport(
                [.. Items(report.RootElement, "projects").SelectMany(p => Items(p, "frameworks")).SelectMany(PackagesOf).Distinct().OrderBy(v => v.Id, StringComparer.Ordinal)],
                problems.Length > 0 ? string.Join(" ", problems)
                    : !Items(report.RootElement, "projects").Any() ? "The report names no project."
                    : null);
        }
        catch (JsonException)
        {
            return new DependencyReport([], output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "There is no report.");
        }
    }

    private static IEnumerable<VulnerablePackage> PackagesOf(JsonElement framework) =>
        from package in Items(framework, "topLevelPackages").Concat(Items(framework, "transitivePackages"))
        from vulnerability in Items(package, "vulnerabilities")
        select new VulnerablePackage(Text(package, "id"), Text(package, "resolvedVersion"), Text(vulnerability, "severity"), Text(vulnerability, "advisoryurl"));

    private static JsonElement.ArrayEnumerator Items(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;

    private static string Text(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement text) ? text.ToString() : "unknown";
}
