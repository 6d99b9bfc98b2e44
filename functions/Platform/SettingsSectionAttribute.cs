using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform;

/// <summary>
/// Marks a class whose properties are the settings of one configuration section. These classes are the only way to read
/// settings; a test compares them with the sample settings file.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SettingsSectionAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

public static class SettingsRegistration
{
    /// <summary>Reads the section once and registers the settings object itself.</summary>
    public static IServiceCollection AddSettings<T>(this IServiceCollection services, IConfiguration configuration)
        where T : class, new() =>
        services.AddSingleton(configuration.ReadSettings<T>());

    /// <summary>The settings of the section named by <see cref="SettingsSectionAttribute"/>; defaults where nothing is configured.</summary>
    public static T ReadSettings<T>(this IConfiguration configuration)
        where T : class, new()
    {
        var attribute = (SettingsSectionAttribute?)Attribute.GetCustomAttribute(typeof(T), typeof(SettingsSectionAttribute))
            ?? throw new DefectException($"{typeof(T).Name} names no section.");
        return configuration.GetSection(attribute.Name).Get<T>() ?? new T();
    }
}
