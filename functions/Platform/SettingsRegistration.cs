using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform;

/// <summary>
/// Settings are read through classes with a constant <c>Section</c> whose properties are the section's settings, and in no other
/// way; a test compares these classes with the sample settings file.
/// </summary>
public static class SettingsRegistration
{
    /// <summary>Reads the section once and registers the settings object itself; defaults where nothing is configured.</summary>
    /// <param name="check">Throws for settings that the app must not start with.</param>
    public static IServiceCollection AddSettings<T>(this IServiceCollection services, IConfiguration configuration, string section, Action<T>? check = null)
        where T : class, new()
    {
        T settings = configuration.GetSection(section).Get<T>() ?? new T();
        check?.Invoke(settings);
        return services.AddSingleton(settings);
    }
}
