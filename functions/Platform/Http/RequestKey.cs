using System.Security.Cryptography;
using System.Text;
using Flex.Platform.Tables;

namespace Flex.Platform.Http;

/// <summary>An Idempotency-Key and what it is valid for.</summary>
/// <param name="Scope">Caller, method and path: the same key elsewhere is another key.</param>
/// <param name="Key">1 to 255 visible ASCII characters.</param>
/// <param name="BodyHash">SHA-256 of the raw body, so that another request under the same key is noticed.</param>
public sealed record RequestKey(string Scope, string Key, string BodyHash)
{
    public const int MaxLength = 255;

    /// <summary><c>K|</c> and a hash of scope and key: short, and safe in a table key whatever the caller sent.</summary>
    public string RowKey => RowKeys.Idempotency + Hash(Encoding.UTF8.GetBytes(Scope + "\n" + Key));

    public static bool IsWellFormed(string key) => key.Length is > 0 and <= MaxLength && key.All(c => c is > ' ' and <= '~');

    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
