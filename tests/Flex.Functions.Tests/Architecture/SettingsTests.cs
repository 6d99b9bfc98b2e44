using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Functions.Tests.Architecture;

/// <summary>The sample settings file names every setting there is, and nothing else.</summary>
public sealed partial class SettingsTests
{
    /// <summary>Read by the Functions host, not by our code.</summary>
    private static readonly string[] OfTheHost = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"];

    [Fact]
    public void The_sample_names_exactly_the_settings_that_are_read()
    {
        string[] sample = [.. ((JsonObject)JsonNode.Parse(SourceTree.Read("local.settings.sample.json"))!["Values"]!).Select(v => v.Key).Order(StringComparer.Ordinal)];
        string[] read = [.. SettingNames.All.Concat(OfTheHost).Order(StringComparer.Ordinal)];

        Assert.True(SettingNames.Sections.Count >= 8);
        Assert.Contains("TASKHUB_NAME", SettingNames.Placeholders);
        Assert.Equal(read, sample);
    }

    [Fact]
    public void Settings_are_read_in_no_other_way()
    {
        string[] readers = [.. SourceTree.Under("functions").Where(f => OtherWay().IsMatch(f.Code)).Select(f => f.Path)];

        Assert.Empty(readers);
        Assert.Matches(OtherWay(), "configuration[\"Stripe:ApiKey\"]");
    }

    [GeneratedRegex(@"GetEnvironmentVariable|[cC]onfiguration\[|GetConnectionString\(|\.GetValue<")]
    private static partial Regex OtherWay();
}
