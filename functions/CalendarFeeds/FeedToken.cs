using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Flex.Platform.Http;

namespace Flex.CalendarFeeds;

/// <summary>
/// What opens a feed to whoever knows it: <c>feed_</c> and 256 bits in base64url. The prefix makes it recognisable, so that no log
/// takes it in.
/// </summary>
public static partial class FeedToken
{
    /// <summary>An id has 80 random bits, so four of them have more than the 256 that their hash keeps.</summary>
    private const int Ids = 4;

    public static string New(IIdSource ids)
    {
        string random = string.Concat(Enumerable.Range(0, Ids).Select(_ => ids.Next()));
        return "feed_" + Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(random)));
    }

    /// <summary>What is stored of it.</summary>
    public static string Hash(string token) => RequestKey.Hash(Encoding.ASCII.GetBytes(token));

    /// <summary>The path of the feed; the ending is what calendar programs know their files by.</summary>
    public static string PathOf(string token) => $"/api/v1/calendar-feeds/{token}.ics";

    /// <summary>The token in the last segment of such a path; null when there is none in it.</summary>
    public static string? Find(string file) => File().Match(file) is { Success: true } match ? match.Groups["token"].Value : null;

    [GeneratedRegex(@"\A(?<token>feed_[A-Za-z0-9_-]{43})\.ics\z")]
    private static partial Regex File();
}
