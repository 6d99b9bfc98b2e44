using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform;

/// <summary>
/// Settings are read through classes with a constant <c>Section</c> whose properties are the section's settings, and in no other
/// way; a test compares these classes with the sample settings file. An empty value is the same as none.
/// </summary>
public static class SettingsRegistration
{
    /// <summary>Reads the section once and registers the settings object itself; defaults where nothing is configured.</summary>
    /// <param name="sharedWithHost">The Functions host reads the section too, so names unknown to us are no mistakes.</param>
    public static IServiceCollection AddSettings<T>(
        this IServiceCollection services, IConfiguration configuration, string section, bool sharedWithHost = false)
        where T : class, ISettings, new() => services.AddSettings(configuration, section, out T _, sharedWithHost);

    /// <summary>The same, for registrations that depend on the settings.</summary>
    public static IServiceCollection AddSettings<T>(
        this IServiceCollection services, IConfiguration configuration, string section, out T settings, bool sharedWithHost = false)
        where T : class, ISettings, new()
    {
        (settings, IReadOnlyList<SettingFault> faults) = SettingsReader.Read<T>(configuration.GetSection(section), sharedWithHost);
        return services.AddSingleton(settings).AddSingleton(new SectionFaults(section, faults));
    }

    /// <summary>For a host that cannot do without a setting that may be empty elsewhere.</summary>
    /// <param name="setting">Below the section, as in an environment variable.</param>
    /// <param name="why">Follows "is missing:".</param>
    public static IServiceCollection RequireSetting(
        this IServiceCollection services, IConfiguration configuration, string section, string setting, string why)
    {
        bool isMissing = string.IsNullOrEmpty(configuration.GetSection(section).GetSection(setting.Replace("__", ":", StringComparison.Ordinal)).Value);
        return isMissing ? services.AddSingleton(new SectionFaults(section, [SettingFault.Missing(setting, why)])) : services;
    }

    /// <summary>Called by a host when everything is registered, before anything is made.</summary>
    /// <exception cref="SettingsException">Something is wrong; every fault of every section has its line.</exception>
    public static IServiceCollection CheckSettings(this IServiceCollection services)
    {
        SettingsException.ThrowIfAny(
            [.. services.Where(s => !s.IsKeyedService).Select(s => s.ImplementationInstance).OfType<SectionFaults>()]);
        return services;
    }
}

/// <summary>What is wrong with a section.</summary>
internal sealed record SectionFaults(string Section, IReadOnlyList<SettingFault> Faults);

/// <summary>The app does not start with these settings. The message has a line per fault; no line has a value.</summary>
public sealed class SettingsException : Exception
{
    public SettingsException()
    {
    }

    public SettingsException(string message)
        : base(message)
    {
    }

    public SettingsException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>One sentence per fault, each starting with the setting's name as an environment variable.</summary>
    public IReadOnlyList<string> Lines { get; private init; } = [];

    /// <summary>For settings that were made by hand: tools and tests.</summary>
    public static void ThrowIfFaulty(string section, ISettings settings) => ThrowIfAny([new SectionFaults(section, [.. settings.Faults()])]);

    internal static void ThrowIfAny(IReadOnlyList<SectionFaults> sections)
    {
        string[] lines = [.. sections.SelectMany(s => s.Faults.Select(f => $"{s.Section}__{f.Setting} {f.What}")).Distinct()];
        if (lines.Length > 0)
        {
            throw new SettingsException("The settings cannot be used:\n  " + string.Join("\n  ", lines)) { Lines = lines };
        }
    }
}
