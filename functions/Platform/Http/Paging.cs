using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Flex.Platform.Http;

/// <summary>Which page of a list is asked for.</summary>
/// <param name="Limit">1 to 100 items.</param>
/// <param name="After">The position the previous page ended at, as the list gave it to <see cref="Page{T}"/>; null for the first page.</param>
/// <param name="Scope">Names list and filters, so that a cursor fits only the list that issued it.</param>
public sealed record Paging(int Limit, string? After, string Scope)
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 100;
    private const int SealLength = 8;

    /// <summary>How many items to read: one more than asked for tells whether there are more.</summary>
    public int Take => Limit + 1;

    public static Paging First { get; } = new(DefaultLimit, null, string.Empty);

    /// <summary>Makes the page from up to <see cref="Take"/> items in list order; the position must sort as the list does.</summary>
    public PageOf<T> Page<T>(IReadOnlyList<T> items, Func<T, string> position) => items.Count > Limit
        ? new PageOf<T>([.. items.Take(Limit)], Cursor(position(items[Limit - 1])), null, HasMore: true)
        : new PageOf<T>(items, null, null, HasMore: false);

    /// <summary>
    /// An opaque cursor. Its seal detects cursors of other lists and damaged ones; it is no secret, because a position only
    /// chooses where in the caller's own list reading starts.
    /// </summary>
    public string Cursor(string position) => Base64Url.EncodeToString([.. Seal(position), .. Encoding.UTF8.GetBytes(position)]);

    /// <summary>The position in a cursor this list has issued; null for any other text.</summary>
    public string? Position(string cursor)
    {
        if (!Base64Url.IsValid(cursor))
        {
            return null;
        }

        byte[] bytes = Base64Url.DecodeFromChars(cursor);
        if (bytes.Length < SealLength)
        {
            return null;
        }

        string position = Encoding.UTF8.GetString(bytes.AsSpan(SealLength));
        return bytes.AsSpan(0, SealLength).SequenceEqual(Seal(position)) ? position : null;
    }

    private byte[] Seal(string position) => SHA256.HashData(Encoding.UTF8.GetBytes(Scope + "\n" + position))[..SealLength];
}

/// <summary>A page of a list. <paramref name="CursorPrev"/> is null: lists are read forwards, a client keeps the cursors it used.</summary>
public sealed record PageOf<T>(IReadOnlyList<T> Results, string? CursorNext, string? CursorPrev, bool HasMore);
