using Microsoft.Extensions.Primitives;

namespace Flex.Platform.Http;

/// <summary>Which browser applications may call. Bearer tokens are sent explicitly, so credentials mode is never allowed.</summary>
public sealed class CorsSettings
{
    public const string Section = "Cors";

    /// <summary>Exact origins, e.g. <c>https://app.example.com</c>; no wildcards. Empty: no browser application of another origin.</summary>
    public IList<string> Origins { get; init; } = [];

    public bool Allows(StringValues origin) => origin.Count == 1 && Origins.Contains(origin[0]!);
}
