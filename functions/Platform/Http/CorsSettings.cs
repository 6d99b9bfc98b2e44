using Microsoft.Extensions.Primitives;

namespace Flex.Platform.Http;

/// <summary>Which browser applications may call. Bearer tokens are sent explicitly, so credentials mode is never allowed.</summary>
public sealed class CorsSettings : ISettings
{
    public const string Section = "Cors";

    /// <summary>Exact origins, e.g. <c>https://app.example.com</c>; no wildcards. Empty: no browser application of another origin.</summary>
    public IList<string> Origins { get; init; } = [];

    public IEnumerable<SettingFault> Faults() => Origins
        .Select((origin, i) => (origin, i))
        .Where(o => !IsOrigin(o.origin))
        .Select(o => new SettingFault(
            $"{nameof(Origins)}__{o.i}",
            "must be an exact origin as browsers send it: https (http only on the loopback), host in lower case, port unless it is the default; no wildcard, path or slash at the end."));

    public bool Allows(StringValues origin) => origin.Count == 1 && Origins.Contains(origin[0]!);

    private static bool IsOrigin(string text) =>
        SettingFault.IsSafeAddress(text) && !text.Contains('*', StringComparison.Ordinal) && new Uri(text).GetLeftPart(UriPartial.Authority) == text;
}
