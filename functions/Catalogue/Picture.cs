using System.Security.Cryptography;
using Flex.Platform.Http;

namespace Flex.Catalogue;

/// <summary>
/// A picture of a plan or a resource. Its name is made from its content, e.g. <c>{sha256}.png</c>: what an old version of a plan
/// names is still the picture it had. Pure.
/// </summary>
/// <param name="Name">Of the blob; tells the content type too.</param>
public sealed record Picture(string Name, ReadOnlyMemory<byte> Content)
{
    public const string Jpeg = "image/jpeg";
    public const string Png = "image/png";
    public const string WebP = "image/webp";

    private static readonly (string MediaType, string Extension)[] Kinds = [(Jpeg, ".jpg"), (Png, ".png"), (WebP, ".webp")];

    /// <summary>The body as a picture; 415 when it is of no accepted kind, or of another than it says.</summary>
    public static Result<Picture> Of(FileBody body)
    {
        string? said = body.ContentType?.Split(';')[0].Trim();
        if (KindOf(body.Content.Span) is not { } kind || !kind.Equals(said, StringComparison.OrdinalIgnoreCase))
        {
            return new Error(ErrorKind.UnsupportedMediaType, ErrorCodes.UnsupportedMediaType, $"Send a picture as {Jpeg}, {Png} or {WebP}, and as what it is.");
        }

        string extension = Kinds.Single(k => k.MediaType == kind).Extension;
        return new Picture(Convert.ToHexStringLower(SHA256.HashData(body.Content.Span)) + extension, body.Content);
    }

    public static string MediaTypeOf(string name) => Kinds.Single(k => name.EndsWith(k.Extension, StringComparison.Ordinal)).MediaType;

    /// <summary>By the first bytes of the content; null is none of ours.</summary>
    private static string? KindOf(ReadOnlySpan<byte> content) => content switch
    {
        [0xFF, 0xD8, 0xFF, ..] => Jpeg,
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Png,
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => WebP,
        _ => null,
    };
}
