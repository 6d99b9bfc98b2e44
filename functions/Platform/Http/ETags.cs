using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>
/// A view that carries the version of its record: a number that grows by one with every change and is stored in the record.
/// It becomes the strong ETag of the answer, and the answer is known before the commit.
/// </summary>
public interface IVersioned
{
    long Version { get; }
}

/// <summary>Strong entity tags (RFC 9110 §8.8.3) made from record versions.</summary>
public static class ETags
{
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>True when the header's list holds the tag. <c>*</c> matches what exists; weak tags never match strongly.</summary>
    public static bool Matches(string header, string etag) =>
        header.Split(',', StringSplitOptions.TrimEntries).Any(tag => tag == "*" || tag == etag);

    /// <summary>True when the reader has this version already: 304.</summary>
    public static bool IsUnchanged(HttpRequest request, string etag) =>
        HttpMethods.IsGet(request.Method) && request.Headers.IfNoneMatch.ToString() is { Length: > 0 } tags && Matches(tags, etag);

    /// <summary>True for a header that is <c>*</c> or a list of quoted tags.</summary>
    public static bool IsWellFormed(string header) =>
        header.Split(',', StringSplitOptions.TrimEntries).All(tag =>
        {
            string strong = tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;
            return tag == "*" || (strong.Length >= 2 && strong[0] == '"' && strong[^1] == '"' && !strong[1..^1].Contains('"', StringComparison.Ordinal));
        });
}
