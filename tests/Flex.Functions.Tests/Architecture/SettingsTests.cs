using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
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
        string[] read = [.. Sections().SelectMany(s => Keys(s.Section, s.Type)).Concat(Placeholders()).Concat(OfTheHost).Distinct().Order(StringComparer.Ordinal)];

        Assert.True(Sections().Count() >= 8);
        Assert.Contains("TASKHUB_NAME", Placeholders());
        Assert.Equal(read, sample);
    }

    [Fact]
    public void Settings_are_read_in_no_other_way()
    {
        string[] readers = [.. SourceTree.Under("functions").Where(f => OtherWay().IsMatch(f.Code)).Select(f => f.Path)];

        Assert.Empty(readers);
        Assert.Matches(OtherWay(), "configuration[\"Stripe:ApiKey\"]");
    }

    private static IEnumerable<(string Section, Type Type)> Sections() =>
        from type in typeof(FlexApp).Assembly.GetTypes()
        let section = type.GetField("Section", BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        where section is { IsLiteral: true }
        select ((string)section.GetRawConstantValue()!, type);

    private static IEnumerable<string> Keys(string prefix, Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.CanWrite)
        .SelectMany(p => KeysOf($"{prefix}__{p.Name}", p.PropertyType));

    private static IEnumerable<string> KeysOf(string key, Type type)
    {
        Type? item = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>) ? type.GetGenericArguments()[0] : null;
        return item is not null ? KeysOf(key + "__0", item)
            : type.Assembly == typeof(FlexApp).Assembly && type.IsClass ? Keys(key, type)
            : [key];
    }

    /// <summary>Settings that triggers and host.json name as <c>%NAME%</c>.</summary>
    private static IEnumerable<string> Placeholders() => SourceTree.Under("functions").Select(f => f.Text).Append(SourceTree.Read("host.json"))
        .SelectMany(text => Placeholder().Matches(text).Select(m => m.Groups[1].Value.Replace(":", "__", StringComparison.Ordinal)));

    [GeneratedRegex("\"%([A-Za-z_:]+)%\"")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"GetEnvironmentVariable|[cC]onfiguration\[|GetConnectionString\(|\.GetValue<")]
    private static partial Regex OtherWay();
}
