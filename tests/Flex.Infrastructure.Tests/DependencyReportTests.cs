using Flex.Local.Packaging;
using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>Outputs of <c>dotnet list package --vulnerable</c> as recorded from SDK 10.0.401.</summary>
public sealed class DependencyReportTests
{
    private const string Nothing = """
        {
          "version": 1,
          "parameters": "--vulnerable --include-transitive",
          "sources": [ "https://api.nuget.org/v3/index.json" ],
          "projects": [
            { "path": "/flex/functions/Flex.Functions.csproj" },
            { "path": "/flex/local/Flex.Local.csproj", "frameworks": [ { "framework": "net10.0", "topLevelPackages": [] } ] }
          ]
        }
        """;

    private const string Vulnerable = """
        {
          "version": 1,
          "parameters": "--vulnerable --include-transitive",
          "sources": [ "https://api.nuget.org/v3/index.json" ],
          "projects": [
            {
              "path": "/flex/functions/Flex.Functions.csproj",
              "frameworks": [
                {
                  "framework": "net10.0",
                  "topLevelPackages": [
                    {
                      "id": "Newtonsoft.Json",
                      "requestedVersion": "12.0.1",
                      "resolvedVersion": "12.0.1",
                      "vulnerabilities": [ { "severity": "High", "advisoryurl": "https://github.com/advisories/GHSA-5crp-9r3c-p9vr" } ]
                    }
                  ],
                  "transitivePackages": [
                    {
                      "id": "MimeKit",
                      "resolvedVersion": "4.18.2",
                      "vulnerabilities": [ { "severity": "Moderate", "advisoryurl": "https://github.com/advisories/GHSA-gmc6-fwg3-75m5" } ]
                    }
                  ]
                }
              ]
            },
            {
              "path": "/flex/local/Flex.Local.csproj",
              "frameworks": [
                {
                  "framework": "net10.0",
                  "topLevelPackages": [],
                  "transitivePackages": [
                    {
                      "id": "MimeKit",
                      "resolvedVersion": "4.18.2",
                      "vulnerabilities": [ { "severity": "Moderate", "advisoryurl": "https://github.com/advisories/GHSA-gmc6-fwg3-75m5" } ]
                    }
                  ]
                }
              ]
            }
          ]
        }
        """;

    private const string NoData = """
        {
          "version": 1,
          "parameters": "--vulnerable --include-transitive",
          "problems": [
            { "project": "/flex/functions/Flex.Functions.csproj", "level": "warning", "text": "Audit source 'nuget.org' did not provide any vulnerability data." },
            { "project": "/flex/local/Flex.Local.csproj", "level": "warning", "text": "Audit source 'nuget.org' did not provide any vulnerability data." }
          ],
          "sources": [ "https://api.nuget.org/v3/index.json" ],
          "projects": [
            { "path": "/flex/functions/Flex.Functions.csproj", "frameworks": [ { "framework": "net10.0", "topLevelPackages": [] } ] }
          ]
        }
        """;

    private const string NotRestored = """
        {
           "version": 1,
           "problems": [ { "text": "Restore failed. Run `dotnet restore` for more details on the issue.", "level": "error" } ]
        }
        """;

    private const string NotReached = """
        error: Unable to load the service index for source https://api.nuget.org/v3/index.json.
        error:   Connection refused (api.nuget.org:443)
        """;

    [Fact]
    public void Sources_that_know_and_find_nothing_clear_the_packages()
    {
        DependencyReport report = DependencyReport.Read(Nothing);

        Assert.Empty(report.Vulnerable);
        Assert.Null(report.NotAudited);
    }

    [Fact]
    public void Direct_and_indirect_packages_are_found_once_each()
    {
        DependencyReport report = DependencyReport.Read(Vulnerable);

        Assert.Equal(
            [
                new VulnerablePackage("MimeKit", "4.18.2", "Moderate", "https://github.com/advisories/GHSA-gmc6-fwg3-75m5"),
                new VulnerablePackage("Newtonsoft.Json", "12.0.1", "High", "https://github.com/advisories/GHSA-5crp-9r3c-p9vr"),
            ],
            report.Vulnerable);
    }

    [Theory]
    [InlineData(NoData, "Audit source 'nuget.org' did not provide any vulnerability data.")]
    [InlineData(NotRestored, "Restore failed. Run `dotnet restore` for more details on the issue.")]
    [InlineData(NotReached, "error: Unable to load the service index for source https://api.nuget.org/v3/index.json.")]
    [InlineData("", "There is no report.")]
    [InlineData("{}", "The report names no project.")]
    public void What_could_not_be_looked_up_is_not_taken_for_clear(string output, string reason)
    {
        DependencyReport report = DependencyReport.Read(output);

        Assert.Empty(report.Vulnerable);
        Assert.Equal(reason, report.NotAudited);
    }

    [Fact]
    public void A_finding_counts_even_where_something_else_could_not_be_looked_up()
    {
        string output = Vulnerable.Replace("\"sources\"", """ "problems": [ { "text": "One source is down.", "level": "warning" } ], "sources" """, StringComparison.Ordinal);

        Assert.Equal(2, DependencyReport.Read(output).Vulnerable.Count);
    }
}
