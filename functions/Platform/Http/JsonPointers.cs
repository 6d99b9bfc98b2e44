using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Flex.Platform.Http;

/// <summary>RFC 6901 pointers from the paths of the JSON reader (<c>$.lines[0].amount</c>) and of validators (<c>Lines[0].Amount</c>).</summary>
public static partial class JsonPointers
{
    /// <summary>Where the reader met what it refused; a converter that reads with a reader of its own wraps that one's exception.</summary>
    public static string Of(JsonException refused) =>
        FromJsonPath(refused.Path) + (refused.InnerException is JsonException { Path: { } within } ? FromJsonPath(within) : string.Empty);

    /// <summary>The required members an object did not have, as far as the serializer's message lists them; none for other mistakes.</summary>
    public static IReadOnlyList<string> MissingFrom(JsonException refused) =>
        [.. MissingMembers().Match(refused.Message).Groups["name"].Captures.Select(c => c.Value)];

    public static string FromJsonPath(string? path) => path is null ? string.Empty : Convert(path.TrimStart('$'), name => name);

    public static string FromMemberPath(string path) => Convert("." + path, JsonNamingPolicy.CamelCase.ConvertName);

    private static string Convert(string path, Func<string, string> rename)
    {
        var pointer = new StringBuilder();
        int at = 0;
        while (at < path.Length)
        {
            string segment;
            if (path[at] == '[' && at + 1 < path.Length && path[at + 1] == '\'')
            {
                int end = path.IndexOf("']", at, StringComparison.Ordinal);
                end = end < 0 ? path.Length : end;
                segment = path[(at + 2)..end];
                at = Math.Min(path.Length, end + 2);
            }
            else if (path[at] == '[')
            {
                int end = path.IndexOf(']', at);
                end = end < 0 ? path.Length : end;
                segment = path[(at + 1)..end];
                at = Math.Min(path.Length, end + 1);
            }
            else
            {
                int start = path[at] == '.' ? at + 1 : at;
                int end = path.AsSpan(start).IndexOfAny('.', '[');
                end = end < 0 ? path.Length : start + end;
                segment = rename(path[start..end]);
                at = end;
            }

            if (segment.Length > 0)
            {
                pointer.Append('/').Append(segment.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
            }
        }

        return pointer.ToString();
    }

    [GeneratedRegex("missing required properties including: (?:'(?<name>[^']+)'(?:, )?)+")]
    private static partial Regex MissingMembers();
}
