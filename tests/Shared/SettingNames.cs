using System.Reflection;
using System.Text.RegularExpressions;

namespace Flex.Tests.Shared;

/// <summary>The names of the app settings that the code reads, in the form of environment variables: <c>Section__Property</c>.</summary>
internal static partial class SettingNames
{
    /// <summary>Sections read through classes with a constant <c>Section</c>; the only way settings are read.</summary>
    public static IReadOnlyList<(string Section, Type Type)> Sections { get; } =
    [
        .. from type in typeof(FlexApp).Assembly.GetTypes()
           let section = type.GetField("Section", BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
           where section is { IsLiteral: true }
           select ((string)section.GetRawConstantValue()!, type),
    ];

    /// <summary>Settings that triggers and host.json name as <c>%NAME%</c>.</summary>
    public static IReadOnlyList<string> Placeholders { get; } =
    [
        .. SourceTree.Under("functions").Select(f => f.Text).Append(SourceTree.Read("host.json"))
            .SelectMany(text => Placeholder().Matches(text).Select(m => m.Groups[1].Value.Replace(":", "__", StringComparison.Ordinal)))
            .Distinct(),
    ];

    /// <summary>All of them; the items of a list are named by their first, e.g. <c>Cors__Origins__0</c>.</summary>
    public static IReadOnlyList<string> All { get; } =
        [.. Sections.SelectMany(s => Keys(s.Section, s.Type)).Concat(Placeholders).Distinct().Order(StringComparer.Ordinal)];

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

    [GeneratedRegex("\"%([A-Za-z_:]+)%\"")]
    private static partial Regex Placeholder();
}
