using System.Text.RegularExpressions;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Functions.Tests.Architecture;

/// <summary>Which feature may know which. A new edge is a visible change of this table; everything else travels as a message.</summary>
public sealed partial class FeatureDependencyTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Settings"] = [],
        ["Catalogue"] = ["Settings"],
        ["Members"] = ["Settings"],
        ["Invoicing"] = ["Settings", "Members"],
        ["Payments"] = ["Members", "Invoicing"],
        ["Bookings"] = ["Settings", "Catalogue", "Members", "Invoicing", "Payments", "Wallets"],
        ["Storefront"] = ["Catalogue", "Members", "Invoicing", "Payments", "Wallets", "Bookings"],
        ["CalendarFeeds"] = ["Settings", "Catalogue", "Members", "Bookings"],
        ["Wallets"] = ["Settings", "Catalogue", "Members", "Invoicing", "Payments"],
        ["RecurringBookings"] = ["Settings", "Catalogue", "Members", "Invoicing", "Bookings", "Wallets"],
        ["Access"] = ["Settings", "Members"],
        ["DayPasses"] = ["Settings", "Catalogue", "Members", "Access"],
        ["Memberships"] = ["Settings", "Catalogue", "Members", "Invoicing", "Payments", "Bookings", "Access", "DayPasses"],
        ["Exports"] = [],
        ["Renewals"] = ["Settings", "Members", "Invoicing", "Payments", "Access", "Memberships"],
    };

    public static TheoryData<string> Features => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Features))]
    public void A_feature_knows_only_the_features_of_the_table(string feature)
    {
        string[] used = [.. SourceTree.Under($"functions/{feature}")
            .SelectMany(f => f.Matching(FeatureReference()))
            .Select(m => FeatureReference().Match(m).Groups["feature"].Value)
            .Where(name => name != feature && Allowed.ContainsKey(name))
            .Distinct()];

        Assert.Empty(used.Except(Allowed[feature]));
    }

    [Theory]
    [MemberData(nameof(Features))]
    public void Every_edge_of_the_table_is_used(string feature)
    {
        string[] used = [.. SourceTree.Under($"functions/{feature}")
            .SelectMany(f => f.Matching(FeatureReference()))
            .Select(m => FeatureReference().Match(m).Groups["feature"].Value)];

        Assert.Empty(Allowed[feature].Except(used));
    }

    [Fact]
    public void The_table_names_every_feature_folder_and_has_no_cycle()
    {
        string[] folders = [.. Directory.GetDirectories(Path.Combine(SourceTree.Root, "functions")).Select(d => Path.GetFileName(d)!)
            .Except(["Kernel", "Platform", "Azure", "bin", "obj"])];
        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal), folders.Order(StringComparer.Ordinal));

        var done = new HashSet<string>();
        while (done.Count < Allowed.Count)
        {
            string[] next = [.. Allowed.Where(e => !done.Contains(e.Key) && e.Value.All(done.Contains)).Select(e => e.Key)];
            Assert.NotEmpty(next);
            done.UnionWith(next);
        }
    }

    [Theory]
    [InlineData("functions/Kernel")]
    [InlineData("functions/Platform")]
    public void What_is_shared_knows_no_feature(string folder)
    {
        foreach (SourceTree.SourceFile file in SourceTree.Under(folder))
        {
            Assert.DoesNotContain(
                file.Matching(UsingFeature()).Select(m => UsingFeature().Match(m).Groups["feature"].Value),
                name => Allowed.ContainsKey(name));
        }
    }

    /// <summary><c>using Flex.Members;</c>, <c>Flex.Members.X</c> or, from a sibling namespace, <c>Members.X</c>.</summary>
    [GeneratedRegex(@"using Flex\.(?<feature>[A-Z]\w+);|(?<![\w.])(?:Flex\.)?(?<feature>[A-Z][a-z]+)\.[A-Z]")]
    private static partial Regex FeatureReference();

    [GeneratedRegex(@"using Flex\.(?<feature>[A-Z]\w+);")]
    private static partial Regex UsingFeature();
}
