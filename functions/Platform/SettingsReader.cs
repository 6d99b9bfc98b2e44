using System.ComponentModel;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Flex.Platform;

/// <summary>
/// Reads a section into a settings object and collects what is wrong: first with the texts (unknown names, texts that are no
/// number, unresolved references), then what the object itself says. The configuration binder would throw at the first of them,
/// and with the value in its message.
/// </summary>
internal static class SettingsReader
{
    /// <summary>How the platform hands on a Key Vault reference that it could not resolve. Source: learn.microsoft.com/azure/app-service/app-service-key-vault-references</summary>
    private const string KeyVaultReference = "@Microsoft.KeyVault(";

    public static (T Settings, IReadOnlyList<SettingFault> Faults) Read<T>(IConfigurationSection section, bool sharedWithHost)
        where T : class, ISettings, new()
    {
        var texts = new List<SettingFault>();
        var unreadable = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (PropertyOf(typeof(T), child.Key) is { } property)
            {
                Inspect(child, property.PropertyType, property.Name, texts, unreadable);
            }
            else if (!sharedWithHost)
            {
                texts.Add(Unknown(child.Key, typeof(T)));
            }
        }

        IConfiguration readable = new ConfigurationBuilder()
            .AddInMemoryCollection(section.AsEnumerable(makePathsRelative: true).Where(p => p.Key.Length > 0 && !string.IsNullOrEmpty(p.Value) && !unreadable.Contains(p.Key)))
            .Build();
        T settings = readable.Get<T>() ?? new T();

        // What is said about a text is not said again about the value that could not be made of it.
        HashSet<string> said = [.. texts.Select(f => f.Setting)];
        return (settings, [.. texts, .. settings.Faults().Where(f => !said.Contains(f.Setting))]);
    }

    private static void Inspect(IConfigurationSection section, Type type, string name, List<SettingFault> faults, HashSet<string> unreadable)
    {
        Type? item = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>) ? type.GetGenericArguments()[0] : null;
        bool isGroup = type.IsClass && type.Assembly == typeof(SettingsReader).Assembly;
        string list = $"the items of the list are {Full(section)}__0, {Full(section)}__1 and so on.";
        int position = 0;
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (item is not null && child.Key == $"{position++}")
            {
                Inspect(child, item, $"{name}__{child.Key}", faults, unreadable);
            }
            else if (item is not null)
            {
                faults.Add(new($"{name}__{child.Key}", "is out of order: " + list));
            }
            else if (isGroup && PropertyOf(type, child.Key) is { } property)
            {
                Inspect(child, property.PropertyType, $"{name}__{property.Name}", faults, unreadable);
            }
            else
            {
                faults.Add(Unknown($"{name}__{child.Key}", isGroup ? type : null));
            }
        }

        if (!string.IsNullOrEmpty(section.Value)
            && FaultOf(section.Value, item is not null ? "must be empty: " + list : isGroup ? "must be empty: it has parts, each a setting." : null, type) is { } what)
        {
            faults.Add(new(name, what));
            unreadable.Add(section.Path[(section.Path.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        }
    }

    /// <param name="ofAny">What is wrong with any text here; null where one belongs.</param>
    private static string? FaultOf(string text, string? ofAny, Type type)
    {
        if (text.StartsWith(KeyVaultReference, StringComparison.OrdinalIgnoreCase))
        {
            return "is a Key Vault reference that was not resolved: does the secret exist, and may the app's identity read it?";
        }

        if (ofAny is not null)
        {
            return ofAny;
        }

        if (char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1]))
        {
            return "begins or ends with white space.";
        }

        return CanRead(text, Nullable.GetUnderlyingType(type) ?? type) ? null : $"must be {Form(type)}.";
    }

    private static string Full(IConfigurationSection section) => section.Path.Replace(":", "__", StringComparison.Ordinal);

    /// <summary>Numbers are no names of enums, although the converter takes them.</summary>
    private static bool CanRead(string text, Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Contains(text, StringComparer.OrdinalIgnoreCase);
        }

        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromInvariantString(text) is not null;
        }
        catch (Exception unreadable) when (unreadable is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    private static string Form(Type type) => type switch
    {
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) || type == typeof(long) => "a whole number",
        _ when type == typeof(double) || type == typeof(float) => "a number",
        { IsEnum: true } => "one of " + string.Join(", ", Enum.GetNames(type).Select(n => n.ToLowerInvariant())),
        _ => $"a {type.Name}",
    };

    private static SettingFault Unknown(string name, Type? type) => new(
        name,
        type is null ? "is not a setting." : $"is not a setting; those there are: {string.Join(", ", Properties(type).Select(p => p.Name))}.");

    private static PropertyInfo? PropertyOf(Type type, string key) =>
        Properties(type).FirstOrDefault(p => p.Name.Equals(key, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<PropertyInfo> Properties(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite);
}
